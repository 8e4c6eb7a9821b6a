import type { Dim } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import type { Plan, PlanTensor, StateLayout } from '../ir/plan.ts';
import { place } from '../support/source.ts';
import { exportNames, featuresOf, type ModuleEntry, stepTable, usedState } from './entry.ts';
import { type ShaderKernel, Shaders } from './kernels.ts';
import { across, down } from './model.ts';
import { commentText, Names, propertyKey, quote, template } from './names.ts';
import { maxGroups, SizePrinter } from './size.ts';

export interface ModuleOptions {
  /** Where the module finds the runtime. */
  readonly runtime?: string;
}

/**
 * The ES module of one `.dnn` file: kernels, programs and a `load` function for each entry. `name` is the file's,
 * for the comment at the top. Nothing from the source reaches the code but as a literal, a comment or an identifier
 * that was checked.
 */
export function printModule(
  name: string,
  entries: readonly ModuleEntry[],
  layout: StateLayout,
  options: ModuleOptions = {},
): string {
  const printer = new ModulePrinter(entries.map(forApps), layout);
  const used = [...new Set(entries.map(opener))].sort().join(', ');
  const parts = [
    `// Compiled from ${commentText(name)} by dnnc. Change that file and compile it again rather than this one.`,
    `import { ${used} } from ${quote(options.runtime ?? 'dnnc/runtime')};`,
    ...printer.sections(),
  ];
  return `${parts.join('\n\n')}\n`.replace(/(?<=^\/\/.*)\n\n(?=import)/, '\n');
}

/** An app brings trained weights, so a net comes without the program that makes random ones. */
function forApps(entry: ModuleEntry): ModuleEntry {
  if (entry.kind !== 'net') return entry;
  return { ...entry, programs: entry.programs.filter(p => p.name !== 'init') };
}

const opener = (entry: ModuleEntry): string => (entry.kind === 'net' ? 'openNet' : 'openTrainer');

/** Functions that programs may need, printed where one does. */
const helpers: Readonly<Record<string, string>> = {
  across: `// No dimension of a grid may exceed ${maxGroups}; kernels leave the surplus of the last row idle.
const across = groups => Math.min(groups, ${maxGroups});
const down = groups => Math.ceil(groups / ${maxGroups});`,
  positive: `const positive = (extent, name) => {
  if (!(extent >= 1)) throw new RangeError(\`\${name} = \${extent}: an extent must be at least 1\`);
  return true;
};`,
};
const helperNames = ['across', 'down', 'positive'];

class ModulePrinter {
  readonly #entries: readonly ModuleEntry[];
  readonly #layout: StateLayout;
  readonly #stems: readonly string[];
  readonly #names: Names;
  readonly #shaders = new Shaders();
  readonly #constants = new Map<ShaderKernel, string>();
  /** Printed programs and their names, by text. */
  readonly #programs = new Map<string, string>();
  readonly #helpers = new Set<string>();

