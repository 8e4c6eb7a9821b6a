import { expect } from 'vitest';
import { check } from '../../src/compile.ts';
import * as D from '../../src/ir/dim.ts';
import { type Graph, graphInputs } from '../../src/ir/graph.ts';
import { interpretGraph } from '../../src/ir/interpret/graph.ts';
import { interpretProgram } from '../../src/ir/interpret/program.ts';
import type { Module } from '../../src/ir/module.ts';
import { ndarray, size } from '../../src/ir/ndarray.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import { gpuTarget, softwareTarget, type Target } from '../../src/ir/target.ts';
import { differentiateGraph } from '../../src/passes/differentiate.ts';
import { type CompiledModule, compileModule } from '../../src/passes/pipeline.ts';
import { renderDiagnostic } from '../../src/support/render.ts';
import { difference, dot, generator, moved, randomLike, slope } from '../arbitrary/numbers.ts';

export type Arrays = Record<string, NdArray>;

/** A loop, from which two texts are made: one with `scan`, one that is unrolled by `repeat`. */
export interface Loop {
  /** Types by name. Their free sizes are N and T; the gradient by each that is f32 is checked too. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Statements before the loop. */
  readonly before?: readonly string[];
  readonly over?: string;
  readonly axis?: number;
  /** Of what is scanned. */
  readonly rank?: number;
  readonly reverse?: boolean;
  readonly lengths?: string;
  /** Whether `lengths` has one for each sequence; then all that is carried and yielded is [N, something]. */
  readonly perSequence?: boolean;
  /** Values before the first turn, by name. */
  readonly carry: Readonly<Record<string, string>>;
  /** The turn's slice is `xt`. */
  readonly body: readonly string[];
  readonly yields?: readonly string[];
  /** Statements after the loop; what the loop made is called by the carries' names, `out`, `out_2` … */
  readonly after?: readonly string[];
  /** Results with their types. */
  readonly results: Readonly<Record<string, string>>;
  /** What is differentiated; the sum of the sines of all f32 results where absent. */
  readonly loss?: string;
  /** Definitions that stand before the net. */
  readonly definitions?: string;
}

const nameOfYield = (i: number): string => (i === 0 ? 'out' : `out_${i + 1}`);

/** The axis counted from the front, in a tensor of the loop's rank. */
const frontAxis = ({ axis = 0, rank = 3 }: Loop): number => (axis < 0 ? axis + rank : axis);

export function scanned(loop: Loop): string[] {
  const { over = 'x', axis = 0, reverse, lengths, carry, body, yields = [] } = loop;
  const options = [
    `axis = ${axis}`,
    ...(reverse ? ['reverse = true'] : []),
    ...(lengths ? [`lengths = ${lengths}`] : []),
  ].join(', ');
  const carried = Object.entries(carry).map(([name, from]) => `${name} = ${from}`);
  return [
    `r = scan(${options}) xt in ${over} carry ${carried.join(', ')} {`,
    ...body.map(line => `  ${line}`),
    ...(yields.length > 0 ? [`  yield ${yields.join(', ')}`] : []),
    '}',
    ...Object.keys(carry).map(name => `${name} = r.${name}`),
    ...yields.map((_, i) => `${nameOfYield(i)} = r.${nameOfYield(i)}`),
  ];
}

/** The same turn by turn. With `lengths`, what a turn makes counts only where the sequence still lasts. */
function unrolled(loop: Loop, turns: number): string[] {
  const { over = 'x', reverse, lengths, perSequence, carry, body, yields = [] } = loop;
  const at = Array.from({ length: turns }, (_, i) => (reverse ? turns - 1 - i : i));
  const colons = ':, '.repeat(frontAxis(loop));
  const names = Object.keys(carry);
  const masked = (value: string, otherwise: string): string =>
    lengths
      ? `where(${perSequence ? `reshape(${lengths} > t, N, 1)` : `${lengths} > t`}, ${value}, ${otherwise})`
      : value;
  return [
    ...Object.entries(carry).map(([name, from]) => `${name} = ${from}`),
    ...yields.map((_, i) => `${nameOfYield(i)}_list = []`),
    `repeat t in [${at.join(', ')}] {`,
    `  xt = (${over})[${colons}t]`,
    ...names.map(name => `  ${name}_before = ${name}`),
    ...body.map(line => `  ${line}`),
    ...yields.map((value, i) => {
      const list = `${nameOfYield(i)}_list`;
      const made = `[${masked(value, '0')}]`;
      return `  ${list} = ${reverse ? `${made} + ${list}` : `${list} + ${made}`}`;
    }),
    ...names.map(name => `  ${name} = ${masked(name, `${name}_before`)}`),
    '}',
    ...yields.map((_, i) => {
      const name = nameOfYield(i);
      return `${name} = stack(${name}_list, axis = ${frontAxis(loop)})`;
    }),
  ];
}

export function textOf(loop: Loop, lines: readonly string[], turns?: number): string {
  const { inputs, before = [], after = [], results, definitions = '' } = loop;
  const floats = Object.entries(results).filter(([, type]) => type.startsWith('f32'));
  const loss = loop.loss ?? floats.map(([name]) => `sum(sin(${name}))`).join(' + ');
  const wrt = Object.entries(inputs).filter(([, type]) => type.startsWith('f32'));
  const outs = [
    ...Object.entries(results).map(([name, type]) => `${name}: ${type}`),
    'loss: f32',
    ...wrt.map(([name, type]) => `g_${name}: ${type}`),
  ];
  const given = [...Object.keys(results), 'loss', ...wrt.map(([name]) => `grad(loss, ${name})`)];
  return [
    ...(turns === undefined ? [] : [`const T = ${turns}`]),
    definitions,
    `net Case(${Object.entries(inputs)
      .map(([name, type]) => `${name}: ${type}`)
      .join(', ')})`,
    `    -> (${outs.join(', ')}) {`,
    ...[...before, ...lines, ...after, `loss = ${loss}`].map(line => `  ${line}`),
    `  return ${given.join(', ')}`,
    '}',
    '',
  ].join('\n');
}

