import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CheckOptions, check } from '../../src/compile.ts';
import type { DimEnv } from '../../src/ir/dim.ts';
import * as D from '../../src/ir/dim.ts';
import { interpretProgram } from '../../src/ir/interpret/program.ts';
import { ndarray, size } from '../../src/ir/ndarray.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import { printProgram } from '../../src/ir/print/program.ts';
import { type Program, storageOf } from '../../src/ir/program.ts';
import { wasmTarget } from '../../src/ir/target.ts';
import { verifyProgram } from '../../src/ir/verify/program.ts';
import { blockBatch } from '../../src/passes/block-batch.ts';
import { differentiateGraph } from '../../src/passes/differentiate.ts';
import { fuse } from '../../src/passes/fuse/index.ts';
import { pack, packGroups, stateOrder } from '../../src/passes/pack.ts';
import { moduleGraphs } from '../../src/passes/pipeline.ts';
import { layoutState } from '../../src/passes/plan-memory.ts';
import { schedule } from '../../src/passes/schedule/index.ts';
import { dropUnitAxes } from '../../src/passes/unit-axes.ts';
import { randomNet } from '../arbitrary/nets.ts';
import { difference, generator } from '../arbitrary/numbers.ts';
import { randomProgram } from '../arbitrary/programs.ts';

/** Set DNNC_SEED to repeat a failure, DNNC_RUNS to look harder. */
const seed = Number(process.env.DNNC_SEED ?? Date.now() % 2 ** 31);
const numRuns = Number(process.env.DNNC_RUNS ?? 8);

type Arrays = Readonly<Record<string, NdArray>>;

/** The programs of a text as the pass finds them. */
function programsOf(text: string, options: CheckOptions = {}): Map<string, Program> {
  const { module, diagnostics } = check({ name: 'test.dnn', text }, options);
  const errors = diagnostics.filter(d => d.severity === 'error').map(d => d.message);
  if (errors.length > 0) throw new Error(`${errors.join('\n')}\n${text}`);
  return new Map(
    moduleGraphs(module!).map(([name, graph]) => {
      const fused = fuse(differentiateGraph(graph).graph, wasmTarget);
      const stored = stateOrder(packGroups(fused), fused.tensors);
      const slots = stored.map(t => ({ name: t.path!, role: t.role as 'param' | 'state', type: t.type }));
      return [name, dropUnitAxes(pack(fused, layoutState(slots)))];
    }),
  );
}

function exampleOf(name: string, defines: Record<string, number> = {}): Map<string, Program> {
  const file = new URL(`../../examples/${name}/${name}.dnn`, import.meta.url);
  return programsOf(readFileSync(file, 'utf8'), { defines });
}

/** Numbers for all inputs; integers are small, states positive. */
function arraysFor({ tensors }: Program, dims: DimEnv, next: () => number): Arrays {
  const arrays: Record<string, NdArray> = {};
  for (const { path, role, type } of tensors) {
    if (path === undefined || role === 'pack') continue;
    const shape = type.shape.map(d => D.evaluate(d, dims));
    const value = (): number => {
      if (role === 'key') return Math.floor((next() + 1) * 1e6);
      if (role === 'scalar' || type.dtype !== 'f32') return Math.floor((next() + 1) * 2);
      return role === 'state' ? 0.1 + (next() + 1) / 2 : 0.5 * next();
    };
    arrays[path] = ndarray(type.dtype, shape, Array.from({ length: size(shape) }, value));
  }
  return arrays;
}

/** Both mean the same for a batch of N; what the host does not give is not read, since the interpreter checks. */
function agree(before: Program, after: Program, N: number, options: { kernels?: boolean } = {}): void {
  const dims: Record<string, number> = {};
  for (const { type } of before.tensors)
    for (const d of type.shape) for (const s of D.symbols(d)) dims[s] = s === 'N' ? N : 6;
  const arrays = arraysFor(before, dims, generator(N));
  const ways = [undefined, ...(options.kernels ? [schedule(after, wasmTarget)] : [])];
  const expected = interpretProgram(before, arrays, { dims });
  for (const kernels of ways) {
    const actual = interpretProgram(after, arrays, { dims, ...(kernels && { kernels }) });
    for (const kind of ['outputs', 'state'] as const)
      for (const [name, e] of expected[kind]) {
        const wrong = difference(actual[kind].get(name)!, e, 1e-7);
        if (wrong)
          throw new Error(
            `${name}, N = ${N}${kernels ? ' as kernels' : ''}: ${wrong}\n${printProgram(after)}`,
          );
      }
  }
}

