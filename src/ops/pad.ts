import * as A from '../ir/affine.ts';
import type { Dim } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import * as E from '../ir/expr.ts';
import { flatIndex, forEachIndex, size } from '../ir/ndarray.ts';
import { inRange } from '../ir/predicate.ts';
import type { Attrs, Primitive } from '../ir/primitive.ts';
import { ShapeError } from '../ir/primitive.ts';
import { normalise } from '../ir/scalar.ts';
import { printType, sameShape } from '../ir/type.ts';
import { dimPerAxis, filled, intPerAxis, requireCount } from './attributes.ts';
import * as B from './build.ts';
import { filledWith, floats, shapes } from './samples.ts';

export const pad: Primitive = {
  name: 'pad',
  kind: 'view',
  inputs: ['x'],
  attrs: {
    low: { type: 'dims', doc: 'elements added before each axis; negative: removed' },
    high: { type: 'dims', doc: 'elements added after each axis; negative: removed' },
    interior: { type: 'ints', default: 0, doc: 'elements added between each two neighbours of an axis' },
    value: { type: 'float', default: 0, doc: 'what is added' },
  },
  doc:
    'Surrounds and interleaves x with a constant (the `Pad` of XLA). An axis of n elements becomes one of ' +
    'low + n + (n - 1) * interior + high, for n = 0 too.',
  example: 'y = pad(x, low = [0, 1], high = [0, 1])',
  prepare: ([x], attrs) => {
    const rank = x!.shape.length;
    return {
      low: dimPerAxis(attrs.low, rank, 'pad: low'),
      high: dimPerAxis(attrs.high, rank, 'pad: high'),
      interior: intPerAxis(attrs.interior, rank, 'pad: interior'),
      value: attrs.value ?? 0,
    };
  },
  infer: (types, attrs) => {
    requireCount('pad', ['x'], types);
    const x = types[0]!;
    const { low, high, interior } = parts(attrs);
    const shape = x.shape.map((extent, i) => {
      if (interior[i]! < 0)
        throw new ShapeError(`pad: interior on axis ${i} is ${interior[i]}, it must not be negative`, {
          input: 0,
        });
      const total = D.add(D.add(low[i]!, high[i]!), stretched(extent, interior[i]!));
      if ((D.constantValue(total) ?? 0) < 0)
        throw new ShapeError(
          `pad: axis ${i} of x, which is ${printType(x)}, would have ${D.print(total)} elements`,
          {
            input: 0,
            hint: 'low and high remove more than there is',
          },
        );
      return total;
    });
    return [{ dtype: x.dtype, shape }];
  },
  reference: ([x], attrs, [out], precision) => {
    const { low, interior, value } = parts(attrs);
    const first = low.map(d => D.evaluate(d));
    const fill = normalise(value, out!.dtype, precision);
    const result = filled(out!, new Float64Array(size(out!.shape.map(d => D.evaluate(d)))).fill(fill));
    forEachIndex(x!.shape, (at, flat) => {
      const to = at.map((i, axis) => first[axis]! + i * (interior[axis]! + 1));
      if (to.every((i, axis) => i >= 0 && i < result.shape[axis]!))
        result.data[flatIndex(to, result.shape)] = x!.data[flat]!;
    });
    return [result];
  },
  lower: ([x], attrs, [out]) => {
    const { low, interior, value } = parts(attrs);
    const axes = out!.shape.map((extent, i) => E.axis(`i${i}`, extent));
    const places = axes.map((axis, i) => A.sub(axis, low[i]!));
    const at = places.map((place, i) => A.floordiv(place, interior[i]! + 1));
    const guard = at.flatMap((index, i) => [
      ...inRange(index, x!.shape[i]!),
      // Between two elements of x there is only filling.
      { op: 'eq' as const, a: A.mod(places[i]!, interior[i]! + 1), b: A.index(0) },
    ]);
    return { inputs: [x!], axes, outs: [{ type: out!, value: E.load(0, x!, at, guard, value) }] };
  },
  // Undo low and high, then take every (interior + 1)-th; what was cropped gets 0 as it was never read.
  // One gap more at the end makes that n (interior + 1) elements, which is never negative.
  vjp: (b, [ct], [x], _, attrs) => {
    const { low, high, interior } = parts(attrs);
    const inner = B.pad(
      b,
      ct!,
      low.map(d => D.scale(d, -1)),
      high.map((d, i) => D.sub(D.constant(interior[i]!), d)),
    );
    if (interior.every(n => n === 0)) return [inner];
    const steps = interior.map(n => n + 1);
    const starts = steps.map(() => 0);
    const ends = x!.type.shape.map((n, i) => D.scale(n, steps[i]!));
    return [B.slice(b, inner, starts, ends, steps)];
  },
  simplify: (b, [x], attrs, [y]) => {
    const { low, high, interior } = parts(attrs);
    if (interior.some(n => n !== 0)) return undefined;
    // pad(x, nothing) = x
    if ([...low, ...high].every(d => D.isConstant(d, 0))) return [x!];
    // pad(x, -low, -high) = slice(x, low, n - high), where nothing is added and the bounds can be proved
    const crop = [...low, ...high].every(d => D.lowerBound(D.scale(d, -1)) >= 0);
    const whole = y!.type.shape.every(d => D.lowerBound(d) >= 0);
    if (!crop || !whole || sameShape(x!.type.shape, y!.type.shape)) return undefined;
    const starts = low.map(d => D.scale(d, -1));
    const ends = high.map((d, i) => D.add(x!.type.shape[i]!, d));
    return [B.slice(b, x!, starts, ends)];
  },
  samples: fc =>
    shapes(fc).chain(shape =>
      fc
        .tuple(
          filledWith(fc, shape, floats(fc)),
          fc.constantFrom(0, -1, 2.5),
          ...shape.map(n =>
            fc
              .tuple(
                fc.integer({ min: -2, max: 3 }),
                fc.integer({ min: -2, max: 3 }),
                fc.integer({ min: 0, max: n ? 2 : 0 }),
              )
              .map(([low, high, interior]) => {
                const extent = low + high + n + (n - 1) * interior;
                return { low, high: high - Math.min(extent, 0), interior };
              }),
          ),
        )
        .map(([x, value, ...sides]) => ({
          inputs: [x],
          attrs: {
            low: sides.map(s => s.low),
            high: sides.map(s => s.high),
            interior: sides.map(s => s.interior),
            value,
          },
        })),
    ),
};

/** n elements with gaps between them. */
function stretched(n: Dim, interior: number): Dim {
  return interior === 0 ? n : D.add(n, D.scale(D.sub(n, D.constant(1)), interior));
}

function parts(attrs: Attrs) {
  return {
    low: attrs.low as readonly Dim[],
    high: attrs.high as readonly Dim[],
    interior: attrs.interior as readonly number[],
    value: attrs.value as number,
  };
}
