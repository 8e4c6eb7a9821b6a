import { fromStart, type Node, type Rule } from '../node.ts';
import { type Element, elementOf } from '../tensor.ts';
import { list, type Value } from '../writer.ts';
import { asFloat } from './products.ts';
import { reshaped } from './text.ts';
import { convolution } from './windows.ts';

const limits: Readonly<Partial<Record<Element, readonly [number, number]>>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
  int32: [-2147483648, 2147483647],
};

/** Rounds, adds the zero point and stays inside the type. */
function saturated(n: Node, x: string, zero: string, element: Element): string {
  const [low, high] = limits[element] ?? n.no(`results of ${element}`);
  return `cast(clamp(round(${x}) + ${zero}, ${low}, ${high}), i32)`;
}

/** Scales and zero points have one element, one for each place of an axis, or one for each block of it. */
function alongAxis(n: Node, v: Value, x: Value, axis: number, block: number): string {
  const text = asFloat(v);
  if (v.shape.length === 0) return text;
  if (v.shape.length === 1) {
    if (v.shape[0] === 1) return `${text}[0]`;
    return reshaped(
      text,
      x.shape.map((_, i) => (i === axis ? v.shape[0]! : 1)),
    );
  }
  if (block === 0) return text;
  return n.let(`cut(repeat_each(${n.let(text)}, ${block}, ${axis}), ${axis}, 0, ${x.shape[axis]})`);
}

/** x without its zero point, as floats. */
function centred(n: Node, x: Value, zero: Value | undefined, axis: number): string {
  return zero ? `(${asFloat(x)} - ${alongAxis(n, zero, x, axis, 0)})` : asFloat(x);
}

export const quantised: Readonly<Record<string, Rule>> = {
  QuantizeLinear: n => {
    n.ignore('saturate', 'precision');
    const x = n.in(0);
    const axis = fromStart(n.int('axis', 1), x.shape.length);
    const block = n.int('block_size', 0);
    const type = n.int('output_dtype', 0);
    const element = n.has(2) ? n.in(2).element : type ? elementOf(type) : 'uint8';
    const scale = alongAxis(n, n.in(1), x, axis, block);
    const zero = n.has(2) ? alongAxis(n, n.in(2), x, axis, block) : '0';
    return { text: saturated(n, `${asFloat(x)} / ${scale}`, zero, element), element };
  },
  DequantizeLinear: n => {
    n.ignore('output_dtype');
    const x = n.in(0);
    const axis = fromStart(n.int('axis', 1), x.shape.length);
    const block = n.int('block_size', 0);
    const zero = n.has(2) ? ` - ${alongAxis(n, n.in(2), x, axis, block)}` : '';
    const text = `(${asFloat(x)}${zero}) * ${alongAxis(n, n.in(1), x, axis, block)}`;
    return { text, element: n.in(1).element };
  },
  DynamicQuantizeLinear: n => {
    const x = n.x();
    const low = n.let(`min(min(${x}), 0)`);
    const scale = n.let(`(max(max(${x}), 0) - ${low}) / 255`);
    const zero = n.let(`clamp(round(-${low} / ${scale}), 0, 255)`);
    return [
      { text: saturated(n, `${x} / ${scale}`, zero, 'uint8'), element: 'uint8' },
      scale,
      { text: `cast(${zero}, i32)`, element: 'uint8' },
    ];
  },
  MatMulInteger: n => {
    const [a, b] = [n.in(0), n.in(1)];
    const zero = (i: number) => n.inputs[i];
    const left = centred(n, a, zero(2), a.shape.length - 2);
    const right = centred(n, b, zero(3), b.shape.length - 1);
    return { text: `cast(round(${left} @ ${right}), i32)`, element: 'int32' };
  },
  QLinearMatMul: n => {
    const [a, b] = [n.in(0), n.in(3)];
    const left = centred(n, a, n.in(2), a.shape.length - 2);
    const right = centred(n, b, n.in(5), b.shape.length - 1);
    const scale = `${alongAxis(n, n.in(1), a, a.shape.length - 2, 0)} * ${alongAxis(n, n.in(4), b, b.shape.length - 1, 0)}`;
    const element = n.in(7).element;
    const y = `(${left} @ ${right}) * (${scale} / ${asFloat(n.in(6))})`;
    const flat = n.in(7).shape.length === 0 ? asFloat(n.in(7)) : `${asFloat(n.in(7))}[0]`;
    return { text: saturated(n, y, flat, element), element };
  },
  ConvInteger: n => {
    const shapes = [n.in(0).shape, n.in(1).shape];
    const x = n.let(centred(n, n.in(0), n.inputs[2], 1));
    const w = n.let(centred(n, n.in(1), n.inputs[3], 0));
    return { text: `cast(round(${convolution(n, x, w, shapes)}), i32)`, element: 'int32' };
  },
  QLinearConv: n => {
    const [x, w] = [n.in(0), n.in(3)];
    const y = convolution(n, n.let(centred(n, x, n.in(2), 1)), n.let(centred(n, w, n.in(5), 0)), [
      x.shape,
      w.shape,
    ]);
    const biased = n.has(8) ? `add_bias(${y}, ${asFloat(n.in(8))})` : y;
    const perChannel = n.in(4).shape.length === 1 && n.in(4).shape[0]! > 1;
    const along = list([1, -1, ...x.shape.slice(2).map(() => 1)]);
    const weights = perChannel ? `reshape(${n.x(4)}, ${along})` : `reshape(${n.x(4)}, [])`;
    const scale = `${weights} * reshape(${n.x(1)}, []) / reshape(${n.x(6)}, [])`;
    const { element } = n.in(7);
    const zero = `reshape(${asFloat(n.in(7))}, [])`;
    return { text: saturated(n, `${biased} * (${scale})`, zero, element), element };
  },
};
