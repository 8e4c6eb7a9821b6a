import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { check } from '../../src/compile.ts';
import type { Graph } from '../../src/ir/graph.ts';
import { interpretGraph } from '../../src/ir/interpret/graph.ts';
import { interpretProgram } from '../../src/ir/interpret/program.ts';
import { ndarray, size } from '../../src/ir/ndarray.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import { softwareTarget } from '../../src/ir/target.ts';
import { fuse } from '../../src/passes/fuse/index.ts';
import { runGraphPasses } from '../../src/passes/pass.ts';
import { graphPasses } from '../../src/passes/pipeline.ts';
import { schedule } from '../../src/passes/schedule/index.ts';
import { difference, generator } from '../arbitrary/numbers.ts';

function net(text: string): Graph {
  const { module, diagnostics } = check({ name: 't.dnn', text });
  expect(diagnostics.filter(d => d.severity === 'error')).toEqual([]);
  return runGraphPasses(graphPasses, module!.nets[0]!.predict, { diagnostics: [] });
}

const errors = (text: string): string[] =>
  check({ name: 't.dnn', text }).diagnostics.map(d => `${d.code} ${d.message}`);

function random(shape: number[], next: () => number, low = -1): NdArray {
  return ndarray(
    'f32',
    shape,
    Array.from({ length: size(shape) }, () => low + next() * 2),
  );
}

const conv = `op conv1d(x: f32[N, C, L], w: f32[O, C, K]) -> y: f32[N, O, L - K + 1] {
  y[n, o, l] = sum(c, k) x[n, c, l + k] * w[o, c, k]
}
`;