const isChanged = (programs: Map<string, Program>): string[] =>
  [...programs].flatMap(([name, p]) => (blockBatch(p) === p ? [] : [name]));

const inRows = ({ tensors }: Program): string[] =>
  tensors.filter(t => t.role === 'temporary' && t.type.shape[0]?.key === 'N').map(t => t.name);

/** YOLO's net that says what the data say: nothing lies between. */
const onlyResults = 'Objects';

describe.each([
  ['mlp', {}, [33], ['MLP']],
  ['lenet', {}, [17], ['LeNet', 'mnist.evaluate']],
  ['resnet', { Width: 2, Size: 32, Classes: 5 }, [17], ['imagenet.evaluate', 'ResNet18']],
  ['dcgan', { Width: 1 }, [3], ['G', 'D']],
  ['googlenet', {}, [], []],
  ['yolo', {}, [], []],
] as const)('%s', (name, defines, sizes, run) => {
  const programs = exampleOf(name, defines);
  const all = [...programs].map(([program, before]) => ({ program, before, after: blockBatch(before) }));
  const changed = all.filter(p => p.before !== p.after);

  test('all but results lies in blocks', () => {
    const expected = [...programs.keys()].filter(p => !p.endsWith('.init') && p !== onlyResults);
    expect(changed.map(p => p.program)).toEqual(expected);
    for (const { after } of changed) {
      expect(verifyProgram(after)).toEqual([]);
      const results = after.outputs.map(o => storageOf(o.tensor).name);
      expect(inRows(after).filter(t => !results.includes(t))).toEqual([]);
    }
  });

  test.runIf(sizes.length > 0)(
    'means the same',
    () => {
      for (const { program, before, after } of changed)
        for (const N of sizes) if (run.some(r => r === program)) agree(before, after, N);
    },
    120_000,
  );
});

test('blocks of a known batch that they fill need no copy of results and no condition', () => {
  const text = `net T(x: f32[32, 5]) -> f32[32, 3] { return x -> dense(4) -> tanh -> dense(3) }`;
  const before = programsOf(text).get('T')!;
  const after = blockBatch(before);
  expect(after).not.toBe(before);
  expect(printProgram(after)).not.toMatch(/ if | % /);
  expect(after.works.length).toBe(before.works.length + 1);
  agree(before, after, 32, { kernels: true });
});

test('a sum over the batch relies on zeros; what zeros do not make vanish is left out', () => {
  const before = programsOf(`net T(x: f32[N, 4]) -> (a: f32[4], b: f32) {
    y = x -> dense(4) -> tanh
    return sum(y, axis = 0), sum((y - 3) ^ 2)
  }`).get('T')!;
  const after = blockBatch(before);
  const text = printProgram(after);
  expect(text).toMatch(/if i0_block \* 8|if m_block \* 8/);
  expect(text).toMatch(/where .*_lane < N|if .*_lane < N/);
  for (const N of [1, 15, 16, 33]) agree(before, after, N, { kernels: true });
});

describe('stays as it is where blocks would not pay', () => {
  test.each([
    ['no products or windows', `net T(x: f32[N, 4]) -> f32[N] { return sum(exp(x), axis = 1) }`],
    ['a small batch', `net T(x: f32[3, 5]) -> f32[3, 3] { return x -> dense(3) }`],
    ['no batch', `net T(x: f32[1, 3, 9, 9]) -> f32[1, 2, 7, 7] { return x -> conv(2, 3) }`],
    [
      'windows along the first dim',
      `net T(x: f32[64, 9, 3]) -> f32[3, 62, 7] { return x -> transpose(2, 0, 1) -> reshape(1, 3, 64, 9) -> conv(3, 3) -> reshape(3, 62, 7) }`,
    ],
  ])('%s', (_, text) => expect(isChanged(programsOf(text))).toEqual([]));
});

