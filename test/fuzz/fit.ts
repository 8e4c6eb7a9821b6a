import * as D from '../../src/ir/dim.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import type { DType } from '../../src/ir/type.ts';
import { isFloat, isInteger, sameShape, tensor } from '../../src/ir/type.ts';
import type { Val } from './case.ts';
import { N, numberText, type Writer } from './writer.ts';

const constants = (shape: readonly D.Dim[]): number[] => shape.map(d => D.constantValue(d) ?? 0);
const count = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);
const isFixed = (d: D.Dim): boolean => D.constantValue(d) !== undefined;
const dims = (shape: readonly D.Dim[]): string => shape.map(D.print).join(', ');

/** A value of the shape, made of `v` by views, means over what is free, and repetition. */
export function fitted(w: Writer, v: Val, shape: readonly D.Dim[]): Val {
  if (sameShape(v.type.shape, shape)) return v;
  const free = shape.flatMap((d, i) => (isFixed(d) ? [] : [i]));
  const batched =
    v.type.shape.length > 1 && D.equal(v.type.shape[0]!, N) && v.type.shape.slice(1).every(isFixed);
  const rest = shape.filter(isFixed);
  if (batched && free.length === 1 && D.equal(shape[free[0]!]!, N)) {
    const rows = resized(w, v, [N], constants(rest));
    return free[0] === 0 ? rows : moved(w, rows, free[0]!, shape);
  }
  const fixed = resized(w, withoutFree(w, v), [], constants(rest));
  if (free.length === 0) return fixed;
  const ones = shape.map(d => (isFixed(d) ? d : D.constant(1)));
  const column = sameShape(fixed.type.shape, ones)
    ? fixed
    : w.one(`reshape(${fixed.name}, ${dims(ones)})`, tensor(v.type.dtype, ones), [fixed], v.level);
  return w.one(`broadcast(${column.name}, ${dims(shape)})`, tensor(v.type.dtype, shape), [column], v.level);
}

/** The first axis goes to place `to`. */
function moved(w: Writer, v: Val, to: number, shape: readonly D.Dim[]): Val {
  const order = shape.map((_, i) => (i < to ? i + 1 : i === to ? 0 : i));
  return w.one(`transpose(${v.name}, ${order.join(', ')})`, tensor(v.type.dtype, shape), [v], v.level);
}

/** Folds the axes of free sizes. */
function withoutFree(w: Writer, v: Val): Val {
  const { dtype, shape } = v.type;
  const free = shape.flatMap((d, i) => (isFixed(d) ? [] : [i]));
  if (free.length === 0) return v;
  const type = tensor(dtype, shape.filter(isFixed));
  const axes = `axis = [${free.join(', ')}]`;
  if (dtype === 'f32') return w.one(`mean(${v.name}, ${axes})`, type, [v], v.level);
  if (dtype === 'f16' || (isInteger(dtype) && dtype !== 'u8'))
    return w.one(`max(${v.name}, ${axes})`, type, [v]);
  return w.one(`cast(max(cast(${v.name}, i32), ${axes}), ${dtype})`, type, [v]);
}

