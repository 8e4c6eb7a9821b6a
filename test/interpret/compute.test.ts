import { describe, expect, test } from 'vitest';
import * as A from '../../src/ir/affine.ts';
import type { Compute, Expr } from '../../src/ir/compute.ts';
import * as D from '../../src/ir/dim.ts';
import * as E from '../../src/ir/expr.ts';
import { adjointCompute } from '../../src/ir/interpret/adjoint.ts';
import { interpretCompute } from '../../src/ir/interpret/compute.ts';
import * as M from '../../src/ir/monoid.ts';
import { ndarray } from '../../src/ir/ndarray.ts';
import { inRange } from '../../src/ir/predicate.ts';
import { tensor } from '../../src/ir/type.ts';

const vector = (...values: number[]) => ndarray('f32', [values.length], values);
const n = D.symbol('N');
const type = tensor('f32', [n]);
const scalar = tensor('f32', []);

describe('interpretCompute', () => {
  test('an unguarded load out of range is an error', () => {
    const i = E.axis('i', n);
    const shifted: Compute = {
      inputs: [type],
      axes: [i],
      outs: [{ type, value: E.load(0, type, [A.add(i, 1)]) }],
    };
    expect(() => interpretCompute(shifted, [vector(1, 2)], { N: 2 })).toThrow(
      /shape \[2\]: index 2 on axis 0/,
    );
    const guarded: Compute = {
      ...shifted,
      outs: [{ type, value: E.load(0, type, [A.add(i, 1)], inRange(A.add(i, 1), n), 7) }],
    };
    expect([...interpretCompute(guarded, [vector(1, 2)], { N: 2 })[0]!.data]).toEqual([2, 7]);
  });

  test('several outputs: stored elsewhere, and once beside a larger one', () => {
    const i = E.axis('i', n);
    const j = E.axis('j', D.constant(2));
    const matrix = tensor('f32', [2, n]);
    const compute: Compute = {
      inputs: [type],
      axes: [i, j],
      outs: [
        {
          type: matrix,
          value: E.mul(E.load(0, type, [i]), E.cast('f32', E.indexValue(j))),
          at: [j, i].map(A.index),
        },
        { type, value: E.load(0, type, [i]), keep: [i] },
      ],
    };
    const [large, small] = interpretCompute(compute, [vector(3, 4)], { N: 2 });
    expect([...large!.data]).toEqual([0, 0, 3, 4]);
    expect([...small!.data]).toEqual([3, 4]);
    const gradient = adjointCompute(
      compute,
      [vector(3, 4)],
      [{ ...large!, data: Float64Array.of(1, 1, 1, 1) }, vector(10, 20)],
      { N: 2 },
    );
    expect([...gradient[0]!.data]).toEqual([11, 21]);
  });

  test('indices that are themselves loaded', () => {
    const i = E.axis('i', D.constant(3));
    const rows = tensor('i32', [3]);
    const out = tensor('f32', [3]);
    const compute: Compute = {
      inputs: [type, rows],
      axes: [i],
      outs: [{ type: out, value: E.load(0, type, [A.value(E.load(1, rows, [i]))]) }],
    };
    const inputs = [vector(5, 6), ndarray('i32', [3], [1, 0, 1])];
    expect([...interpretCompute(compute, inputs, { N: 2 })[0]!.data]).toEqual([6, 5, 6]);
    const [ofTable, ofRows] = adjointCompute(compute, inputs, [vector(1, 2, 4)], { N: 2 });
    expect([...ofTable!.data]).toEqual([2, 5]);
    expect(ofRows).toBeUndefined();
  });

  test('f32 rounds after every operation', () => {
    const i = E.axis('i', n);
    const monoid = M.sum('f32');
    const compute: Compute = {
      inputs: [type],
      axes: [],
      reduce: { axes: [i], lift: [E.load(0, type, [i])], monoid },
      outs: [{ type: scalar, value: E.reduced(0, monoid) }],
    };
    const inputs = [vector(2 ** 24, 1, 1)];
    expect(interpretCompute(compute, inputs, { N: 3 }, 'f32')[0]!.data[0]).toBe(2 ** 24);
    expect(interpretCompute(compute, inputs, { N: 3 }, 'f64')[0]!.data[0]).toBe(2 ** 24 + 2);
  });

  test('an axis outside its loops is an error', () => {
    const i = E.axis('i', n);
    const compute: Compute = {
      inputs: [type],
      axes: [],
      outs: [{ type: scalar, value: E.load(0, type, [i]) }],
    };
    expect(() => interpretCompute(compute, [vector(1)], { N: 1 })).toThrow(
      'axis i is used outside the loops',
    );
  });
});

describe('adjointCompute', () => {
  const i = E.axis('i', n);

  /** Running mean and sum of squared deviations (Welford, Chan et al. 1979): a monoid that no rule knows by name. */
  const welford = {
    name: 'welford',
    types: ['f32', 'f32', 'f32'] as const,
    zero: [0, 0, 0].map(v => E.constant(v)),
    merge: ([na, ma, sa]: readonly Expr[], [nb, mb, sb]: readonly Expr[]) => {
      const total = E.add(na!, nb!);
      const delta = E.sub(mb!, ma!);
      const share = E.binary('div', nb!, total);
      return [
        total,
        E.add(ma!, E.mul(delta, share)),
        E.add(E.add(sa!, sb!), E.mul(E.mul(delta, delta), E.mul(na!, share))),
      ];
    },
  };

  test('goes through any monoid, and through what is made of its result', () => {
    const x = E.load(0, type, [i]);
    const compute: Compute = {
      inputs: [type],
      axes: [],
      reduce: { axes: [i], lift: [E.constant(1), x, E.constant(0)], monoid: welford },
      outs: [{ type: scalar, value: E.binary('div', E.reduced(2, welford), E.reduced(0, welford)) }],
    };
    const values = [1, 4, 2, 7];
    const inputs = [vector(...values)];
    const mean = 3.5;
    const [variance] = interpretCompute(compute, inputs, { N: 4 });
    expect(variance!.data[0]).toBeCloseTo(5.25, 12);
    const [gradient] = adjointCompute(compute, inputs, [ndarray('f32', [], [1])], { N: 4 });
    values.forEach((v, k) => {
      expect(gradient!.data[k]).toBeCloseTo((2 * (v - mean)) / 4, 12);
    });
  });

  test('skips points that the guard excludes', () => {
    const monoid = M.product('f32');
    const compute: Compute = {
      inputs: [type],
      axes: [],
      reduce: {
        axes: [i],
        guard: [{ op: 'lt', a: A.index(0), b: A.index(i) }],
        lift: [E.load(0, type, [i])],
        monoid,
      },
      outs: [{ type: scalar, value: E.reduced(0, monoid) }],
    };
    const [gradient] = adjointCompute(compute, [vector(9, 0, 3)], [ndarray('f32', [], [1])], { N: 3 });
    expect([...gradient!.data]).toEqual([0, 3, 0]);
  });

  test('the winner of an arg-extreme has the gradient, the first of equals', () => {
    const monoid = M.argExtreme('max', 'f32');
    const compute: Compute = {
      inputs: [type],
      axes: [],
      reduce: { axes: [i], lift: [E.load(0, type, [i]), E.indexValue(i)], monoid },
      outs: [{ type: scalar, value: E.reduced(0, monoid) }],
    };
    const [gradient] = adjointCompute(compute, [vector(1, 3, 3)], [ndarray('f32', [], [2])], { N: 3 });
    expect([...gradient!.data]).toEqual([0, 2, 0]);
  });
});