test('two axes over the batch, and rows that are chosen by number', () => {
  for (const text of [
    `net T(x: f32[N, 5]) -> f32[N, N] { y = x -> dense(4) -> tanh
       return y @ transpose(y) }`,
    `net T(x: f32[N, 5], i: i32[N]) -> f32[N, 4] { y = x -> dense(4) -> tanh -> dense(4)
       return y + y[i] }`,
    `net T(x: f32[N, 5]) -> f32[2 * N, 3] { y = x -> dense(4) -> tanh
       return concat(y, y * 2, axis = 0) -> dense(3) }`,
    `net T(x: f32[N, 6]) -> f32[2 * N, 3] { return x -> dense(4) -> tanh -> reshape(2 * N, 2) -> dense(3) }`,
  ]) {
    const before = programsOf(text).get('T')!;
    const after = blockBatch(before);
    expect(verifyProgram(after)).toEqual([]);
    for (const N of [1, 15, 17]) agree(before, after, N, { kernels: true });
  }
});

test('what loops hand from turn to turn keeps its layout', () => {
  const file = new URL('../../examples/charnn/charnn.dnn', import.meta.url);
  const programs = programsOf(readFileSync(file, 'utf8'), { defines: { Width: 4, Symbols: 8 } });
  for (const [, before] of programs) {
    const after = blockBatch(before);
    if (after !== before) agree(before, after, 17);
  }
  const mixed = programsOf(`net T(x: f32[N, 3, 8]) -> f32[N, 4] {
    y = x -> dense(4) -> tanh
    r = scan(axis = 1) yt in y carry h = zeros(N, 4) {
      h = tanh(yt + dense(4)(h))
      yield h
    }
    return r.h -> dense(4)
  }`).get('T')!;
  const after = blockBatch(mixed);
  for (const N of [1, 17]) agree(mixed, after, N, { kernels: true });
});

test.each([1, 7, 16, 17, 33])('a training program with a batch of %i', N => {
  const programs = programsOf(`net T(x: f32[N, 2, 6, 6]) -> f32[N, 3] {
    return x -> conv(3, 3, pad = 1) -> batch_norm -> relu -> max_pool(2) -> conv(4, 2) -> tanh -> flatten
             -> dropout(0.3) -> dense(5) -> layer_norm -> dense(3)
  }
  train fit {
    data x: u8[N, 2, 6, 6]
    data y: i32[N]
    out = T(cast(x, f32) / 4)
    loss = cross_entropy(out, y)
    metric right = mean(cast(argmax(out, axis = 1) == y, f32))
    minimize loss over T by sgd(lr = 0.1, momentum = 0.9)
  }`);
  expect(isChanged(programs)).toEqual(['fit.step', 'fit.evaluate', 'T']);
  for (const [, before] of programs) agree(before, blockBatch(before), N, { kernels: true });
});

let blocked = 0;

test('random nets mean the same in blocks', () => {
  fc.assert(
    fc.property(randomNet(fc), ({ text }) => keepsMeaning(text)),
    { seed, numRuns },
  );
  expect(blocked).toBeGreaterThan(0);
}, 240_000);

test('random training programs mean the same in blocks', () => {
  fc.assert(fc.property(randomProgram(fc), keepsMeaning), { seed, numRuns });
  expect(blocked).toBeGreaterThan(0);
}, 240_000);

function keepsMeaning(text: string): void {
  for (const [name, before] of programsOf(text)) {
    const after = blockBatch(before);
    if (after === before) continue;
    blocked++;
    const problems = verifyProgram(after);
    if (problems.length > 0) throw new Error(`${name}: ${problems.join('\n')}\n${text}`);
    for (const N of [3, 17, 32]) agree(before, after, N, { kernels: N === 17 });
  }
}
