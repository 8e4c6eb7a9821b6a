import { type Node, type Rule, range } from '../node.ts';
import { float, list } from '../writer.ts';
import { cubicWeight } from './resize.ts';

/** The grid of `AffineGrid`: the corners of an image lie at -1 and 1. */
function affineGrid(n: Node): string {
  const sizes = n.constants(1)!;
  const spatial = sizes.slice(2);
  const align = n.int('align_corners', 0) !== 0;
  // The last coordinate of a position counts along the first spatial axis.
  const axes = [...range(0, spatial.length).reverse()];
  const coordinate = (axis: number) => {
    const d = spatial[axis]!;
    const i = `iota(${list(spatial)}, axis = ${axis}, dtype = f32)`;
    return align ? `${i} * ${float(2 / Math.max(d - 1, 1))} - 1` : `(${i} * 2 + 1) / ${d} - 1`;
  };
  const all = spatial.reduce((p, d) => p * d, 1);
  const points = n.let(
    `reshape(stack([${axes.map(coordinate).join(', ')}, ones(${list(spatial)})], axis = ${spatial.length}), ${all}, ${spatial.length + 1})`,
  );
  const shape = [sizes[0]!, ...spatial, spatial.length];
  return `reshape(${points} @ transpose(${n.x()}), ${list(shape)})`;
}

/** x at positions that need not be whole: [N, C, ...spatial] at [N, ...points, axes]. */
function gridSample(n: Node): string {
  const x = n.in(0);
  const grid = n.in(1);
  const spatial = x.shape.slice(2);
  const align = n.int('align_corners', 0) !== 0;
  const mode = n.string('mode', 'linear').replace('bilinear', 'linear').replace('bicubic', 'cubic');
  const padding = n.string('padding_mode', 'zeros');
  const points = grid.shape.slice(1, -1).reduce((p, d) => p * d, 1);
  const plane = spatial.reduce((p, d) => p * d, 1);
  const [batch, channels] = x.shape as [number, number];
  const flat = n.let(`reshape(${n.x()}, ${batch}, ${channels}, ${plane})`);
  const at = spatial.map((d, axis) => {
    const g = n.let(`reshape(${grid.text}[..., ${spatial.length - 1 - axis}], ${batch}, ${points})`);
    return n.let(align ? `(${g} + 1) * ${float((d - 1) / 2)}` : `((${g} + 1) * ${d} - 1) / 2`);
  });
  /** A whole position brought inside, and whether it was. */
  const inside = (p: string, d: number): { place: string; seen: string } => {
    const seen = n.let(`cast(${p} >= 0 and ${p} <= ${d - 1}, f32)`);
    if (padding !== 'reflection') return { place: n.let(`clamp(${p}, 0, ${d - 1})`), seen };
    const [low, high] = align ? [0, d - 1] : [-0.5, d - 0.5];
    const span = high - low;
    if (span === 0) return { place: n.let(`${p} * 0`), seen };
    const turn = n.let(`abs(${p} - ${float(low)}) % ${float(2 * span)}`);
    const back = n.let(
      `where(${turn} <= ${float(span)}, ${turn}, ${float(2 * span)} - ${turn}) + ${float(low)}`,
    );
    return { place: n.let(`clamp(${back}, 0, ${d - 1})`), seen };
  };
  /** Neighbours of each position along an axis, and their weights. */
  const neighbours = (p: string, d: number): { place: string; weight: string }[] => {
    const take = (place: string, weight: string) => {
      const { place: found, seen } = inside(place, d);
      const shown = padding === 'zeros' ? n.let(`${weight} * ${seen}`) : weight;
      return { place: n.let(`cast(round(${found}), i32)`), weight: shown };
    };
    const start = padding === 'zeros' || mode === 'cubic' ? p : inside(p, d).place;
    if (mode === 'nearest') return [take(n.let(`round(${start})`), '1')];
    const low = n.let(`floor(${start})`);
    const offsets = mode === 'cubic' ? [-1, 0, 1, 2] : [0, 1];
    return offsets.map(k => {
      const place = n.let(`${low} + ${k}`);
      const distance = n.let(`abs(${place} - ${start})`);
      return take(place, n.let(mode === 'cubic' ? cubicWeight(distance, '-0.75') : `1 - ${distance}`));
    });
  };
  let taps = [{ index: '', weight: '1' }];
  spatial.forEach((d, axis) => {
    const around = neighbours(at[axis]!, d);
    taps = taps.flatMap(t =>
      around.map(a => ({
        index: n.let(t.index ? `${t.index} * ${d} + ${a.place}` : a.place),
        weight: n.let(`${t.weight} * ${a.weight}`),
      })),
    );
  });
  const parts = taps.map(t => {
    const index = `broadcast(unsqueeze(${t.index}, 1), ${batch}, ${channels}, ${points})`;
    // Where nothing is weighed, the weight is a number and no tensor.
    const shaped = mode === 'nearest' && padding !== 'zeros' ? '1' : `unsqueeze(${t.weight}, 1)`;
    return n.let(`primitive.gather(${flat}, ${index}, axis = 2) * ${shaped}`);
  });
  const y = parts.reduce((p, q) => n.let(`${p} + ${q}`));
  return `reshape(${y}, ${list([batch, channels, ...grid.shape.slice(1, -1)])})`;
}

export const grids: Readonly<Record<string, Rule>> = { AffineGrid: affineGrid, GridSample: gridSample };