  constructor(entries: readonly ModuleEntry[], layout: StateLayout) {
    this.#entries = entries;
    this.#layout = layout;
    this.#stems = exportNames(entries);
    this.#names = new Names([
      ...helperNames,
      'options',
      'openNet',
      'openTrainer',
      ...this.#stems.map(s => `load${s}`),
    ]);
  }

  sections(): string[] {
    const kernels: string[] = [];
    const programs: string[] = [];
    const models = this.#entries.map((entry, i) => {
      const references = entry.programs.map(({ name, plan }) => {
        for (const kernel of plan.kernels) {
          const shader = this.#shaders.add(kernel, plan);
          if (!this.#constants.has(shader)) kernels.push(this.#kernel(shader));
        }
        const text = this.#program(plan);
        let constant = this.#programs.get(text);
        if (constant === undefined) {
          constant = this.#names.fresh(`${entry.name}_${name.replace(/^(net|step):/, '')}`);
          this.#programs.set(text, constant);
          programs.push(`${heading(`${entry.name}: ${name}`)}const ${constant} = ${text};`);
        }
        return `${propertyKey(name)}: ${constant}`;
      });
      return this.#model(entry, this.#stems[i]!, references);
    });
    const helperTexts = Object.entries(helpers).flatMap(([name, text]) =>
      this.#helpers.has(name) ? [text] : [],
    );
    return [...kernels, ...helperTexts, ...programs, ...models];
  }

  #kernel(shader: ShaderKernel): string {
    const constant = this.#names.fresh(shader.name);
    this.#constants.set(shader, constant);
    const fields = `name: ${quote(shader.name)}, from: ${quote(shader.from)}, uniform: ${shader.uniform}`;
    const code = template(`\n${shader.code.trimEnd()}\n`);
    return `${heading(shader.from)}const ${constant} = {\n  ${fields},\n  code: ${code},\n};`;
  }

  #program(plan: Plan): string {
    const sizes = new SizePrinter(plan.dims, helperNames);
    const tensor = ({ name, type, offset }: PlanTensor): string => {
      const shape = type.shape.map(d => (plan.dims.includes(d.key) ? quote(d.key) : sizes.size(d)));
      return `{ name: ${quote(name)}, dtype: '${type.dtype}', shape: [${shape.join(', ')}], offset: ${sizes.size(offset)} }`;
    };
    const scalars = plan.scalars.map(s => `{ name: ${quote(s.name)}, dtype: '${s.dtype}' }`);
    const kernels = plan.kernels.map(k => this.#constants.get(this.#shaders.add(k, plan))!);
    const dispatches = plan.dispatches.map(({ name, kernel, bindings }) => {
      const { groups } = plan.kernels[kernel]!;
      const lines = bindings.map(b => {
        const at = `${b.buffer === 'state' ? 0 : 1}, ${sizes.size(b.offset)}, ${sizes.size(b.bytes)}`;
        return `[${at}], // ${commentText(b.tensor.name)}`;
      });
      return [
        `{ // ${commentText(name)}`,
        `  kernel: ${kernel},`,
        `  bindings: ${list(lines, 2, '')},`,
        `  grid: ${this.#grid(groups, sizes)},`,
        '},',
      ].join('\n');
    });
    const loops = plan.loops.map(
      ({ loop, from, to }) => `[${from}, ${to}, ${sizes.size(loop.steps)}], // ${commentText(loop.name)}`,
    );
    return [
      '{',
      `  dims: [${plan.dims.map(quote).join(', ')}],`,
      `  scalars: ${list(scalars, 2)},`,
      `  arenaBytes: ${this.#arenaBytes(plan, sizes)},`,
      `  inputs: ${list(plan.inputs.map(tensor), 2)},`,
      `  outputs: ${list(plan.outputs.map(tensor), 2)},`,
      `  kernels: [${kernels.join(', ')}],`,
      `  dispatches: ${list(dispatches, 2, '')},`,
      ...(loops.length > 0
        ? [
            '  // The first dispatch of a loop, the one behind its last, and how many turns it takes.',
            `  loops: ${list(loops, 2, '')},`,
          ]
        : []),
      '}',
    ].join('\n');
  }

  #arenaBytes(plan: Plan, sizes: SizePrinter): string {
    if (plan.positive.length === 0) return sizes.size(plan.arenaBytes);
    this.#helpers.add('positive');
    const checks = plan.positive.map(d => `positive(${sizes.expression(d)}, ${quote(D.print(d))})`);
    const body = `${checks.join(' && ')} && ${sizes.expression(plan.arenaBytes)}`;
    return sizes.arrow([...plan.positive, plan.arenaBytes], body);
  }

  #grid(groups: Dim, sizes: SizePrinter): string {
    const n = D.constantValue(groups);
    if (n !== undefined) return `[${across(n)}, ${down(n)}, 1]`;
    this.#helpers.add('across');
    const count = sizes.expression(groups);
    return `[${sizes.arrow([groups], `across(${count})`)}, ${sizes.arrow([groups], `down(${count})`)}, 1]`;
  }

  #model(entry: ModuleEntry, stem: string, programs: readonly string[]): string {
    const { bytes, tensors } = usedState(entry, this.#layout);
    const state = tensors.map(
      s =>
        `{ name: ${quote(s.name)}, role: '${s.role}', dtype: '${s.dtype}', shape: [${s.shape.join(', ')}], offset: ${s.offset} }`,
    );
    const limits = Object.entries(entry.limits ?? {}).map(
      ([name, value]) => `${propertyKey(name)}: ${Number(value)}`,
    );
    const steps = stepTable(entry);
    const model = this.#names.fresh(`${stem}Model`);
    const text = [
      `const ${model} = {`,
      `  name: ${quote(entry.name)},`,
      `  stateBytes: ${bytes},`,
      `  state: ${list(state, 2)},`,
      `  programs: { ${programs.join(', ')} },`,
      ...(steps
        ? [`  steps: [${steps.map(([name, every]) => `[${quote(name)}, ${every}]`).join(', ')}],`]
        : []),
      `  features: [${featuresOf(entry).map(quote).join(', ')}],`,
      limits.length === 0 ? '  limits: {},' : `  limits: { ${limits.join(', ')} },`,
      '};',
    ].join('\n');
    const title = `${entry.kind} ${entry.name}${entry.span ? `, ${place(entry.span)}` : ''}`;
    return [
      text,
      '',
      `${heading(title)}export async function load${stem}(options) {`,
      `  return ${opener(entry)}(${model}, options);`,
      '}',
    ].join('\n');
  }
}

function heading(text: string): string {
  return text === '' ? '' : `// ${commentText(text)}\n`;
}

/** An array with an item a line. */
function list(items: readonly string[], indent: number, separator = ','): string {
  if (items.length === 0) return '[]';
  const space = ' '.repeat(indent);
  return `[\n${items.map(item => `${space}  ${item.replaceAll('\n', `\n${space}  `)}${separator}`).join('\n')}\n${space}]`;
}