describe('op in index notation', () => {
  test('convolution, its gradients and the gradient of a gradient agree with the built-in ones', () => {
    const body = (f: string): string => `net T(x: f32[N, 3, 9], w: f32[4, 3, 2]) ->
      (y: f32[N, 4, 8], gx: f32[N, 3, 9], gw: f32[4, 3, 2], gg: f32[4, 3, 2]) {
      y = ${f}
      gx = grad(sum(y ^ 3), x)
      return y, gx, grad(sum(y ^ 3), w), grad(sum(gx ^ 2), w)
    }`;
    const own = net(conv + body('conv1d(x, w)'));
    const known = net(body('primitive.convolution(x, w)'));
    const next = generator(5);
    const inputs = { x: random([2, 3, 9], next), w: random([4, 3, 2], next) };
    const expected = interpretGraph(known, inputs).outputs;
    const program = fuse(own, softwareTarget);
    const kernels = schedule(program, softwareTarget);
    const results = [
      interpretGraph(own, inputs).outputs,
      interpretProgram(program, inputs, { dims: { N: 2 } }).outputs,
      interpretProgram(program, inputs, { dims: { N: 2 }, kernels }).outputs,
    ];
    for (const result of results)
      for (const [name, e] of expected) expect(difference(result.get(name)!, e, 1e-9)).toBeUndefined();
  });

  /** Gradients of programs whose indices overlap, repeat, stride, run backwards or divide: against finite differences. */
  const cases: [string, string, number[][]][] = [
    [
      'stride',
      'op f(x: f32[L], w: f32[3]) -> y: f32[(L - 3) ~/ 2 + 1] { y[i] = sum(k) x[2 * i + k] * w[k] }',
      [[9], [3]],
    ],
    [
      'diagonal',
      'op f(x: f32[M, M], w: f32[M]) -> y: f32[M] { y[i] = sum(j) x[i, i] * w[j] * x[j, i] }',
      [[4, 4], [4]],
    ],
    [
      'backwards',
      'op f(x: f32[M], w: f32[M]) -> y: f32[M] { y[i] = sum(j) x[M - 1 - i] * w[j] + x[i] * w[i] }',
      [[5], [5]],
    ],
    [
      'division',
      'op f(x: f32[M], w: f32[M]) -> y: f32[2 * M] { y[i] = sum(j) x[i ~/ 2] * w[j] }',
      [[3], [3]],
    ],
    ['max', 'op f(x: f32[A, M], w: f32[M]) -> y: f32[A] { y[i] = max(j) x[i, j] * w[j] }', [[3, 4], [4]]],
    ['min', 'op f(x: f32[A, M], w: f32[M]) -> y: f32[A] { y[i] = min(j) x[i, j] + w[j] ^ 2 }', [[3, 4], [4]]],
    [
      'prod',
      'op f(x: f32[A, M], w: f32[M]) -> y: f32[A] { y[i] = prod(j) x[i, j] * exp(w[j]) }',
      [[3, 4], [4]],
    ],
    [
      'functions',
      'op f(x: f32[M], w: f32[M]) -> y: f32[M] { y[i] = sum(j) tanh(x[i] * w[j]) / (2 + sin(x[j])) }',
      [[4], [4]],
    ],
  ];
  test.each(cases)('gradients: %s', (_, op, [x, w]) => {
    const scale = net(
      `${op}\nnet T(x: f32[${x}], w: f32[${w}]) -> (s: f32, gx: f32[${x}], gw: f32[${w}]) {
        s = sum(sin(f(x, w)))
        return s, grad(s, x), grad(s, w)
      }`,
    );
    const twice = net(
      `${op}\nnet T(x: f32[${x}], w: f32[${w}]) -> (s: f32, gx: f32[${x}], gw: f32[${w}]) {
        s = sum(grad(sum(sin(f(x, w))), x) ^ 2)
        return s, grad(s, x), grad(s, w)
      }`,
    );
    fc.assert(
      fc.property(fc.nat(), seed => {
        const next = generator(seed);
        const at = { x: random(x!, next, -0.7), w: random(w!, next, -0.7) };
        for (const graph of [scale, twice]) {
          const { outputs } = interpretGraph(graph, at);
          const along = { x: random(x!, next), w: random(w!, next) };
          const moved = (t: number) =>
            interpretGraph(graph, {
              x: { ...at.x, data: at.x.data.map((v, i) => v + t * along.x.data[i]!) },
              w: { ...at.w, data: at.w.data.map((v, i) => v + t * along.w.data[i]!) },
            }).outputs.get('s')!.data[0]!;
          const dot = (g: NdArray, d: NdArray) => g.data.reduce((sum, v, i) => sum + v * d.data[i]!, 0);
          const slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
          const exact = dot(outputs.get('gx')!, along.x) + dot(outputs.get('gw')!, along.w);
          expect(Math.abs(slope - exact)).toBeLessThan(1e-5 * (1 + Math.abs(exact)));
        }
      }),
      { numRuns: 8 },
    );
  });

  test('a product with a zero has the exact gradient', () => {
    const graph = net(
      `op f(x: f32[M]) -> y: f32[1] { y[i] = prod(j) x[j] }
       net T(x: f32[3]) -> f32[3] { return grad(sum(f(x)), x) }`,
    );
    const at = (x: number[]): number[] => [
      ...interpretGraph(graph, { x: ndarray('f32', [3], x) }).outputs.get('out')!.data,
    ];
    expect(at([0, 2, 3])).toEqual([6, 0, 0]);
    expect(at([0, 2, 0])).toEqual([0, 0, 0]);
  });

  test('an index that leaves its axis is rejected with numbers', () => {
    const text =
      conv.replace('L - K + 1', 'L') +
      'net T(x: f32[N, 1, L], w: f32[1, 1, 2]) -> f32[N, 1, L] { return conv1d(x, w) }';
    expect(errors(text)[0]).toMatch(/^E0221 cannot prove that the index l \+ k stays below L/);
  });

  test('what has no range, or no place in the notation', () => {
    const use = '\nnet T(x: f32[4]) -> f32[4] { return f(x) }';
    expect(errors(`op f(x: f32[M]) -> y: f32[M] { y[i] = sum(k) x[i] * 2 }${use}`)[0]).toMatch(/E0220 .*`k`/);
    expect(errors(`op f(x: f32[M]) -> y: f32[M] { y[i] = sum(k) x[j] * x[k] }${use}`)[0]).toMatch(
      /E0220 .*`j`/,
    );
    expect(errors(`op f(x: f32[M]) -> y: f32[M] { z[i] = sum(k) x[i] * x[k] }${use}`)[0]).toMatch(/E0207/);
    expect(errors(`op f(x: f32[M]) -> y: f32[M] { y[i] = sum(k) x[i] * "a" * x[k] }${use}`)[0]).toMatch(
      /E0222/,
    );
  });
});
