import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CheckOptions, check } from '../../src/compile.ts';
import * as D from '../../src/ir/dim.ts';
import { interpretProgram } from '../../src/ir/interpret/program.ts';
import { ndarray, size } from '../../src/ir/ndarray.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import { type Program, storageOf } from '../../src/ir/program.ts';
import { gpuTarget } from '../../src/ir/target.ts';
import { verifyProgram } from '../../src/ir/verify/program.ts';
import { differentiateGraph } from '../../src/passes/differentiate.ts';
import { fuse } from '../../src/passes/fuse/index.ts';
import { liveBytes, orderWorks } from '../../src/passes/order/index.ts';
import { findOrder, type Orderable, peakOf } from '../../src/passes/order/search.ts';
import { type OrderProblem, orderProblem } from '../../src/passes/order/units.ts';
import { overwrite } from '../../src/passes/overwrite.ts';
import { pack, packGroups, stateOrder } from '../../src/passes/pack.ts';
import { moduleGraphs } from '../../src/passes/pipeline.ts';
import { layoutState } from '../../src/passes/plan-memory.ts';
import { generator } from '../arbitrary/numbers.ts';
import { randomProgram } from '../arbitrary/programs.ts';

/** Set DNNC_SEED to repeat a failure, DNNC_RUNS to look harder. */
const seed = Number(process.env.DNNC_SEED ?? Date.now() % 2 ** 31);
const numRuns = Number(process.env.DNNC_RUNS ?? 8);

function programsOf(text: string, options: CheckOptions = {}): Map<string, Program> {
  const { module, diagnostics } = check({ name: 'test.dnn', text }, options);
  const errors = diagnostics.filter(d => d.severity === 'error').map(d => d.message);
  if (errors.length > 0) throw new Error(`${errors.join('\n')}\n${text}`);
  return new Map(
    moduleGraphs(module!).map(([name, graph]) => {
      const fused = fuse(differentiateGraph(graph).graph, gpuTarget);
      const stored = stateOrder(packGroups(fused), fused.tensors);
      const slots = stored.map(t => ({ name: t.path!, role: t.role as 'param' | 'state', type: t.type }));
      return [name, pack(fused, layoutState(slots))];
    }),
  );
}

function exampleOf(name: string, defines: Record<string, number> = {}): Map<string, Program> {
  const file = new URL(`../../examples/${name}/${name}.dnn`, import.meta.url);
  return programsOf(readFileSync(file, 'utf8'), { defines });
}

function outcome(program: Program, dims: D.DimEnv): Map<string, NdArray> {
  const next = generator(3);
  const arrays: Record<string, NdArray> = {};
  for (const { path, role, type } of [...program.tensors].sort((a, b) => a.id - b.id)) {
    if (path === undefined || role === 'pack') continue;
    const shape = type.shape.map(d => D.evaluate(d, dims));
    const value = (): number => {
      if (role === 'key') return Math.floor((next() + 1) * 1e6);
      if (role === 'scalar' || type.dtype !== 'f32') return Math.floor((next() + 1) * 2);
      return role === 'state' ? 0.1 + (next() + 1) / 2 : 0.5 * next();
    };
    arrays[path] = ndarray(type.dtype, shape, Array.from({ length: size(shape) }, value));
  }
  const { outputs, state } = interpretProgram(program, arrays, { dims });
  return new Map([...outputs, ...state]);
}

function expectSame(found: Map<string, NdArray>, wanted: Map<string, NdArray>, what: string): void {
  for (const [name, array] of wanted)
    expect([...found.get(name)!.data], `${what}: ${name}`).toEqual([...array.data]);
}

/** Units in a random order that keeps what must come first before what waits for it. */
function shuffled({ units }: OrderProblem, next: () => number): number[] {
  const left = new Set(units.keys());
  const order: number[] = [];
  while (left.size > 0) {
    const ready = [...left].filter(u => [...units[u]!.after].every(w => !left.has(w)));
    const u = ready[Math.floor(((next() + 1) / 2) * ready.length)]!;
    left.delete(u);
    order.push(u);
  }
  return order;
}

