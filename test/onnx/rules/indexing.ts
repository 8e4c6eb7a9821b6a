import { size } from '../../../src/ir/ndarray.ts';
import { fromStart, type Node, type Result, type Rule, range } from '../node.ts';
import { dtypeOf, isFloating } from '../tensor.ts';
import { list, type Value } from '../writer.ts';
import { pick, reshaped, slice } from './text.ts';

/** Positions that may count from the end. */
const positions = (n: Node, index: Value, extent: number): string => {
  const at = dtypeOf(index.element) === 'i32' ? index.text : n.let(`cast(${index.text}, i32)`);
  return n.let(`where(${at} < 0, ${at} + ${extent}, ${at})`);
};

/** Flat positions in the leading axes that the last axis of an index names. */
function flattened(n: Node, index: Value, sizes: readonly number[]): string {
  const parts = sizes.map((extent, k) => {
    const part = n.let(`${index.text}[..., ${k}]`);
    const stride = size(sizes.slice(k + 1));
    return `where(${part} < 0, ${part} + ${extent}, ${part}) * ${stride}`;
  });
  return n.let(parts.join(' + '));
}

/** Where `at` (of the shape of `updates`) names a place of axis `axis` of x, x with the update. */
function scattered(
  n: Node,
  x: { readonly text: string; readonly shape: readonly number[]; readonly dtype: string },
  at: string,
  updates: { readonly text: string; readonly shape: readonly number[] },
  axis: number,
  how: string,
): string {
  const extent = x.shape[axis]!;
  const rank = x.shape.length;
  const place = reshaped(
    `iota(${extent})`,
    range(0, rank + 1).map(i => (i === axis ? extent : 1)),
  );
  const hit = n.let(`unsqueeze(${at}, ${axis}) == ${place}`);
  const given = n.let(`unsqueeze(${updates.text}, ${axis})`);
  const fold = (name: string, none: string) =>
    n.let(`${name}(where(${hit}, ${given}, ${none}), axis = ${axis + 1})`);
  const others = x.shape.map((d, i) => (i === axis ? 0 : d - updates.shape[i]!));
  const filled = (text: string, value: string) =>
    others.every(d => d === 0)
      ? text
      : n.let(
          `primitive.pad(${text}, low = ${list(others.map(() => 0))}, high = ${list(others)}, value = ${value})`,
        );
  const whole = x.dtype === 'f32' ? '3.4028234663852886e38' : '2147483647';
  switch (how) {
    case 'add':
      return `${x.text} + ${filled(fold('sum', '0'), '0')}`;
    case 'mul':
      return `${x.text} * ${filled(fold('prod', '1'), '1')}`;
    case 'max':
      return `max(${x.text}, ${filled(fold('max', `-${whole}`), `-${whole}`)})`;
    case 'min':
      return `min(${x.text}, ${filled(fold('min', whole), whole)})`;
    case 'none': {
      const any = filled(n.let(`max(cast(${hit}, i32), axis = ${axis + 1})`), '0');
      // `hit` has the shape of the updates, also where its fold is over an index of fewer axes.
      return `where(${any} > 0, ${filled(fold('sum', '0'), '0')}, ${x.text})`;
    }
    default:
      return n.no(`reduction ${how}`);
  }
}

function scatterElements(n: Node): string {
  const x = n.in(0);
  const axis = fromStart(n.int('axis', 0), x.shape.length);
  const at = positions(n, n.in(1), x.shape[axis]!);
  const of = { text: x.text, shape: x.shape, dtype: dtypeOf(x.element) };
  return scattered(n, of, at, { text: n.x(2), shape: n.in(2).shape }, axis, n.string('reduction', 'none'));
}

function scatterND(n: Node): string {
  const [x, index] = [n.in(0), n.in(1)];
  const depth = index.shape.at(-1)!;
  const [lead, rest] = [x.shape.slice(0, depth), size(x.shape.slice(depth))];
  const count = size(index.shape.slice(0, -1));
  const flat = flattened(n, index, lead);
  const at = n.let(`broadcast(${reshaped(flat, [count, 1])}, ${list([count, rest])})`);
  const table = {
    text: n.let(reshaped(x.text, [size(lead), rest])),
    shape: [size(lead), rest],
    dtype: dtypeOf(x.element),
  };
  const updates = { text: n.let(reshaped(n.x(2), [count, rest])), shape: [count, rest] };
  const y = n.let(scattered(n, table, at, updates, 0, n.string('reduction', 'none')));
  return reshaped(y, x.shape);
}

function gatherND(n: Node): string {
  const [x, index] = [n.in(0), n.in(1)];
  const batch = n.int('batch_dims', 0);
  const depth = index.shape.at(-1)!;
  const lead = x.shape.slice(batch, batch + depth);
  const rest = x.shape.slice(batch + depth);
  const groups = size(x.shape.slice(0, batch));
  let flat = flattened(n, index, lead);
  if (batch > 0) {
    const each = [groups, size(index.shape.slice(batch, -1))];
    flat = n.let(`${reshaped(flat, each)} + iota(${list(each)}) * ${size(lead)}`);
  }
  const table = n.let(reshaped(x.text, [groups * size(lead), ...rest]));
  return reshaped(pick(table, 0, flat), [...index.shape.slice(0, -1), ...rest]);
}

