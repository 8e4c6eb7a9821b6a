import type { IndexLike } from '../ir/affine.ts';
import * as A from '../ir/affine.ts';
import type { Axis, Index, Predicate } from '../ir/compute.ts';
import type { Dim } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import * as E from '../ir/expr.ts';
import { forEachIndex } from '../ir/ndarray.ts';
import { inRange, simplifyPredicate } from '../ir/predicate.ts';
import type { Attr, AttrSpec, Attrs } from '../ir/primitive.ts';
import { ShapeError } from '../ir/primitive.ts';
import type { TensorType } from '../ir/type.ts';
import { firstDifference, printShape, printType } from '../ir/type.ts';
import { dimOf, intOf, requireCount } from './attributes.ts';

/**
 * Geometry of sliding windows over [N, C, ...spatial], one entry per spatial dim: tap k of window q lies at
 * position q * stride + k * dilation - low; positions outside the input are padding.
 */
export interface Window {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** Padding before and after; negative crops. */
  readonly low: readonly number[];
  readonly high: readonly number[];
  /** Keeps a last window that overhangs the end, as long as it starts inside the input or its low padding. */
  readonly ceil: boolean;
}

export const geometryAttrs = {
  stride: { type: 'ints', default: 1, doc: 'step between windows' },
  dilation: { type: 'ints', default: 1, doc: 'step between the taps of a window' },
  pad_low: { type: 'ints', default: 0, doc: 'padding before the first position; negative crops' },
  pad_high: { type: 'ints', default: 0, doc: 'padding after the last position; negative crops' },
} as const satisfies Record<string, AttrSpec>;

export const poolAttrs = {
  ...geometryAttrs,
  kernel: { type: 'ints', doc: 'extent of the window' },
  stride: { type: 'ints', doc: 'step between windows; default: kernel' },
  ceil: { type: 'bool', default: false, doc: 'keep a last window that overhangs the end' },
} as const satisfies Record<string, AttrSpec>;

export const spatialAttr: AttrSpec = { type: 'dims', doc: 'spatial sizes of the result (the forward input)' };

/** Number of spatial dims of the first input, [N, C, ...spatial]. */
export function spatialRank(type: TensorType, name: string): number {
  const count = type.shape.length - 2;
  if (count >= 1) return count;
  throw new ShapeError(
    `${name} must be [N, C, ...spatial] with one spatial dim or more, but is ${printType(type)}`,
    {
      input: 0,
    },
  );
}

/** One integer per spatial dim; a single one stands for all. */
export function intList(
  name: string,
  attr: Attr | undefined,
  count: number,
  least: number,
): readonly number[] {
  const ints = perSpatialDim(name, attr, count).map(n => intOf(n, name));
  if (ints.some(n => n < least))
    throw new ShapeError(`${name} must be at least ${least}, but is [${ints.join(', ')}]`);
  return ints;
}

/** One size per spatial dim; a single one stands for all. */
export function dimList(name: string, attr: Attr | undefined, count: number): readonly Dim[] {
  return perSpatialDim(name, attr, count).map(d => dimOf(d, name));
}

function perSpatialDim(name: string, attr: Attr | undefined, count: number): readonly Attr[] {
  if (attr === undefined) throw new ShapeError(`${name} is missing`);
  const list: readonly Attr[] = Array.isArray(attr) ? attr : new Array<Attr>(count).fill(attr);
  if (list.length === count) return list;
  throw new ShapeError(`${name} has ${list.length} entries, but there are ${count} spatial dims`);
}

export function prepareGeometry(attrs: Attrs, count: number): Attrs {
  return {
    ...attrs,
    stride: intList('stride', attrs.stride, count, 1),
    dilation: intList('dilation', attrs.dilation, count, 1),
    pad_low: intList('pad_low', attrs.pad_low, count, Number.NEGATIVE_INFINITY),
    pad_high: intList('pad_high', attrs.pad_high, count, Number.NEGATIVE_INFINITY),
  };
}

