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
    steps: {
      type: 'ints',
      default: 1,
      doc: 'distance between the indices on each axis, not 0; below 0 they begin at the last one and go back',
    },
  },
  doc:
    'The elements at starts[i], starts[i] + steps[i], ... below ends[i] of each axis i; where steps[i] < 0, those at ' +
    'ends[i] - 1, ends[i] - 1 + steps[i], ... down to starts[i].',
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
      if (step === 0) throw new ShapeError(`slice: the step on axis ${i} must not be 0`, { input: 0 });
      // All of an axis, whose extent is 0 or more wherever there is such a tensor, known or not.
      const isWhole = D.isConstant(start, 0) && D.equal(end, extent);
      const fits =
        isWhole ||
        (D.lowerBound(start) >= 0 &&
          D.lowerBound(D.sub(end, start)) >= 0 &&
          D.lowerBound(D.sub(extent, end)) >= 0);
      if (!fits)
        throw new ShapeError(
          `slice: ${D.print(start)} : ${D.print(end)} is not known to lie within axis ${i} of x, which is ${printType(x)}`,
          {
            input: 0,
            hint: `0 <= ${D.print(start)} <= ${D.print(end)} <= ${D.print(extent)} must hold for every size; ${whereNot([D.constant(0), start, end, extent])}`,
          },
        );
      const stride = Math.abs(step);
      return D.floorDiv(D.add(D.sub(end, start), D.constant(stride - 1)), D.constant(stride));
    });
    return [{ dtype: x.dtype, shape }];
  },
  reference: ([x], attrs, [out]) => {
    const { starts, ends, steps } = parts(attrs);
    const first = steps.map((s, i) => (s > 0 ? D.evaluate(starts[i]!) : D.evaluate(ends[i]!) - 1));
    const result = filled(out!, new Float64Array(size(out!.shape.map(d => D.evaluate(d)))));
    forEachIndex(result.shape, (at, flat) => {
      const from = at.map((i, axis) => first[axis]! + i * steps[axis]!);
      result.data[flat] = x!.data[flatIndex(from, x!.shape)]!;
    });
    return [result];
  },
  lower: ([x], attrs, [out]) => {
    const { steps } = parts(attrs);
    const first = firsts(attrs);
    const axes = out!.shape.map((extent, i) => E.axis(`i${i}`, extent));
    const at = axes.map((axis, i) => A.add(A.mul(axis, steps[i]!), first[i]!));
    return { inputs: [x!], axes, outs: [{ type: out!, value: E.load(0, x!, at) }] };
  },
  // Every cotangent goes back to its place; what was skipped gets 0. `pad` counts (n - 1) gaps for n elements,
  // also for n = 0, so the same formula holds for every n.
  vjp: (b, [ct], [x], [y], attrs) => {
    const { steps } = parts(attrs);
    const first = firsts(attrs);
    const reach = steps.map((s, i) => D.scale(D.sub(y!.type.shape[i]!, D.constant(1)), s));
    const lowest = steps.map((s, i) => (s > 0 ? first[i]! : D.add(first[i]!, reach[i]!)));
    const highest = steps.map((s, i) => (s > 0 ? D.add(first[i]!, reach[i]!) : first[i]!));
    const high = x!.type.shape.map((extent, i) => D.sub(D.sub(extent, highest[i]!), D.constant(1)));
    const none = steps.map(() => D.constant(0));
    const signs = steps.map(s => Math.sign(s));
    const ascending = B.slice(b, ct!, none, ct!.type.shape, signs);
    return [
      B.pad(
        b,
        ascending,
        lowest,
        high,
        steps.map(s => Math.abs(s) - 1),
      ),
    ];
  },
  simplify: (_, [x], attrs, [y]) => {
    if (!sameShape(x!.type.shape, y!.type.shape)) return undefined;
    // slice(x, all) = x
    if (parts(attrs).steps.every(s => s === 1)) return [x!];
    return undefined;
  },
  samples: fc =>
    shapes(fc).chain(shape =>
      fc
        .tuple(
          filledWith(fc, shape, floats(fc)),
          ...shape.map(n =>
            fc.tuple(
              fc.integer({ min: 0, max: n }),
              fc.integer({ min: 0, max: n }),
              fc.constantFrom(1, 2, 3, 1, -1, -2, -3),
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

/** The index that each axis begins with. */
function firsts(attrs: Attrs): Dim[] {
  const { starts, ends, steps } = parts(attrs);
  return steps.map((s, i) => (s > 0 ? starts[i]! : D.sub(ends[i]!, D.constant(1))));
}

/** For which sizes these do not ascend. */
function whereNot(sizes: readonly Dim[]): string {
  for (const [i, b] of sizes.slice(1).entries()) {
    const { fails } = examplesOf(sizes[i]!, b, (x, y) => x <= y);
    if (fails !== undefined) return fails === '' ? 'it does not' : `it does not for ${fails}`;
  }
  return 'it does for all that were tried, but this could not be proved';
}
