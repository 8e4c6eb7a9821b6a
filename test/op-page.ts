import type { AttrSpec, Primitive } from '../src/ir/primitive.ts';
import { primitives } from '../src/ops/list.ts';
import { factsOf, type OpFacts } from './op-facts.ts';

/** The text of docs/ops.md. */
export function printOps(): string {
  const facts = primitives.map(op => [op, factsOf(op)] as const);
  return `${intro}\n\n${summary(facts)}\n\n${facts.map(([op, f]) => section(op, f)).join('\n\n')}\n`;
}

const intro = `# Primitive operations

Made from \`src/ops/list.ts\`; \`npx vitest run test/op-facts.test.ts -u\` writes it anew. A program calls an op by its
name, or as \`primitive.NAME\` where a function has the same one; what is composed of them is in the standard library
([language.md](language.md#standard-library)).

Each entry is found by asking the op about the samples that its tests run on, so it says what is tested:

- **dtypes** are those that the op takes; \`test/op-facts.test.ts\` computes each of them by reference, by its Compute and
  by the kernels of all targets, in WebAssembly, and on a device but for f16 (kernels for f16 ask for WebGPU's
  \`shader-f16\`).
- **gradient**: \`yes\` is checked against exact reverse mode over the Compute and against finite differences
  (\`test/ops.test.ts\`), \`0\` against the same. **second**: of the gradient's gradient, against finite differences.
- Every op runs on the interpreters, on WebGPU and in WebAssembly (\`test/schedule/ops.test.ts\`, \`test/gpu/ops.test.ts\`,
  \`test/wasm/ops.test.ts\`); \`gradient\` is replaced before.`;

const list = (items: readonly string[]): string => (items.length > 0 ? items.join(' ') : '–');

function summary(facts: readonly (readonly [Primitive, OpFacts])[]): string {
  const rows = facts.map(([op, f]) => {
    const f16 = f.dtypes.some(d => d.dtypes.includes('f16')) || f.results.includes('f16');
    const cells = [
      `[\`${op.name}\`](#${op.name})`,
      op.kind,
      list(f.dtypes[0]?.dtypes ?? []),
      list(f.results),
      f.gradient,
      f.second,
      ...['interpreters', 'WebGPU', 'WebAssembly'].map(() => (op.lower ? 'yes' : 'replaced before')),
      f16 ? 'yes' : 'no',
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const head = [
    'op',
    'kind',
    'first input',
    'results',
    'gradient',
    'second',
    'interpreters',
    'WebGPU',
    'WebAssembly',
    'f16',
  ];
  return [`| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`, ...rows].join('\n');
}

function section(op: Primitive, facts: OpFacts): string {
  const inputs = facts.dtypes.map(({ input, dtypes }) => `- \`${input}\`: ${list(dtypes)}`);
  const options = Object.entries(op.attrs).map(([name, spec]) => `- \`${name}\`: ${optionText(spec)}`);
  return [
    `## ${op.name}`,
    op.doc,
    `\`\`\`\n${op.example}\n\`\`\``,
    ...(inputs.length > 0 ? [`Inputs:\n${inputs.join('\n')}`] : []),
    ...(options.length > 0 ? [`Options:\n${options.join('\n')}`] : []),
  ].join('\n\n');
}

function optionText({ type, default: given, doc }: AttrSpec): string {
  const value =
    given === undefined
      ? 'required'
      : `\`${Array.isArray(given) ? `[${given.join(', ')}]` : String(given)}\` by default`;
  return `${type}, ${value}; ${doc}`;
}
