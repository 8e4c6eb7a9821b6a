import type * as fc from 'fast-check';
import * as D from '../ir/dim.ts';
import { concreteShape, size } from '../ir/ndarray.ts';
import type { Attrs, NdArray } from '../ir/primitive.ts';
import { tensor } from '../ir/type.ts';
import { maxPool } from './max-pool.ts';
import { distinct, filledWith, integers } from './samples.ts';
import type { Window } from './window.ts';
import { tapsOf, windowCounts } from './window.ts';

/** Samples of windowed ops: few elements, but strides, holes, crops and padding that disagree with each other. */
type FastCheck = typeof fc;

/** Multiples of 1/8, so that f32 and f64 products are equal. */
export function values(fc: FastCheck, shape: readonly number[]): fc.Arbitrary<NdArray> {
  return filledWith(
    fc,
    shape,
    integers(fc, -16, 16).map(v => v / 8),
  );
}

/** Three values only, all negative, so that zero padding would win if it took part. */
export function tiedValues(fc: FastCheck, shape: readonly number[]): fc.Arbitrary<NdArray> {
  return filledWith(fc, shape, fc.constantFrom(-2, -1, -0.5));
}

interface Geometry {
  readonly window: Window;
  readonly spatial: readonly number[];
  readonly counts: readonly number[];
}

interface GeometryOptions {
  /** Padding stays below the window's span, as max_pool asks. */
  readonly padUnderSpan?: boolean;
  /** No window falls on padding alone. */
  readonly seeing?: boolean;
}

/** Legal windows over 1 to 3 spatial dims: crops, padding beyond the need, holes, stride > kernel. */
function geometry(fc: FastCheck, options: GeometryOptions & { ceil?: boolean } = {}): fc.Arbitrary<Geometry> {
  return fc
    .tuple(fc.constantFrom(1, 2, 2, 3), options.ceil ? fc.boolean() : fc.constant(false))
    .chain(([count, ceil]) => {
      const small = count === 3;
      const axis = fc
        .record({
          kernel: fc.integer({ min: 1, max: small ? 2 : 3 }),
          stride: fc.integer({ min: 1, max: small ? 2 : 4 }),
          dilation: small ? fc.constantFrom(1, 2) : fc.constantFrom(1, 1, 2, 2, 3),
          low: fc.integer({ min: -1, max: small ? 1 : 3 }),
          high: fc.integer({ min: -1, max: small ? 1 : 3 }),
          extra: fc.integer({ min: 0, max: small ? 1 : 4 }),
        })
        .map(a => {
          const span = a.dilation * (a.kernel - 1) + 1;
          const most = options.padUnderSpan ? span - 1 : Number.POSITIVE_INFINITY;
          const [low, high] = [Math.min(a.low, most), Math.min(a.high, most)];
          return { ...a, low, high, size: Math.max(1, ceil ? 1 - low : 1, span - low - high + a.extra) };
        });
      return fc.array(axis, { minLength: count, maxLength: count }).map(axes => {
        const window: Window = {
          kernel: axes.map(a => a.kernel),
          stride: axes.map(a => a.stride),
          dilation: axes.map(a => a.dilation),
          low: axes.map(a => a.low),
          high: axes.map(a => a.high),
          ceil,
        };
        const spatial = axes.map(a => a.size);
        const dims = windowCounts(window, spatial.map(D.constant), tensor('f32', spatial), 0);
        return { window, spatial, counts: dims.map(d => D.evaluate(d)) };
      });
    })
    .filter(({ window, spatial, counts }) => {
      if (!options.seeing) return true;
      const seen = new Set(tapsOf(window, spatial, counts).map(t => t.window));
      return seen.size === size(counts);
    });
}

const geometryAttrsOf = ({ stride, dilation, low, high }: Window): Attrs => ({
  stride,
  dilation,
  pad_low: low,
  pad_high: high,
});

export interface ConvolutionSample {
  /** Without `spatial` and `kernel`. */
  readonly attrs: Attrs;
  readonly spatial: readonly number[];
  readonly kernel: readonly number[];
  readonly x: NdArray;
  readonly weight: NdArray;
  readonly ct: NdArray;
}

/** Operands and cotangent of one convolution, grouped and depthwise ones included, and an empty batch at times. */
export function convolutionSample(fc: FastCheck): fc.Arbitrary<ConvolutionSample> {
  const channels = fc.record({
    batch: fc.constantFrom(0, 1, 1, 2, 2),
    groups: fc.constantFrom(1, 1, 2, 3),
    inPerGroup: fc.constantFrom(1, 1, 2),
    outPerGroup: fc.constantFrom(1, 1, 2),
  });
  return fc.tuple(geometry(fc), channels).chain(([{ window, spatial, counts }, c]) =>
    fc
      .tuple(
        values(fc, [c.batch, c.groups * c.inPerGroup, ...spatial]),
        values(fc, [c.groups * c.outPerGroup, c.inPerGroup, ...window.kernel]),
        values(fc, [c.batch, c.groups * c.outPerGroup, ...counts]),
      )
      .map(([x, weight, ct]) => ({
        attrs: { ...geometryAttrsOf(window), groups: c.groups },
        spatial,
        kernel: window.kernel,
        x,
        weight,
        ct,
      })),
  );
}

export interface PoolSample {
  readonly attrs: Attrs;
  readonly shape: readonly number[];
  readonly outShape: readonly number[];
}

export function poolSample(fc: FastCheck, options: GeometryOptions = {}): fc.Arbitrary<PoolSample> {
  return fc
    .tuple(geometry(fc, { ...options, ceil: true }), fc.constantFrom(0, 1, 1, 2), fc.constantFrom(1, 2))
    .map(([{ window, spatial, counts }, n, c]) => ({
      attrs: { ...geometryAttrsOf(window), kernel: window.kernel, ceil: window.ceil },
      shape: [n, c, ...spatial],
      outShape: [n, c, ...counts],
    }));
}

/** With the winners' positions of a max-pool, so that every index lies in its own window. */
export function pooledSample(fc: FastCheck): fc.Arbitrary<PoolSample & { readonly index: NdArray }> {
  return poolSample(fc, { padUnderSpan: true }).chain(sample =>
    fc.oneof(distinct(fc, sample.shape), tiedValues(fc, sample.shape)).map(x => {
      const outs = maxPool.infer([tensor('f32', sample.shape)], sample.attrs);
      const [, index] = maxPool.reference([x], sample.attrs, outs, 'f64');
      return { ...sample, index: { ...index!, shape: concreteShape(outs[1]!) } };
    }),
  );
}