/** Sizes at which a loop is run. */
export interface Sizes {
  readonly N: number;
  readonly T: number;
}

export const usualSizes: readonly Sizes[] = [
  { N: 2, T: 3 },
  { N: 1, T: 1 },
];

export function moduleOf(text: string): Module {
  const { module, diagnostics } = check({ name: 'loop.dnn', text });
  const errors = diagnostics.filter(d => d.severity === 'error');
  if (!module || errors.length > 0)
    throw new Error(`${errors.map(d => renderDiagnostic(d)).join('\n')}\n${text}`);
  return module;
}

/** Numbers in [-1, 1); integers in 0..3. */
export function inputsOf(graph: Graph, sizes: Sizes, given: Arrays = {}): Arrays {
  const next = generator(17 * sizes.N + sizes.T);
  return Object.fromEntries(
    graphInputs(graph).map(({ name, outputs: [{ type }] }) => {
      const shape = type.shape.map(d => D.evaluate(d, { ...sizes }));
      const draw = (): number => (type.dtype === 'f32' ? next() : Math.floor((next() + 1) * 2));
      const made = ndarray(type.dtype, shape, Array.from({ length: size(shape) }, draw));
      return [name, given[name] ?? made];
    }),
  );
}

export interface Levels {
  readonly target: Target;
  readonly compiled: CompiledModule;
}

const targets = [softwareTarget, gpuTarget];

/** What every level makes of the net `Case`, by the level's name. */
export function atEveryLevel(
  module: Module,
  compilations: readonly Levels[],
  inputs: Arrays,
  sizes: Sizes,
): Record<string, Map<string, NdArray>> {
  const plain = differentiateGraph(module.nets.find(n => n.name === 'Case')!.predict).graph;
  const made: Record<string, Map<string, NdArray>> = {
    plain: interpretGraph(plain, inputs, { dims: { ...sizes } }).outputs,
  };
  for (const { target, compiled } of compilations) {
    const { graph, program, scheduled } = compiled.programs.get('Case')!;
    const dims = { ...sizes };
    made[`optimised for ${target.name}`] = interpretGraph(graph, inputs, { dims }).outputs;
    made[`fused for ${target.name}`] = interpretProgram(program, inputs, { dims }).outputs;
    made[`kernels for ${target.name}`] = interpretProgram(program, inputs, {
      dims,
      kernels: scheduled,
    }).outputs;
  }
  return made;
}

export const compileFor = (module: Module): Levels[] =>
  targets.map(target => ({
    target,
    compiled: compileModule(module, { target, diagnostics: [], only: name => name === 'Case' }),
  }));

/** The loop at run time does at every level what its turns written one after the other do. */
export function expectUnrolled(loop: Loop, all: readonly Sizes[] = usualSizes, given: Arrays = {}): void {
  const text = textOf(loop, scanned(loop));
  const module = moduleOf(text);
  const compilations = compileFor(module);
  expect(compilations[0]!.compiled.programs.get('Case')!.plan.loops.length, text).toBeGreaterThan(0);
  for (const sizes of all) {
    const flatText = textOf(loop, unrolled(loop, sizes.T), sizes.T);
    const flat = differentiateGraph(moduleOf(flatText).nets[0]!.predict).graph;
    const inputs = inputsOf(flat, sizes, given);
    const expected = interpretGraph(flat, inputs, { dims: { ...sizes } }).outputs;
    expectSlope(differentiateGraph(module.nets[0]!.predict).graph, inputs, sizes, text);
    const levels = atEveryLevel(module, compilations, inputs, sizes);
    for (const [level, outputs] of Object.entries(levels))
      for (const [name, e] of expected) {
        const wrong = difference(outputs.get(name)!, e, 1e-9);
        if (wrong)
          throw new Error(`${level}, ${JSON.stringify(sizes)}: ${name}: ${wrong}\n${text}\n${flatText}`);
      }
  }
}

/** The gradients of a net that has them, against the slope of its loss along a random direction. */
function expectSlope(graph: Graph, inputs: Arrays, sizes: Sizes, text: string): void {
  const next = generator(5);
  const wrt = Object.keys(inputs).filter(name => inputs[name]!.dtype === 'f32');
  const direction = new Map(wrt.map(name => [name, randomLike(inputs[name]!, next)]));
  const run = (step: number) => {
    const shifted = wrt.map(name => [name, moved(inputs[name]!, direction.get(name)!, step)] as const);
    return interpretGraph(graph, { ...inputs, ...Object.fromEntries(shifted) }, { dims: { ...sizes } })
      .outputs;
  };
  const gradients = run(0);
  const along = wrt.map(name => dot(gradients.get(`g_${name}`)!, direction.get(name)!));
  const expected = slope(step => run(step).get('loss')!.data[0]!);
  const error = Math.abs(along.reduce((a, b) => a + b, 0) - expected) / Math.max(1, Math.abs(expected));
  expect(error, text).toBeLessThan(1e-7);
}