describe('orders', () => {
  test('any order that keeps what the units wait for gives the same bits, also where results overwrite inputs', () => {
    let moved = 0;
    let views = 0;
    fc.assert(
      fc.property(randomProgram(fc), fc.integer({ min: 1, max: 2 ** 31 }), (text, random) => {
        const next = generator(random);
        for (const [name, program] of programsOf(text)) {
          const dims = { N: 3 };
          const wanted = outcome(program, dims);
          const problem = orderProblem(program, dims);
          const order = shuffled(problem, next);
          moved += order.some((u, i) => u !== i) ? 1 : 0;
          const other = { ...program, works: order.flatMap(u => problem.units[u]!.works) };
          expect(verifyProgram(other)).toEqual([]);
          expectSame(outcome(other, dims), wanted, name);
          const over = overwrite(other);
          expect(verifyProgram(over)).toEqual([]);
          views += over.tensors.filter(t => t.view).length - other.tensors.filter(t => t.view).length;
          expectSame(outcome(over, dims), wanted, `${name}, overwriting`);
        }
      }),
      { seed, numRuns },
    );
    expect(moved).toBeGreaterThan(0);
    expect(views).toBeGreaterThan(0);
  }, 120_000);

  test('the order that is found keeps dependencies and is nowhere above that of the source', () => {
    const tensors = fc.array(fc.tuple(fc.nat(100), fc.nat(5), fc.nat(5)), { minLength: 1, maxLength: 14 });
    let better = 0;
    fc.assert(
      fc.property(tensors, list => {
        // Unit i writes block i and reads two earlier ones.
        const problem: Orderable = {
          units: list.map(([, a, b], i) => {
            const reads = [i - 1 - a, i - 1 - b].filter(r => r >= 0);
            return { after: new Set(reads), touches: [...new Set([i, ...reads])] };
          }),
          blocks: list.map(([bytes], i) => ({ bytes, given: false, kept: i === list.length - 1 })),
        };
        const order = findOrder(problem);
        expect([...order].sort((a, b) => a - b)).toEqual([...list.keys()]);
        order.forEach((u, i) => {
          for (const w of problem.units[u]!.after) expect(order.indexOf(w)).toBeLessThan(i);
        });
        const [found, source] = [order, [...list.keys()]].map(o => peakOf(problem, o).bytes) as [
          number,
          number,
        ];
        expect(found).toBeLessThanOrEqual(source);
        if (found === source) expect(order).toEqual([...list.keys()]);
        else better++;
      }),
      { numRuns: 300 },
    );
    expect(better).toBeGreaterThan(20);
  });

  test('an order as good as that of the source is left alone', () => {
    const program = exampleOf('lenet').get('LeNet')!;
    expect(orderWorks(program, { N: 64 })).toBe(program);
  });

  test('the works of a loop stay together', () => {
    const program = exampleOf('charnn', { Width: 8, Symbols: 8 }).get('text.step')!;
    const ordered = orderWorks(program, { N: 64, T: 16 });
    expect(verifyProgram(ordered)).toEqual([]);
    expect(liveBytes(ordered, { N: 64, T: 16 })).toBeLessThanOrEqual(liveBytes(program, { N: 64, T: 16 }));
    const blocks = ordered.works
      .map(w => w.loop?.name)
      .filter((l, i, all) => l !== undefined && l !== all[i - 1]);
    expect(new Set(blocks).size).toBe(blocks.length);
  });
});

describe('overwrite', () => {
  test('a work writes over what dies there, and over nothing that is read elsewhere or later', () => {
    const text = `net A(x: f32[N, 8]) -> (y: f32[N, 8], z: f32[N, 8]) {
      a = x -> dense(8)
      s = softmax(a, axis = 1)
      return s, s -> dense(8) -> relu
    }`;
    const program = overwrite(programsOf(text).get('A')!);
    const written = new Map<number, number>();
    program.works.forEach((w, i) => {
      for (const t of w.outputs) if (t.view) written.set(storageOf(t).id, i);
    });
    for (const [id, at] of written)
      for (const [i, w] of program.works.entries())
        if (i > at)
          for (const t of w.inputs)
            if (storageOf(t).id === id) expect(program.works[at]!.outputs.map(o => o.id)).toContain(t.id);
    expect(verifyProgram(program)).toEqual([]);
  });
});