/** Of the elements behind the `leading` axes: as many as the shape has, in its order. */
function resized(w: Writer, v: Val, leading: readonly D.Dim[], shape: readonly number[]): Val {
  const { dtype } = v.type;
  const own = constants(v.type.shape.slice(leading.length));
  const [have, want] = [count(own), count(shape)];
  const at = leading.map(D.print);
  const typed = (...rest: readonly number[]) => tensor(dtype, [...leading, ...rest]);
  const all = leading.length === 0 ? '' : ':, ';
  let flat = v;
  if (own.length !== 1)
    flat = w.one(`reshape(${v.name}, ${[...at, have].join(', ')})`, typed(have), [v], v.level);
  if (have === 0) {
    const text = `zeros(${[...at, want].join(', ')}, dtype = ${dtype})`;
    flat = w.one(dtype === 'bool' ? `${text.replace('bool', 'i32')} == 1` : text, typed(want), [], 0);
  } else if (have > want) flat = w.one(`${flat.name}[${all}${have - want}:]`, typed(want), [flat], v.level);
  else if (have < want) {
    const times = Math.ceil(want / have);
    if (have === 1)
      flat = w.one(`broadcast(${flat.name}, ${[...at, want].join(', ')})`, typed(want), [flat], v.level);
    else if (times > 6) {
      const [one, many] = [
        [...at, 1, have],
        [...at, times, have],
      ];
      const column = w.one(`reshape(${flat.name}, ${one.join(', ')})`, typed(1, have), [flat], v.level);
      const rows = w.one(
        `broadcast(${column.name}, ${many.join(', ')})`,
        typed(times, have),
        [column],
        v.level,
      );
      flat = w.one(
        `reshape(${rows.name}, ${[...at, times * have].join(', ')})`,
        typed(times * have),
        [rows],
        v.level,
      );
      if (times * have > want) flat = w.one(`${flat.name}[${all}:${want}]`, typed(want), [flat], v.level);
    } else {
      const copies = Array.from({ length: times }, (_, i) =>
        i % 2 && isFloat(dtype) ? `-${flat.name}` : flat.name,
      );
      const text = `concat(${copies.join(', ')}, axis = ${leading.length})`;
      flat = w.one(text, typed(times * have), [flat], v.level);
      if (times * have > want) flat = w.one(`${flat.name}[${all}:${want}]`, typed(want), [flat], v.level);
    }
  }
  if (shape.length === 1) return flat;
  if (shape.length === 0) return w.one(`${flat.name}[${all}0]`, typed(), [flat], v.level);
  return w.one(`reshape(${flat.name}${['', ...at, ...shape].join(', ')})`, typed(...shape), [flat], v.level);
}

/** The value in another dtype; floats become integers and bools without a comparison on a knife's edge. */
export function cast(w: Writer, v: Val, dtype: DType): Val {
  if (v.type.dtype === dtype) return v;
  const type = { dtype, shape: v.type.shape };
  const { name } = v;
  if (isFloat(v.type.dtype) && !isFloat(dtype)) {
    if (dtype === 'bool') return w.one(`${name} > 0.1234`, type, [v]);
    return w.one(`cast(floor(7.3 * sigmoid(${name})), ${dtype})`, type, [v]);
  }
  if (isFloat(dtype) && isInteger(v.type.dtype)) return w.one(`sin(cast(${name}, ${dtype}))`, type, [v]);
  if (dtype === 'bool') return w.one(`cast(${name}, i32) % 2 == 1`, type, [v]);
  return w.one(`cast(${name}, ${dtype})`, type, [v]);
}

/** Brings a value into the range that a sample has, so that an op meets what it is made for. */
export function within(w: Writer, v: Val, sample: NdArray): Val {
  const { dtype } = v.type;
  const low = sample.data.reduce((a, b) => Math.min(a, b), Infinity);
  const high = sample.data.reduce((a, b) => Math.max(a, b), -Infinity);
  if (dtype === 'bool' || low > high) return v;
  if (isInteger(dtype)) {
    const from = Math.min(Math.ceil(dtype === 'i32' ? low : Math.max(low, 0)), 2 ** 30);
    const range = Math.max(1, Math.min(Math.floor(high) - from + 1, 2 ** 30));
    const number = dtype === 'u8' ? cast(w, v, 'i32') : v;
    const text = `${number.name} % ${numberText(range)} + ${numberText(from)}`;
    const mapped = w.one(text, { ...v.type, dtype: number.type.dtype }, [number]);
    return cast(w, mapped, dtype);
  }
  const least = sample.data.reduce((a, b) => Math.min(a, Math.abs(b)), Infinity);
  if (high <= 2 && low >= -2 && least < 0.2 && sample.data.length > 1) return w.tame(v);
  const round = (x: number): number => Math.round(x * 1000) / 1000;
  // Off zero on both sides: one of them.
  const [a, b] =
    low < 0 && high > 0 && least > 0.2 ? (w.random.chance(0.5) ? [least, high] : [low, -least]) : [low, high];
  return w.one(
    `${numberText(round(a))} + ${numberText(round(Math.max(b - a, 0.1)))} * sigmoid(${v.name})`,
    v.type,
    [v],
  );
}
