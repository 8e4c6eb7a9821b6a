import type { Dim } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import type { Plan, PlanDispatch, PlanTensor, StateLayout } from '../ir/plan.ts';
import { place } from '../support/source.ts';
import {
  bufferNumbers,
  type EntryProgram,
  exportNames,
  type ModuleEntry,
  stepTable,
  type UsedState,
  usedState,
} from './entry.ts';
import { openCounts } from './model.ts';
import { commentText, Names, propertyKey, quote } from './names.ts';
import { SizePrinter } from './size.ts';

export interface ModuleOptions {
  /** Where the module finds the runtime. */
  readonly runtime?: string;
}

/** The first lines of a module: where it comes from, what it imports. */
export function preamble(name: string, imports: readonly string[], runtime: string): string {
  return [
    `// Compiled from ${commentText(name)} by dnnc. Change that file and compile it again rather than this one.`,
    `import { ${[...new Set(imports)].sort().join(', ')} } from ${quote(runtime)};`,
  ].join('\n');
}

export const opener = (entry: ModuleEntry): string => (entry.kind === 'net' ? 'openNet' : 'openTrainer');

const positive = `const positive = (extent, name) => {
  if (!(extent >= 1)) throw new RangeError(\`\${name} = \${extent}: an extent must be at least 1\`);
  return true;
};`;

/** The sections of an ES module for one target: kernels, helpers, programs, models with their `load` functions. */
export abstract class ModulePrinter {
  protected readonly names: Names;
  /** Names that nothing in a program may shadow. */
  readonly #reserved: readonly string[];
  /** Whether a program calls `positive`. */
  #checks = false;
  readonly #entries: readonly ModuleEntry[];
  protected readonly layout: StateLayout;
  readonly #stems: readonly string[];
  /** Printed programs and their names, by text. */
  readonly #programs = new Map<string, string>();

  constructor(entries: readonly ModuleEntry[], layout: StateLayout, taken: readonly string[] = []) {
    this.#entries = entries;
    this.layout = layout;
    this.#reserved = ['positive', ...taken];
    this.#stems = exportNames(entries);
    this.names = new Names([
      ...this.#reserved,
      ...['options', 'openNet', 'openTrainer'],
      ...this.#stems.map(s => `load${s}`),
    ]);
  }

