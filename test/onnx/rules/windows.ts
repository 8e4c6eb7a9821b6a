import { size } from '../../../src/ir/ndarray.ts';
import type { Node, Result, Rule } from '../node.ts';
import { float, list } from '../writer.ts';
import { reshaped } from './text.ts';

/** Sliding windows, one entry per spatial axis. */
export interface Windows {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/** Attributes of convolution and pooling, with automatic padding worked out. */
export function windowsOf(n: Node, spatial: readonly number[], weight?: readonly number[]): Windows {
  const kernel = n.numbers('kernel_shape') ?? weight!;
  const ones = spatial.map(() => 1);
  const stride = n.numbers('strides') ?? ones;
  const dilation = n.numbers('dilations') ?? ones;
  const pads = n.numbers('pads') ?? spatial.flatMap(() => [0, 0]);
  const automatic = n.string('auto_pad', 'NOTSET');
  let low = pads.slice(0, spatial.length);
  let high = pads.slice(spatial.length);
  if (automatic === 'VALID') low = high = spatial.map(() => 0);
  if (automatic.startsWith('SAME')) {
    const total = spatial.map((d, i) => {
      const span = dilation[i]! * (kernel[i]! - 1) + 1;
      return Math.max((Math.ceil(d / stride[i]!) - 1) * stride[i]! + span - d, 0);
    });
    const half = total.map(t => Math.floor(t / 2));
    const rest = total.map((t, i) => t - half[i]!);
    [low, high] = automatic === 'SAME_UPPER' ? [half, rest] : [rest, half];
  }
  return { kernel, stride, dilation, low, high };
}

export const geometry = ({ stride, dilation, low, high }: Windows): string =>
  `stride = ${list(stride)}, dilation = ${list(dilation)}, pad_low = ${list(low)}, pad_high = ${list(high)}`;

const pool = (w: Windows, ceil: boolean): string =>
  `kernel = ${list(w.kernel)}, ${geometry(w)}, ceil = ${ceil}`;

export function convolution(
  n: Node,
  x: string,
  weight: string,
  shapes: readonly (readonly number[])[],
): string {
  const w = windowsOf(n, shapes[0]!.slice(2), shapes[1]!.slice(2));
  return `primitive.convolution(${x}, ${weight}, ${geometry(w)}, groups = ${n.int('group', 1)})`;
}

function transposed(n: Node): string {
  const { shape } = n.in(0);
  const weight = n.in(1).shape;
  const spatial = shape.slice(2);
  const automatic = n.string('auto_pad', 'NOTSET');
  const wanted = n.numbers('output_shape')?.slice(-spatial.length);
  const more = n.numbers('output_padding') ?? spatial.map(() => 0);
  const w = windowsOf(n, spatial, weight.slice(2));
  const span = spatial.map((_, i) => w.dilation[i]! * (w.kernel[i]! - 1) + 1);
  const full = spatial.map((d, i) => (d - 1) * w.stride[i]! + span[i]! + more[i]!);
  const same = automatic.startsWith('SAME') ? spatial.map((d, i) => d * w.stride[i]!) : undefined;
  const aim = wanted ?? same;
  let [low, high] = [w.low, w.high];
  if (aim) {
    const total = full.map((f, i) => Math.max(f - aim[i]!, 0));
    const half = total.map(t => Math.floor(t / 2));
    const rest = total.map((t, i) => t - half[i]!);
    [low, high] = automatic === 'SAME_UPPER' ? [half, rest] : [rest, half];
  }
  const sizes = aim ?? full.map((f, i) => f - low[i]! - high[i]!);
  // Without padding and with the least size that the windows cover; then cropped, or filled up with what is not covered.
  const least = spatial.map((d, i) => (d - 1) * w.stride[i]! + span[i]!);
  const bare = { ...w, low: spatial.map(() => 0), high: spatial.map(() => 0) };
  const whole = `primitive.convolution_input_gradient(${n.x(0)}, ${n.x(1)}, ${geometry(bare)}, groups = ${n.int('group', 1)}, spatial = ${list(least)})`;
  const y = n.let(
    `primitive.pad(${whole}, low = ${list([0, 0, ...low.map(v => -v)])}, high = ${list([0, 0, ...sizes.map((s, i) => s + low[i]! - least[i]!)])})`,
  );
  return n.has(2) ? `add_bias(${y}, ${n.x(2)})` : y;
}

function averagePool(n: Node): string {
  const spatial = n.in(0).shape.slice(2);
  const w = windowsOf(n, spatial);
  const ceil = n.int('ceil_mode', 0) !== 0;
  const outside = n.int('count_include_pad', 0);
  const ones = `primitive.pad(ones([1, 1, ${spatial.join(', ')}]), low = ${list([0, 0, ...w.low])}, high = ${list([0, 0, ...w.high])}, value = ${outside})`;
  const none = spatial.map(() => 0);
  const counts = n.let(`primitive.window_sum(${ones}, ${pool({ ...w, low: none, high: none }, ceil)})`);
  const sums = n.let(`primitive.window_sum(${n.x()}, ${pool(w, ceil)})`);
  // With `ceil` a window may begin in the padding at the end, where padding is no longer counted as such.
  return `${sums} / ${counts}[:, :, ${spatial.map((_, i) => `0:shape(${sums})[${i + 2}]`).join(', ')}]`;
}

function maxPool(n: Node): Result[] {
  const { shape, element } = n.in(0);
  const spatial = shape.slice(2);
  const w = windowsOf(n, spatial);
  const columns = n.int('storage_order', 0) === 1;
  const ceil = n.int('ceil_mode', 0) !== 0;
  const [most, index] = n.lets(`primitive.max_pool(${n.x()}, ${pool(w, ceil)})`, 2) as [string, string];
  const planes = spatial.map(() => 1);
  const plane = `reshape(iota(${shape[0]! * shape[1]!}), ${list([shape[0]!, shape[1]!, ...planes])})`;
  let at = index;
  if (columns) {
    // The first spatial axis counts fastest.
    let left = n.let(at);
    const places: string[] = [];
    for (const d of [...spatial].reverse()) {
      places.unshift(n.let(`${left} % ${d}`));
      left = n.let(`${left} ~/ ${d}`);
    }
    at = places.reduceRight((sum, p, i) => n.let(`${sum} * ${spatial[i]} + ${p}`));
  }
  return [
    { text: most, element },
    { text: `${at} + ${plane} * ${size(spatial)}`, element: 'int64' },
  ];
}

function maxUnpool(n: Node): string {
  const { shape } = n.in(0);
  const spatial = shape.slice(2);
  const w = windowsOf(n, spatial);
  const sizes = spatial.map((d, i) => (d - 1) * w.stride[i]! - w.low[i]! - w.high[i]! + w.kernel[i]!);
  const index = `${n.x(1)} % ${size(sizes)}`;
  const y = n.let(`primitive.max_unpool(${n.x(0)}, ${index}, ${pool(w, false)}, spatial = ${list(sizes)})`);
  const wanted = n.constants(2);
  if (!wanted) return y;
  const high = sizes.map((s, i) => wanted[i + 2]! - s);
  return `primitive.pad(${y}, low = [0, 0, ${sizes.map(() => 0).join(', ')}], high = [0, 0, ${high.join(', ')}])`;
}

const globally =
  (of: (x: string, how: string, n: Node) => string): Rule =>
  n =>
    of(n.x(), `axis = 2..${n.in(0).shape.length}, keep = true`, n);

export const windows: Readonly<Record<string, Rule>> = {
  Conv: n => {
    const y = convolution(n, n.x(0), n.x(1), [n.in(0).shape, n.in(1).shape]);
    return n.has(2) ? `add_bias(${y}, ${n.x(2)})` : y;
  },
  ConvTranspose: transposed,
  AveragePool: averagePool,
  MaxPool: maxPool,
  MaxUnpool: maxUnpool,
  LpPool: n => {
    const p = n.int('p', 2);
    const w = windowsOf(n, n.in(0).shape.slice(2));
    const powers = `${n.let(`abs(${n.x()})`)} ^ ${p}`;
    return `primitive.window_sum(${powers}, ${pool(w, n.int('ceil_mode', 0) !== 0)}) ^ (1 / ${p})`;
  },
  GlobalAveragePool: globally((x, how) => `mean(${x}, ${how})`),
  GlobalMaxPool: globally((x, how) => `max(${x}, ${how})`),
  GlobalLpPool: globally((x, how, n) => {
    const p = n.int('p', 2);
    return `sum(abs(${x}) ^ ${p}, ${how}) ^ (1 / ${p})`;
  }),
  LRN: n => {
    const { shape } = n.in(0);
    const count = n.int('size', 1);
    const flat = shape.slice(2).map(() => 1);
    const none = flat.map(() => 0);
    const w: Windows = {
      kernel: [count, ...flat],
      stride: [1, ...flat],
      dilation: [1, ...flat],
      low: [Math.floor((count - 1) / 2), ...none],
      high: [Math.ceil((count - 1) / 2), ...none],
    };
    const squares = `primitive.window_sum(unsqueeze(${n.x()} * ${n.x()}, 1), ${pool(w, false)})`;
    const alpha = float(n.float('alpha', 0.0001) / count);
    const base = `${float(n.float('bias', 1))} + ${alpha} * squeeze(${squares}, 1)`;
    return `${n.x()} / (${base}) ^ ${float(n.float('beta', 0.75))}`;
  },
  /** The adjoint of taking windows apart: a transposed convolution whose weights are 1 where a row of windows belongs. */
  Col2Im: n => {
    const { shape } = n.in(0);
    const [image, block] = [n.constants(1)!, n.constants(2)!];
    const w = windowsOf(n, image, block);
    const taps = size(block);
    const channels = shape[1]! / taps;
    const counts = image.map((d, i) => {
      const span = w.dilation[i]! * (block[i]! - 1) + 1;
      return Math.floor((d + w.low[i]! + w.high[i]! - span) / w.stride[i]!) + 1;
    });
    const weight = n.let(
      reshaped(
        `cast(iota(${shape[1]}, 1, ${taps}) % ${taps} == iota(${shape[1]}, 1, ${taps}, axis = 2), f32)`,
        [shape[1]!, 1, ...block],
      ),
    );
    const x = reshaped(n.x(), [shape[0]!, shape[1]!, ...counts]);
    return `primitive.convolution_input_gradient(${x}, ${weight}, ${geometry(w)}, groups = ${channels}, spatial = ${list(image)})`;
  },
};
