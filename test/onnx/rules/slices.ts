import { fromStart, type Node, type Result, type Rule, range } from '../node.ts';
import { float, list } from '../writer.ts';
import { pick, slice } from './text.ts';

/** Parts of an axis, one after the other. */
function split(n: Node): Result[] {
  const { shape } = n.in(0);
  const axis = fromStart(n.int('axis', 0), shape.length);
  const count = n.int('num_outputs', n.outputs.length);
  const attribute = n.numbers('split');
  const chunk = Math.ceil(shape[axis]! / count);
  const sizes =
    n.constants(1) ??
    attribute ??
    range(0, count).map(i => Math.max(Math.min(chunk, shape[axis]! - i * chunk), 0));
  let from = 0;
  return sizes.map(s => {
    const text = slice(
      n.x(),
      shape.map((_, i) => (i === axis ? from : 0)),
      shape.map((d, i) => (i === axis ? from + s : d)),
    );
    from += s;
    return { text, element: n.in(0).element };
  });
}

/** numpy's slices with any step: forwards as a slice, backwards by picking positions. */
function sliced(n: Node): string {
  const { shape } = n.in(0);
  const starts = [n.numbers('starts'), n.constants(1)].find(v => v)!;
  const ends = [n.numbers('ends'), n.constants(2)].find(v => v)!;
  const axes = (n.numbers('axes') ?? n.constants(3) ?? range(0, starts.length)).map(a =>
    fromStart(a, shape.length),
  );
  const steps = n.constants(4) ?? starts.map(() => 1);
  let text = n.x();
  axes.forEach((axis, i) => {
    const d = shape[axis]!;
    const step = steps[i]!;
    const clamp = (v: number, low: number, high: number) => Math.min(Math.max(v < 0 ? v + d : v, low), high);
    const from = step > 0 ? clamp(starts[i]!, 0, d) : clamp(starts[i]!, 0, d - 1);
    const to = step > 0 ? clamp(ends[i]!, 0, d) : clamp(ends[i]!, -1, d - 1);
    const before = range(0, axis).map(() => ':');
    if (step > 0) {
      text = n.let(`${text}[${[...before, `${from}:${Math.max(from, to)}:${step}`].join(', ')}]`);
    } else {
      const count = Math.max(Math.ceil((from - to) / -step), 0);
      text = n.let(pick(text, axis, `${from} - ${-step} * iota(${count})`));
    }
  });
  return text;
}

function padded(n: Node): string {
  const { shape } = n.in(0);
  const rank = shape.length;
  const mode = n.string('mode', 'constant');
  const attribute = n.numbers('pads') ?? n.numbers('paddings');
  const given = n.constants(1) ?? attribute!;
  const axes = (n.constants(3) ?? range(0, rank)).map(a => fromStart(a, rank));
  const low = shape.map(() => 0);
  const high = shape.map(() => 0);
  axes.forEach((axis, i) => {
    low[axis] = given[i]!;
    high[axis] = given[i + axes.length]!;
  });
  const value = n.constants(2)?.[0] ?? n.float('value', 0);
  if (mode === 'constant')
    return `primitive.pad(${n.x()}, low = ${list(low)}, high = ${list(high)}, value = ${float(value)})`;
  let text = n.x();
  shape.forEach((d, axis) => {
    if (low[axis] === 0 && high[axis] === 0) return;
    const at = n.let(`iota(${low[axis]! + d + high[axis]!}) - ${low[axis]}`);
    text = n.let(pick(text, axis, outside(mode, at, d, n)));
  });
  return text;
}

function outside(mode: string, at: string, d: number, n: Node): string {
  switch (mode) {
    case 'edge':
      return `clamp(${at}, 0, ${d - 1})`;
    case 'wrap':
      return `${at} % ${d}`;
    case 'reflect': {
      if (d === 1) return `${at} * 0`;
      const turn = n.let(`${at} % ${2 * (d - 1)}`);
      return `where(${turn} < ${d}, ${turn}, ${2 * (d - 1)} - ${turn})`;
    }
    default:
      return n.no(`mode ${mode}`);
  }
}

export const slices: Readonly<Record<string, Rule>> = {
  Split: split,
  Slice: sliced,
  Pad: padded,
};
