import { fromStart, type Node, type Rule, range } from '../node.ts';
import { float, list } from '../writer.ts';
import { pick } from './text.ts';

/** One axis to be resized. */
interface Axis {
  readonly axis: number;
  readonly from: number;
  readonly to: number;
  readonly scale: number;
  readonly roi: readonly [number, number];
}

/** Where the elements of the result lie in x, as text; sizes and scales are those of ONNX's `Resize`. */
function coordinates(n: Node, mode: string, { from, to, scale, roi }: Axis): string {
  const i = n.let(`cast(iota(${to}), f32)`);
  const length = scale * from;
  switch (mode) {
    case 'half_pixel':
      return `(${i} + 0.5) / ${float(scale)} - 0.5`;
    case 'half_pixel_symmetric': {
      const shift = (from / 2) * (1 - to / length);
      return `${float(shift)} + (${i} + 0.5) / ${float(scale)} - 0.5`;
    }
    case 'pytorch_half_pixel':
      return to === 1 ? `${i} - 0.5` : `(${i} + 0.5) / ${float(scale)} - 0.5`;
    case 'asymmetric':
      return `${i} / ${float(scale)}`;
    case 'tf_half_pixel_for_nn':
      return `(${i} + 0.5) / ${float(scale)}`;
    case 'align_corners':
      return to === 1 ? `${i} * 0` : `${i} * ${from - 1} / ${float(length - 1)}`;
    case 'tf_crop_and_resize': {
      const [start, end] = roi;
      if (to === 1) return `${i} * 0 + ${float(((start + end) * (from - 1)) / 2)}`;
      return `${float(start * (from - 1))} + ${i} * ${float((end - start) * (from - 1))} / ${float(length - 1)}`;
    }
    default:
      return n.no(`coordinates ${mode}`);
  }
}

function nearest(n: Node, at: string): string {
  switch (n.string('nearest_mode', n.opset < 11 ? 'floor' : 'round_prefer_floor')) {
    case 'floor':
      return `floor(${at})`;
    case 'ceil':
      return `ceil(${at})`;
    case 'round_prefer_ceil':
      return `floor(${at} + 0.5)`;
    default:
      return `ceil(${at} - 0.5)`;
  }
}

/** One axis resampled: a sum over neighbours, with weights of their distance. */
function resampled(n: Node, x: string, rank: number, mode: string, a: Axis, how: string): string {
  const at = n.let(coordinates(n, how, a));
  if (mode === 'nearest') {
    const place = `cast(clamp(${nearest(n, at)}, 0, ${a.from - 1}), i32)`;
    return n.let(pick(x, a.axis, n.let(place)));
  }
  const cubic = mode === 'cubic';
  const squeeze = n.int('antialias', 0) ? Math.min(a.scale, 1) : 1;
  const radius = cubic ? 2 : 1;
  const first = squeeze < 1 ? Math.floor(-radius / squeeze) + 1 : 1 - radius;
  const taps = 2 * radius - 2 * (first - (1 - radius));
  const low = n.let(`floor(${at})`);
  const outside = n.int('exclude_outside', 0) !== 0;
  const along = range(0, rank).map(i => (i === a.axis ? a.to : 1));
  const weights = range(first, first + taps).map(k => {
    const place = n.let(`${low} + ${k}`);
    const d = n.let(`abs(${place} - ${at}) * ${float(squeeze)}`);
    const w = n.let(cubic ? cubicWeight(d, float(n.float('cubic_coeff_a', -0.75))) : `max(1 - ${d}, 0)`);
    const kept = outside ? n.let(`where(${place} >= 0 and ${place} <= ${a.from - 1}, ${w}, 0)`) : w;
    return { w: kept, place: n.let(`cast(clamp(${place}, 0, ${a.from - 1}), i32)`) };
  });
  const total = outside || squeeze < 1 ? n.let(weights.map(t => t.w).join(' + ')) : '1';
  return weights
    .map(t => n.let(`${pick(x, a.axis, t.place)} * reshape(${t.w} / ${total}, ${list(along)})`))
    .reduce((p, q) => n.let(`${p} + ${q}`));
}

/** Keys' cubic convolution (1981). */
export function cubicWeight(d: string, a: string): string {
  const near = `((${a} + 2) * ${d} - (${a} + 3)) * ${d} * ${d} + 1`;
  const far = `((${a} * ${d} - 5 * ${a}) * ${d} + 8 * ${a}) * ${d} - 4 * ${a}`;
  return `where(${d} < 1, ${near}, where(${d} < 2, ${far}, 0))`;
}

function resize(n: Node): string {
  const { shape } = n.in(0);
  const rank = shape.length;
  const old = n.opset < 11;
  const mode = n.string('mode', 'nearest');
  const how = n.string('coordinate_transformation_mode', old ? 'asymmetric' : 'half_pixel');
  const axes = (n.numbers('axes') ?? range(0, rank)).map(a => fromStart(a, rank));
  const given = (i: number) => {
    const v = n.constants(i);
    return v && v.length > 0 ? v : undefined;
  };
  const roi = old ? undefined : given(1);
  const attribute = n.numbers('scales');
  const scales = attribute ?? given(old ? 1 : 2);
  const sizes = old ? undefined : given(3);
  const policy = n.string('keep_aspect_ratio_policy', 'stretch');
  const beyond = float(n.float('extrapolation_value', 0));
  const wanted = axes.map((axis, i): Axis => {
    const from = shape[axis]!;
    const edges: [number, number] = roi ? [roi[i]!, roi[i + axes.length]!] : [0, 1];
    if (scales) {
      const exact = Number(scales[i]!.toPrecision(7));
      // A crop is of a part of the axis only.
      const part = how === 'tf_crop_and_resize' ? edges[1] - edges[0] : 1;
      return { axis, from, to: Math.floor(from * part * exact + 1e-6), scale: exact, roi: edges };
    }
    return { axis, from, to: sizes![i]!, scale: sizes![i]! / from, roi: edges };
  });
  const ratios = wanted.map(w => w.scale);
  const common = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
  const fitted = wanted.map(w =>
    policy === 'stretch' || !sizes ? w : { ...w, scale: common, to: Math.round(w.from * common) },
  );
  let text = n.x();
  for (const a of fitted) {
    const untouched = a.to === a.from && a.scale === 1 && how !== 'tf_crop_and_resize';
    if (untouched) continue;
    text = resampled(n, text, rank, mode === 'bilinear' ? 'linear' : mode, a, how);
    if (how !== 'tf_crop_and_resize') continue;
    const at = n.let(coordinates(n, how, a));
    const inside = `reshape(${at} >= 0 and ${at} <= ${a.from - 1}, ${list(range(0, rank).map(i => (i === a.axis ? a.to : 1)))})`;
    text = n.let(`where(${inside}, ${text}, ${beyond})`);
  }
  n.ignore('nearest_mode', 'antialias', 'exclude_outside', 'cubic_coeff_a');
  return text;
}

export const resizing: Readonly<Record<string, Rule>> = { Resize: resize, Upsample: resize };
