import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.ts';
import * as D from '../../src/ir/dim.ts';
import { inferDims, interpretGraph } from '../../src/ir/interpret/graph.ts';
import { ndarray } from '../../src/ir/ndarray.ts';
import { tensor } from '../../src/ir/type.ts';
import * as B from '../../src/ops/build.ts';

const n = D.symbol('N');
const matrix = (rows: number, columns: number) =>
  ndarray(
    'f32',
    [rows, columns],
    Array.from({ length: rows * columns }, (_, i) => i),
  );

function mean() {
  const b = new GraphBuilder('Mean');
  const x = b.input('input', 'x', tensor('f32', [n, 3]));
  const total = B.reduceSum(b, B.mul(b, x, 2));
  b.output({ name: 'mean', role: 'result', value: B.div(b, total, 6) });
  return { graph: b.build(), x };
}

describe('interpretGraph', () => {
  test('finds free dims, runs, and drops what is no longer needed', () => {
    const { graph, x } = mean();
    const { outputs, values } = interpretGraph(graph, { x: matrix(2, 3) });
    expect(outputs.get('mean')!.data[0]).toBe(5);
    expect([...values.values()]).toEqual([outputs.get('mean')]);
    expect(interpretGraph(graph, { x: matrix(2, 3) }, { keep: true }).values.get(x.id)!.data.length).toBe(6);
  });

  test('f32 rounds inputs and results', () => {
    const { graph } = mean();
    const x = ndarray('f32', [1, 3], [0.1, 0.2, 0.3]);
    const { outputs } = interpretGraph(graph, { x }, { precision: 'f32' });
    const y = outputs.get('mean')!.data[0]!;
    expect(y).toBe(Math.fround(y));
    expect(y).not.toBe(interpretGraph(graph, { x }).outputs.get('mean')!.data[0]);
  });

  test('names what is missing or misshapen', () => {
    const { graph } = mean();
    expect(() => interpretGraph(graph, {})).toThrow('missing input x: f32[N, 3]');
    expect(() => interpretGraph(graph, { x: matrix(2, 4) })).toThrow(
      'input x has shape [2, 4], expected [2, 3]',
    );
    expect(() => interpretGraph(graph, { x: ndarray('f32', [3], [1, 2, 3]) })).toThrow('expected f32[N, 3]');
    expect(() => interpretGraph(graph, { x: matrix(2, 3) }, { dims: { N: 3 } })).toThrow('expected [3, 3]');
  });

  test('free dims are solved through linear sizes', () => {
    const b = new GraphBuilder('Sizes');
    const h = D.symbol('H');
    b.input('input', 'x', tensor('f32', [D.add(D.mul(n, h), D.constant(1))]));
    b.input('input', 'y', tensor('f32', [D.sub(D.scale(n, 2), D.constant(1))]));
    const zeros = (size: number) => ndarray('f32', [size], new Array<number>(size).fill(0));
    expect(inferDims(b.build(), { x: zeros(13), y: zeros(5) })).toEqual({ N: 3, H: 4 });
  });
});
