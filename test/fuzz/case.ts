import type { DimEnv } from '../../src/ir/dim.ts';
import type { TensorType } from '../../src/ir/type.ts';
import { printType } from '../../src/ir/type.ts';

/** A named tensor of a program's text. */
export interface Val {
  readonly name: string;
  readonly type: TensorType;
  /** How many steps it is from a number near 1: what is far is squashed before it is used again. */
  readonly level: number;
}

/** A statement: what it makes can be made an input instead, so any of them can be left out. */
export interface Line {
  readonly text: string;
  readonly makes: readonly Val[];
  /** Names that it reads. */
  readonly needs: readonly string[];
}

/** A declaration before the net, which stands where its name is used. */
export interface Declaration {
  readonly name: string;
  readonly text: string;
}

/** Lines of a `train` body; `ARGS` stands for the net's inputs, `NEAR` for them with `near` as the first. */
export interface Training {
  readonly data: readonly string[];
  /** Statements and steps in order; those that are not `kept` may go. */
  readonly parts: readonly { readonly text: string; readonly kept: boolean }[];
}

/** A program as parts, of which shrinking takes some away. */
export interface Case {
  readonly declarations: readonly Declaration[];
  readonly inputs: readonly Val[];
  readonly lines: readonly Line[];
  readonly outputs: readonly Val[];
  readonly training?: Training;
  /** Sizes that it runs with. */
  readonly sizes: readonly DimEnv[];
  /** What the generator put in that no pass can tell: forms of the language and options of the library. */
  readonly forms: readonly string[];
}

const param = ({ name, type }: Val): string => `${name}: ${printType(type)}`;

/** The `.dnn` text of a case. */
export function textOf(c: Case): string {
  const list = c.outputs.map(param).join(', ');
  const [first] = c.outputs;
  const result =
    c.outputs.length === 1 ? printType(first!.type) : `(${list.replaceAll(/\bv(\d+):/g, 'y$1:')})`;
  const net = `net Fuzz(${c.inputs.map(param).join(', ')}) -> ${result} {
${c.lines.map(l => `  ${l.text}\n`).join('')}  return ${c.outputs.map(o => o.name).join(', ')}
}
`;
  const args = c.inputs.map(i => i.name);
  const train = c.training
    ? `
train fit {
${[...c.inputs.map(i => `data ${param(i)}`), ...c.training.data].map(t => `  ${t}\n`).join('')}${c.training.parts
  .map(
    p =>
      `  ${p.text.replaceAll('ARGS', args.join(', ')).replace('NEAR', ['near', ...args.slice(1)].join(', '))}\n`,
  )
  .join('')}}
`
    : '';
  const body = net + train;
  const used = c.declarations.filter(d => new RegExp(`\\b${d.name}\\b`).test(body));
  return `${used.map(d => `${d.text}\n\n`).join('')}${body}`;
}