/** Canonical attributes of pooling and its gradients: the stride defaults to the kernel. */
export function preparePool(
  op: string,
  names: readonly string[],
  types: readonly TensorType[],
  attrs: Attrs,
): Attrs {
  requireCount(op, names, types);
  const count = spatialRank(types[0]!, names[0]!);
  const kernel = intList('kernel', attrs.kernel, count, 1);
  return prepareGeometry({ ...attrs, kernel, stride: attrs.stride ?? kernel }, count);
}

/** Of prepared attributes; a convolution's kernel comes from its weight. */
export function windowOf(attrs: Attrs, kernel: Attr | undefined = attrs.kernel): Window {
  return {
    kernel: kernel as readonly number[],
    stride: attrs.stride as readonly number[],
    dilation: attrs.dilation as readonly number[],
    low: attrs.pad_low as readonly number[],
    high: attrs.pad_high as readonly number[],
    ceil: attrs.ceil === true,
  };
}

/** The attributes that ops with the same windows pass on to each other. */
export function poolGeometry(attrs: Attrs): Attrs {
  const { kernel, stride, dilation, pad_low, pad_high, ceil } = attrs;
  return {
    kernel: kernel!,
    stride: stride!,
    dilation: dilation!,
    pad_low: pad_low!,
    pad_high: pad_high!,
    ceil: ceil!,
  };
}

/** Positions that one window spans: dilation * (kernel - 1) + 1. */
export function span(w: Window, i: number): number {
  return w.dilation[i]! * (w.kernel[i]! - 1) + 1;
}

/**
 * Number of windows per spatial dim: floor((size + low + high - span) / stride) + 1. With `ceil` the quotient is
 * rounded up, at most to the last window that starts before size + low; the two numerators differ by a constant,
 * so their minimum is known for symbolic sizes too.
 */
export function windowCounts(w: Window, spatial: readonly Dim[], type: TensorType, input: number): Dim[] {
  return spatial.map((size, i) => {
    const stride = w.stride[i]!;
    const slack = w.ceil
      ? w.low[i]! - 1 + Math.min(0, w.high[i]! - span(w, i) + stride)
      : w.low[i]! + w.high[i]! - span(w, i);
    const last = D.add(size, D.constant(slack));
    if (D.isNegative(last))
      throw new ShapeError(
        `the window spans ${span(w, i)} positions of spatial dim ${i}, which has only ${D.print(size)} and padding ` +
          `${w.low[i]} + ${w.high[i]}: ${printType(type)}`,
        { input, hint: 'a smaller kernel or dilation, or more padding' },
      );
    return D.add(D.floorDiv(last, D.constant(stride)), D.constant(1));
  });
}

/** Checks that `type`'s spatial dims are as many as the windows over `spatial`, with `ceil` or without. */
export function checkPooled(w: Window, spatial: readonly Dim[], type: TensorType): void {
  const counts = windowCounts({ ...w, ceil: true }, spatial, type, 0);
  if (!counts.every((d, i) => D.equal(d, type.shape[i + 2]!))) checkWindows(w, spatial, type, 0, 'ct');
}

/** Checks that `type`'s spatial dims are as many as the windows over `spatial`. */
export function checkWindows(
  w: Window,
  spatial: readonly Dim[],
  type: TensorType,
  input: number,
  name: string,
): void {
  const counts = windowCounts(w, spatial, type, input);
  if (counts.every((d, i) => D.equal(d, type.shape[i + 2]!))) return;
  throw new ShapeError(
    `${name} has spatial sizes ${printShape(type.shape.slice(2))}, but there are ${printShape(counts)} windows over ` +
      `${printShape(spatial)}: ${printType(type)}`,
    { input, sizes: firstDifference(type.shape.slice(2), counts) },
  );
}

const letters = ['z', 'y', 'x'];

/** Axis names: x; y x; z y x; beyond that p0, p1 … */
export function spatialNames(count: number): string[] {
  return count <= 3 ? letters.slice(3 - count) : Array.from({ length: count }, (_, i) => `p${i}`);
}