  sections(): string[] {
    const kernels: string[] = [];
    const programs: string[] = [];
    const models = this.#entries.map((entry, i) => {
      const used = usedState(entry, this.layout);
      const references = entry.programs.map(program => {
        const constant = (plan: Plan, fits: readonly Dim[] = []): string => {
          kernels.push(...this.kernels(plan));
          const text = this.#program(plan, fits, used);
          const known = this.#programs.get(text);
          if (known !== undefined) return known;
          const made = this.names.fresh(`${entry.name}_${program.name.replace(/^(net|step):/, '')}`);
          this.#programs.set(text, made);
          programs.push(`${heading(`${entry.name}: ${program.name}`)}const ${made} = ${text};`);
          return made;
        };
        return `${propertyKey(program.name)}: ${this.reference(program, constant)}`;
      });
      return this.#model(entry, this.#stems[i]!, references, used);
    });
    return [...kernels, ...(this.#checks ? [positive] : []), ...programs, ...models];
  }

  /** Sections for the kernels of a plan that have none yet. */
  protected abstract kernels(plan: Plan): string[];

  /** What a model says for a program; `constant` names the object of a plan. */
  protected abstract reference(
    program: EntryProgram,
    constant: (plan: Plan, fits?: readonly Dim[]) => string,
  ): string;

  /** Lines of a program that other targets do not have. */
  protected abstract programFields(plan: Plan, sizes: SizePrinter, fits: readonly Dim[]): string[];

  /** Lines of a dispatch that other targets do not have. */
  protected abstract dispatchFields(dispatch: PlanDispatch, plan: Plan, sizes: SizePrinter): string[];

  protected abstract modelFields(entry: ModuleEntry): string[];

  #program(plan: Plan, fits: readonly Dim[], used: UsedState): string {
    const sizes = new SizePrinter(plan.dims, this.#reserved);
    const tensor = ({ name, type, offset }: PlanTensor): string => {
      const shape = type.shape.map(d => (plan.dims.includes(d.key) ? quote(d.key) : sizes.size(d)));
      return `{ name: ${quote(name)}, dtype: '${type.dtype}', shape: [${shape.join(', ')}], offset: ${sizes.size(offset)} }`;
    };
    const scalars = plan.scalars.map(s => `{ name: ${quote(s.name)}, dtype: '${s.dtype}' }`);
    const dispatches = plan.dispatches.map(dispatch => {
      const lines = dispatch.bindings.map(b => {
        const offset = b.buffer === 'state' ? used.at(b.offset) : b.offset;
        const at = `${bufferNumbers[b.buffer]}, ${sizes.size(offset)}, ${sizes.size(b.bytes)}`;
        return `[${at}], // ${commentText(b.tensor.name)}`;
      });
      const fields = this.dispatchFields(dispatch, plan, sizes);
      return [
        `{ // ${commentText(this.dispatchComment(dispatch))}`,
        `  kernel: ${this.kernelNumber(dispatch, plan)},`,
        `  bindings: ${list(lines, 2, '')},`,
        ...fields.map(field => `  ${field},`),
        '},',
      ].join('\n');
    });
    const loops = plan.loops.map(
      ({ loop, from, to }) => `[${from}, ${to}, ${sizes.size(loop.steps)}], // ${commentText(loop.name)}`,
    );
    const counts = openCounts(plan).map(c => `[${quote(c.name)}, ${sizes.size(c.size)}]`);
    return [
      '{',
      `  dims: [${plan.dims.map(quote).join(', ')}],`,
      `  scalars: ${list(scalars, 2)},`,
      `  arenaBytes: ${this.#arenaBytes(plan, sizes)},`,
      `  inputs: ${list(plan.inputs.map(tensor), 2)},`,
      `  outputs: ${list(plan.outputs.map(tensor), 2)},`,
      ...this.programFields(plan, sizes, fits).map(field => `  ${field},`),
      `  dispatches: ${list(dispatches, 2, '')},`,
      ...(loops.length > 0
        ? [
            '  // The first dispatch of a loop, the one behind its last, and how many turns it takes.',
            `  loops: ${list(loops, 2, '')},`,
          ]
        : []),
      ...(counts.length > 0 ? [`  counts: ${list(counts, 2)},`] : []),
      '}',
    ].join('\n');
  }

  /** How a dispatch names its kernel. */
  protected kernelNumber({ kernel }: PlanDispatch, _plan: Plan): number {
    return kernel;
  }

  protected dispatchComment({ name }: PlanDispatch): string {
    return name;
  }

  #arenaBytes(plan: Plan, sizes: SizePrinter): string {
    if (plan.positive.length === 0) return sizes.size(plan.arenaBytes);
    this.#checks = true;
    const checks = plan.positive.map(d => `positive(${sizes.expression(d)}, ${quote(D.print(d))})`);
    const body = `${checks.join(' && ')} && ${sizes.expression(plan.arenaBytes)}`;
    return sizes.arrow([...plan.positive, plan.arenaBytes], body);
  }

  #model(entry: ModuleEntry, stem: string, programs: readonly string[], used: UsedState): string {
    const { bytes, tensors } = used;
    const state = tensors.map(
      s =>
        `{ name: ${quote(s.name)}, role: '${s.role}', dtype: '${s.dtype}', shape: [${s.shape.join(', ')}], offset: ${s.offset} }`,
    );
    const steps = stepTable(entry);
    const model = this.names.fresh(`${stem}Model`);
    const text = [
      `const ${model} = {`,
      `  name: ${quote(entry.name)},`,
      `  stateBytes: ${bytes},`,
      `  state: ${list(state, 2)},`,
      `  programs: { ${programs.join(', ')} },`,
      ...(steps
        ? [`  steps: [${steps.map(([name, every]) => `[${quote(name)}, ${every}]`).join(', ')}],`]
        : []),
      ...this.modelFields(entry).map(field => `  ${field},`),
      '};',
    ].join('\n');
    const title = loaderTitle(entry);
    return [
      text,
      '',
      `${title}export async function load${stem}(options) {`,
      `  return ${opener(entry)}(${model}, options);`,
      '}',
    ].join('\n');
  }
}

/** `// net LeNet, lenet.dnn:3:1` above a `load` function. */
export const loaderTitle = (entry: ModuleEntry): string =>
  heading(`${entry.kind} ${entry.name}${entry.span ? `, ${place(entry.span)}` : ''}`);

export function heading(text: string): string {
  return text === '' ? '' : `// ${commentText(text)}\n`;
}

/** An array with an item a line. */
export function list(items: readonly string[], indent: number, separator = ','): string {
  if (items.length === 0) return '[]';
  const space = ' '.repeat(indent);
  return `[\n${items.map(item => `${space}  ${item.replaceAll('\n', `\n${space}  `)}${separator}`).join('\n')}\n${space}]`;
}