function topk(n: Node): Result[] {
  const { shape, element } = n.in(0);
  const rank = shape.length;
  const axis = fromStart(n.int('axis', -1), rank);
  const k = n.constants(1)?.[0] ?? n.int('k', 1);
  n.ignore('sorted');
  const sign = n.int('largest', 1) ? '' : '-';
  const order = [...range(0, rank).filter(i => i !== axis), axis];
  const back = range(0, rank).map(i => order.indexOf(i));
  const x = isFloating(element) ? n.x() : `cast(${n.x()}, f32)`;
  const last = n.let(`transpose(${sign}${x}, ${list(order)})`);
  const [most, index] = n.lets(`topk(${last}, ${k})`, 2) as [string, string];
  const values = `${sign}transpose(${most}, ${list(back)})`;
  return [
    { text: isFloating(element) ? values : `cast(${values}, ${dtypeOf(element)})`, element },
    { text: `transpose(${index}, ${list(back)})`, element: 'int64' },
  ];
}

/** Sums or products of all elements up to each one. */
const cumulative =
  (name: 'sum' | 'prod'): Rule =>
  n => {
    const { shape } = n.in(0);
    const axis = fromStart(n.constants(1)![0]!, shape.length);
    const d = shape[axis]!;
    const [exclusive, reverse] = [n.int('exclusive', 0), n.int('reverse', 0)];
    const [i, j] = [`iota(${d}, ${d})`, `iota(${d}, ${d}, axis = 1)`];
    const order = `${reverse ? i : j} <${exclusive ? '' : '='} ${reverse ? j : i}`;
    const seen = reshaped(n.let(order), [
      ...shape.slice(0, axis).map(() => 1),
      d,
      d,
      ...shape.slice(axis + 1).map(() => 1),
    ]);
    return `${name}(where(${seen}, unsqueeze(${n.x()}, ${axis}), ${name === 'sum' ? 0 : 1}), axis = ${axis + 1})`;
  };

export const indexing: Readonly<Record<string, Rule>> = {
  Gather: n => {
    const { shape } = n.in(0);
    const axis = fromStart(n.int('axis', 0), shape.length);
    return pick(n.x(), axis, positions(n, n.in(1), shape[axis]!));
  },
  GatherElements: n => {
    const { shape } = n.in(0);
    const axis = fromStart(n.int('axis', 0), shape.length);
    const at = positions(n, n.in(1), shape[axis]!);
    const to = n.in(1).shape.map((d, i) => (i === axis ? shape[axis]! : d));
    const x = to.every((d, i) => d === shape[i])
      ? n.x()
      : n.let(
          slice(
            n.x(),
            to.map(() => 0),
            to,
          ),
        );
    return `primitive.gather(${x}, ${at}, axis = ${axis})`;
  },
  GatherND: gatherND,
  Scatter: scatterElements,
  ScatterElements: scatterElements,
  ScatterND: scatterND,
  OneHot: n => {
    const depth = n.constants(1)![0]!;
    const { shape } = n.in(0);
    const axis = fromStart(n.int('axis', -1), shape.length + 1);
    const at = positions(n, n.in(0), depth);
    const place = reshaped(
      `iota(${depth})`,
      range(0, shape.length + 1).map(i => (i === axis ? depth : 1)),
    );
    const text = `where(unsqueeze(${at}, ${axis}) == ${place}, ${n.x(2)}[1], ${n.x(2)}[0])`;
    return { text, element: n.in(2).element };
  },
  Trilu: n => {
    const shape = n.in(0).shape.slice(-2) as [number, number];
    const k = n.constants(1)?.[0] ?? 0;
    const over = `iota(${list(shape)}, axis = 1) - iota(${list(shape)})`;
    return `where(${over} ${n.int('upper', 1) ? '>=' : '<='} ${k}, ${n.x()}, 0)`;
  },
  CumSum: cumulative('sum'),
  CumProd: cumulative('prod'),
  TopK: topk,
  ReverseSequence: n => {
    const { shape } = n.in(0);
    const [batch, time] = [n.int('batch_axis', 1), n.int('time_axis', 0)];
    const along = (axis: number) => shape.map((d, i) => (i === axis ? d : 1));
    const t = n.let(reshaped(`iota(${shape[time]})`, along(time)));
    const length = n.let(reshaped(n.x(1), along(batch)));
    const at = `where(${t} < ${length}, ${length} - 1 - ${t}, ${t})`;
    return `primitive.gather(${n.x()}, broadcast(${at}, ${list(shape)}), axis = ${time})`;
  },
  Compress: n => {
    const { shape } = n.in(0);
    const kept = n.constants(1)!.flatMap((v, i) => (v ? [i] : []));
    const at = n.writer.feed({ element: 'int64', shape: [kept.length], data: kept });
    const axis = n.number('axis');
    if (axis === undefined) return pick(reshaped(n.x(), [size(shape)]), 0, at.text);
    return pick(n.x(), fromStart(axis, shape.length), at.text);
  },
};
