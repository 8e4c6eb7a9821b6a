import * as D from '../ir/dim.ts';
import * as E from '../ir/expr.ts';
import * as M from '../ir/monoid.ts';
import { flatIndex, forEachIndex, size } from '../ir/ndarray.ts';
import type { Primitive } from '../ir/primitive.ts';
import { ShapeError } from '../ir/primitive.ts';
import { printType } from '../ir/type.ts';
import { axisOf, filled, requireCount, requireDType } from './attributes.ts';
import * as B from './build.ts';
import { axesIn, reducedShape, reductionAxes } from './reduction.ts';
import { filledWith, floats, kinks, shapes } from './samples.ts';

/** `argmax` and `argmin`. */
export function argExtreme(direction: 'max' | 'min'): Primitive {
  const name = `arg${direction}`;
  const word = direction === 'max' ? 'largest' : 'smallest';
  return {
    name,
    kind: 'reduction',
    inputs: ['x'],
    attrs: {
      axis: { type: 'int', doc: 'the axis to search, counted from either end' },
      keep: { type: 'bool', default: false, doc: 'whether it stays, with size 1' },
    },
    doc: `The index of the ${word} element along an axis, the first one of equals; an i32.`,
    example: `y = ${name}(x, axis = 1)`,
    prepare: ([x], attrs) => ({
      axis: axisOf(attrs.axis, x!.shape.length, `${name}: axis`),
      keep: attrs.keep === true,
    }),
    infer: (types, attrs) => {
      requireCount(name, ['x'], types);
      const x = types[0]!;
      const axis = attrs.axis as number;
      requireDType(name, 'x', 0, x, 'number');
      if (D.isConstant(x.shape[axis]!, 0))
        throw new ShapeError(`${name}: axis ${axis} of x, which is ${printType(x)}, has no elements`, {
          input: 0,
        });
      return [{ dtype: 'i32', shape: reducedShape(x.shape, [axis], attrs.keep === true) }];
    },
    reference: ([x], attrs, [out]) => {
      const axis = attrs.axis as number;
      const shape = x!.shape.map((n, i) => (i === axis ? 1 : n));
      const best = new Float64Array(size(shape));
      const winner = new Float64Array(size(shape)).fill(-1);
      forEachIndex(x!.shape, (at, flat) => {
        const to = flatIndex(
          at.map((i, k) => (k === axis ? 0 : i)),
          shape,
        );
        const value = x!.data[flat]!;
        const better = direction === 'max' ? value > best[to]! : value < best[to]!;
        if (winner[to]! >= 0 && !better) return;
        best[to] = value;
        winner[to] = at[axis]!;
      });
      return [filled(out!, winner)];
    },
    lower: ([x], attrs, [out]) => {
      const { outer, inner, at } = reductionAxes(x!, [attrs.axis as number], attrs.keep === true);
      const monoid = M.argExtreme(direction, x!.dtype);
      return {
        inputs: [x!],
        axes: outer,
        reduce: { axes: inner, lift: [E.load(0, x!, at), E.indexValue(inner[0]!)], monoid },
        outs: [{ type: out!, value: E.reduced(1, monoid) }],
      };
    },
    samples: fc =>
      shapes(fc, { minRank: 1, empty: false }).chain(shape =>
        fc.record({
          inputs: fc.tuple(fc.oneof(filledWith(fc, shape, kinks(fc)), filledWith(fc, shape, floats(fc)))),
          attrs: fc.record({
            axis: fc.integer({ min: -shape.length, max: shape.length - 1 }),
            keep: fc.boolean(),
          }),
        }),
      ),
  };
}

/**
 * The gradient of `reduce_max` and `reduce_min`: all of it to the first winner in row-major order of the folded
 * axes. These go last and become one, so that one index names the winner.
 */
export function winnerTakesAll(direction: 'max' | 'min'): NonNullable<Primitive['vjp']> {
  return (b, [ct], [x], _, attrs) => {
    const folded = axesIn(attrs);
    const { shape } = x!.type;
    const kept = [...shape.keys()].filter(i => !folded.includes(i));
    const perm = [...kept, ...folded];
    const moved = B.transpose(b, x!, perm);
    const outer = kept.map(i => shape[i]!);
    const flat = [...outer, D.product(folded.map(i => shape[i]!))];
    // A fold of nothing has no winner.
    if (D.isConstant(flat.at(-1)!, 0)) return [undefined];
    const search = direction === 'max' ? B.argmax : B.argmin;
    const winner = search(b, B.reshape(b, moved, flat), kept.length, true);
    const wins = B.eq(b, winner, B.iota(b, flat, kept.length));
    const gradient = B.where(b, wins, B.reshape(b, ct!, [...outer, 1]), 0);
    const back = B.reshape(b, gradient, moved.type.shape);
    return [
      B.transpose(
        b,
        back,
        perm.map((_, i) => perm.indexOf(i)),
      ),
    ];
  };
}
