import * as A from '../ir/affine.ts';
import type { Dim } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import { examplesOf } from '../ir/dim-examples.ts';
import * as E from '../ir/expr.ts';
import { flatIndex, forEachIndex, size } from '../ir/ndarray.ts';
import type { Attrs, Primitive } from '../ir/primitive.ts';
import { ShapeError } from '../ir/primitive.ts';
import { printType, sameShape } from '../ir/type.ts';
import { dimPerAxis, filled, intPerAxis, requireCount } from './attributes.ts';
import * as B from './build.ts';
import { filledWith, floats, shapes } from './samples.ts';

export const slice: Primitive = {
  name: 'slice',
  kind: 'view',
  inputs: ['x'],
  attrs: {
    starts: { type: 'dims', doc: 'first index on each axis; a negative constant counts from the end' },
    ends: { type: 'dims', doc: 'index after the last on each axis; a negative constant counts from the end' },
    steps: { type: 'ints', default: 1, doc: 'distance between the indices on each axis, at least 1' },
  },
  doc: 'The elements at starts[i], starts[i] + steps[i], ... below ends[i] of each axis i.',
  example: 'y = slice(x, starts = [0, 1], ends = [N, 9], steps = [1, 2])',
  prepare: ([x], attrs) => {
    const rank = x!.shape.length;
    const resolve = (d: Dim, i: number) => ((D.constantValue(d) ?? 0) < 0 ? D.add(d, x!.shape[i]!) : d);
    return {
      starts: dimPerAxis(attrs.starts, rank, 'slice: starts').map(resolve),
      ends: dimPerAxis(attrs.ends, rank, 'slice: ends').map(resolve),
      steps: intPerAxis(attrs.steps, rank, 'slice: steps'),
    };
  },
  infer: (types, attrs) => {
    requireCount('slice', ['x'], types);
    const x = types[0]!;
    const { starts, ends, steps } = parts(attrs);
    const shape = x.shape.map((extent, i) => {
      const [start, end, step] = [starts[i]!, ends[i]!, steps[i]!];
      if (step < 1)
        throw new ShapeError(`slice: the step on axis ${i} is ${step}, it must be at least 1`, { input: 0 });
      const fits =
        D.lowerBound(start) >= 0 &&
        D.lowerBound(D.sub(end, start)) >= 0 &&
        D.lowerBound(D.sub(extent, end)) >= 0;
      if (!fits)
        throw new ShapeError(
          `slice: ${D.print(start)} : ${D.print(end)} is not known to lie within axis ${i} of x, which is ${printType(x)}`,
          {
            input: 0,
            hint: `0 <= ${D.print(start)} <= ${D.print(end)} <= ${D.print(extent)} must hold for every size; ${whereNot([D.constant(0), start, end, extent])}`,
          },
        );
      return D.floorDiv(D.add(D.sub(end, start), D.constant(step - 1)), D.constant(step));
    });
    return [{ dtype: x.dtype, shape }];
  },
  reference: ([x], attrs, [out]) => {
    const { starts, steps } = parts(attrs);
    const first = starts.map(d => D.evaluate(d));
    const result = filled(out!, new Float64Array(size(out!.shape.map(d => D.evaluate(d)))));
    forEachIndex(result.shape, (at, flat) => {
      const from = at.map((i, axis) => first[axis]! + i * steps[axis]!);
      result.data[flat] = x!.data[flatIndex(from, x!.shape)]!;
    });
    return [result];
  },
  lower: ([x], attrs, [out]) => {
    const { starts, steps } = parts(attrs);
    const axes = out!.shape.map((extent, i) => E.axis(`i${i}`, extent));
    const at = axes.map((axis, i) => A.add(A.mul(axis, steps[i]!), starts[i]!));
    return { inputs: [x!], axes, outs: [{ type: out!, value: E.load(0, x!, at) }] };
  },
  // Every cotangent goes back to its place; what was skipped gets 0. `pad` counts (n - 1) gaps for n elements,
  // also for n = 0, so the same formula holds for every n.
  vjp: (b, [ct], [x], [y], attrs) => {
    const { starts, steps } = parts(attrs);
    const high = x!.type.shape.map((extent, i) => {
      const reach = D.scale(D.sub(y!.type.shape[i]!, D.constant(1)), steps[i]!);
      return D.sub(D.sub(extent, starts[i]!), D.add(reach, D.constant(1)));
    });
    return [
      B.pad(
        b,
        ct!,
        starts,
        high,
        steps.map(s => s - 1),
      ),
    ];
  },
  // slice(x, all) = x
  simplify: (_, [x], attrs, [y]) =>
    parts(attrs).steps.every(s => s === 1) && sameShape(x!.type.shape, y!.type.shape) ? [x!] : undefined,
  samples: fc =>
    shapes(fc).chain(shape =>
      fc
        .tuple(
          filledWith(fc, shape, floats(fc)),
          ...shape.map(n =>
            fc.tuple(
              fc.integer({ min: 0, max: n }),
              fc.integer({ min: 0, max: n }),
              fc.integer({ min: 1, max: 3 }),
            ),
          ),
        )
        .map(([x, ...cuts]) => ({
          inputs: [x],
          attrs: {
            starts: cuts.map(([a, b]) => Math.min(a, b)),
            ends: cuts.map(([a, b]) => Math.max(a, b)),
            steps: cuts.map(([, , step]) => step),
          },
        })),
    ),
};

function parts(attrs: Attrs) {
  return {
    starts: attrs.starts as readonly Dim[],
    ends: attrs.ends as readonly Dim[],
    steps: attrs.steps as readonly number[],
  };
}

/** For which sizes these do not ascend. */
function whereNot(sizes: readonly Dim[]): string {
  for (const [i, b] of sizes.slice(1).entries()) {
    const { fails } = examplesOf(sizes[i]!, b, (x, y) => x <= y);
    if (fails !== undefined) return fails === '' ? 'it does not' : `it does not for ${fails}`;
  }
  return 'it does for all that were tried, but this could not be proved';
}