export function spatialAxes(sizes: readonly Dim[], prefix = ''): Axis[] {
  return spatialNames(sizes.length).map((name, i) => E.axis(prefix + name, sizes[i]!));
}

export function kernelAxes(w: Window): Axis[] {
  return spatialAxes(w.kernel.map(D.constant), 'k');
}

/** Input positions of taps, and the condition that they are not padding. */
export function underWindow(
  w: Window,
  windows: readonly IndexLike[],
  taps: readonly IndexLike[],
  spatial: readonly Dim[],
): { at: Index[]; inside: Predicate } {
  const at = windows.map((q, i) =>
    A.sub(A.add(A.mul(q, w.stride[i]!), A.mul(taps[i]!, w.dilation[i]!)), w.low[i]!),
  );
  return { at, inside: at.flatMap((position, i) => inRange(position, spatial[i]!)) };
}

/** The (window, tap) pairs that cover a position, as points of reduction axes `taps`. */
export interface Covering {
  readonly taps: readonly Axis[];
  readonly windows: readonly Index[];
  readonly kernel: readonly Index[];
  /** The point is a pair at all; implies `inKernel`. */
  readonly inside: Predicate;
  /** `kernel` is in range. */
  readonly inKernel: Predicate;
}

/**
 * Inverse of `underWindow`. In general every tap is tried and q = (position + low - k * dilation) / stride must be
 * whole. Without dilation the taps that hit are known: k = (position + low) mod stride + j * stride, so only
 * ceil(kernel / stride) of them are tried. Either way taps ascend.
 */
export function covering(w: Window, positions: readonly Axis[], counts: readonly Dim[]): Covering {
  const names = spatialNames(positions.length);
  const parts = positions.map((position, i) => {
    const [kernel, stride, dilation] = [w.kernel[i]!, w.stride[i]!, w.dilation[i]!];
    const shifted = A.add(position, w.low[i]!);
    if (dilation === 1) {
      const tap = E.axis(`k${names[i]}`, D.constant(Math.ceil(kernel / stride)));
      const k = A.add(A.mod(shifted, stride), A.mul(tap, stride));
      const inKernel = simplifyPredicate([{ op: 'lt', a: k, b: A.index(kernel) }]);
      return { tap, k, window: A.sub(A.floordiv(shifted, stride), tap), inKernel, whole: inKernel };
    }
    const tap = E.axis(`k${names[i]}`, D.constant(kernel));
    const offset = A.sub(shifted, A.mul(tap, dilation));
    const whole = simplifyPredicate([{ op: 'eq', a: A.mod(offset, stride), b: A.index(0) }]);
    return { tap, k: A.index(tap), window: A.floordiv(offset, stride), inKernel: [], whole };
  });
  return {
    taps: parts.map(p => p.tap),
    windows: parts.map(p => p.window),
    kernel: parts.map(p => p.k),
    inside: parts.flatMap((p, i) => [...p.whole, ...inRange(p.window, counts[i]!)]),
    inKernel: parts.flatMap(p => p.inKernel),
  };
}

/** Flat positions of one (window, tap, input position) triple within their planes. */
export interface Tap {
  readonly window: number;
  readonly tap: number;
  readonly position: number;
}

/** All triples that do not fall on padding, windows and their taps in row-major order: for references. */
export function tapsOf(w: Window, spatial: readonly number[], counts: readonly number[]): Tap[] {
  const found: Tap[] = [];
  forEachIndex(counts, (q, window) => {
    forEachIndex(w.kernel, (k, tap) => {
      let position = 0;
      for (let i = 0; i < spatial.length; i++) {
        const p = q[i]! * w.stride[i]! + k[i]! * w.dilation[i]! - w.low[i]!;
        if (p < 0 || p >= spatial[i]!) return;
        position = position * spatial[i]! + p;
      }
      found.push({ window, tap, position });
    });
  });
  return found;
}
