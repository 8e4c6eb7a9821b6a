import * as A from '../../ir/affine.ts';
import type { Axis, Compute, Expr, Index } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import * as E from '../../ir/expr.ts';
import { taps } from './transforms.ts';

/**
 * A reduction that is a 3 x 3 filter of stride 1 in two dims: the sum over channels and taps of
 * image(.., y + i, x + j) * filter(.., i, j).
 */
export interface Filtering {
  /** The image at given rows and columns, of which the first is 0 where y and i are. */
  image(row: Index, column: Index): Expr;
  filter(row: number, column: number): Expr;
  /** Axes of the outputs that slide. */
  readonly rows: Axis;
  readonly columns: Axis;
  /** Axes of the outputs that only the image knows, only the filter, and both. */
  readonly imageAxes: readonly Axis[];
  readonly filterAxes: readonly Axis[];
  readonly sharedAxes: readonly Axis[];
  /** The rest of the reduction: channels. */
  readonly channels: readonly Axis[];
}

/** A pair of axes, one that slides and one that is summed over; `flipped`: the filter runs against the image. */
interface Slide {
  readonly outer: Axis;
  readonly tap: Axis;
  readonly flipped: boolean;
}

export function recognise(compute: Compute): Filtering | undefined {
  const { reduce, axes } = compute;
  if (!reduce || reduce.guard || reduce.monoid.name !== 'sum' || reduce.lift.length !== 1) return undefined;
  const [product] = reduce.lift;
  if (product!.kind !== 'binary' || product!.op !== 'mul' || product!.dtype !== 'f32') return undefined;
  for (const [image, filter] of [
    [product.a, product.b],
    [product.b, product.a],
  ] as const) {
    const slides = slidesOf(compute, image, filter);
    if (!slides) continue;
    const [vertical, horizontal] = slides;
    const inImage = axesOf(image);
    const inFilter = axesOf(filter);
    const rest = axes.filter(a => a !== vertical.outer && a !== horizontal.outer);
    const channels = reduce.axes.filter(a => a !== vertical.tap && a !== horizontal.tap);
    if (!channels.every(a => inImage.has(a) && inFilter.has(a))) continue;
    // An axis of one point may be known to neither.
    const isUnit = (a: Axis): boolean => !inImage.has(a) && !inFilter.has(a) && D.isConstant(a.extent, 1);
    if (!rest.every(a => inImage.has(a) || inFilter.has(a) || isUnit(a))) continue;
    return {
      image: (row, column) => at(at(image, vertical, row), horizontal, column),
      filter: (row, column) => {
        const tap = ({ flipped }: Slide, i: number): Index => A.index(flipped ? taps - 1 - i : i);
        const position = new Map([
          [vertical.tap, tap(vertical, row)],
          [horizontal.tap, tap(horizontal, column)],
        ]);
        return E.mapExpr(filter, { axis: a => position.get(a) });
      },
      rows: vertical.outer,
      columns: horizontal.outer,
      imageAxes: rest.filter(a => isUnit(a) || (inImage.has(a) && !inFilter.has(a))),
      filterAxes: rest.filter(a => !inImage.has(a) && inFilter.has(a)),
      sharedAxes: rest.filter(a => inImage.has(a) && inFilter.has(a)),
      channels,
    };
  }
  return undefined;
}

/** The image where y + i (or y - i, from its far end) is `position`. */
function at(image: Expr, { outer, tap, flipped }: Slide, position: Index): Expr {
  const fixed = new Map<Axis, Index>([
    [outer, position],
    [tap, A.index(flipped ? taps - 1 : 0)],
  ]);
  return E.mapExpr(image, { axis: a => fixed.get(a) });
}

/** Two taps and the axes that they slide along, in the order of the outputs' axes. */
function slidesOf({ axes, reduce }: Compute, image: Expr, filter: Expr): readonly [Slide, Slide] | undefined {
  const inFilter = axesOf(filter);
  const found: Slide[] = [];
  for (const outer of axes) {
    const extent = D.constantValue(outer.extent);
    if (extent === undefined || inFilter.has(outer)) continue;
    for (const tap of reduce!.axes) {
      if (!D.isConstant(tap.extent, taps) || found.some(s => s.tap === tap)) continue;
      const slide = ([false, true] as const)
        .map(flipped => ({ outer, tap, flipped }))
        .find(s => dependsOnSum(image, s));
      if (slide) {
        found.push(slide);
        break;
      }
    }
  }
  return found.length === 2 ? [found[0]!, found[1]!] : undefined;
}

/** Whether outer and tap only come as their sum (or their difference, where it is flipped). */
function dependsOnSum(image: Expr, { outer, tap, flipped }: Slide): boolean {
  const all = axesOf(image);
  if (!all.has(outer) || !all.has(tap)) return false;
  const moved = E.mapExpr(image, {
    axis: a => (a === outer ? (flipped ? A.add(outer, tap) : A.sub(outer, tap)) : undefined),
  });
  return !axesOf(moved).has(tap);
}

function axesOf(e: Expr): Set<Axis> {
  const axes = new Set<Axis>();
  E.visitExpr(e, { axis: a => void axes.add(a) });
  return axes;
}
