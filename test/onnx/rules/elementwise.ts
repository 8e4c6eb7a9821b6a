import type { Node, Rule } from '../node.ts';
import { dtypeOf, type Element, elementOf, isFloating } from '../tensor.ts';
import { float, single, type Value } from '../writer.ts';

/** Brings the result of integer arithmetic into the range of a type narrower than a word. */
export function wrapped(text: string, element: Element): string {
  switch (element) {
    case 'uint8':
      return `(${text}) % 256`;
    case 'uint16':
      return `(${text}) % 65536`;
    case 'int8':
      return `(${text} + 128) % 256 - 128`;
    case 'int16':
      return `(${text} + 32768) % 65536 - 32768`;
    default:
      return text;
  }
}

const unary =
  (text: (x: string) => string): Rule =>
  n =>
    text(n.x());

const binary =
  (text: (a: string, b: string) => string): Rule =>
  n =>
    wrapped(text(n.x(0), n.x(1)), n.in(0).element);

const test =
  (text: (a: string, b: string) => string): Rule =>
  n => ({ text: text(n.x(0), n.x(1)), element: 'bool' });

const many =
  (join: (a: string, b: string) => string, end = (all: string, _count: number) => all): Rule =>
  n =>
    end(
      n.inputs.map((_, i) => n.x(i)).reduce((a, b) => n.let(join(a, b))),
      n.inputs.length,
    );

/** Rounds towards zero, as ONNX divides integers. */
const quotient = (a: string, b: string, element: Element): string => {
  if (isFloating(element)) return `${a} / ${b}`;
  if (element.startsWith('u')) return `${a} ~/ ${b}`;
  return `sign(${a}) * sign(${b}) * (abs(${a}) ~/ abs(${b}))`;
};

const asFloat = (v: Value): string => (isFloating(v.element) ? v.text : `cast(${v.text}, f32)`);

/** A value in another element type. */
export function converted(v: Value, to: Element): string {
  const dtype = dtypeOf(to);
  if (to === v.element || (dtype === dtypeOf(v.element) && dtype === 'f32')) return v.text;
  const text = dtype === dtypeOf(v.element) ? v.text : `cast(${v.text}, ${dtype})`;
  return wrapped(text, to);
}

function bound(n: Node, i: number, attribute: string): string | undefined {
  if (n.has(i)) return n.x(i);
  const value = n.number(attribute);
  return value === undefined ? undefined : single(value);
}

/** Bits of both numbers, one by one: the language has no operators on bits. */
function bitwise(n: Node, bit: (p: string, q: string) => string): string {
  const [a, b] = [n.x(0), n.x(1)];
  const { element } = n.in(0);
  const width = Number(/\d+/.exec(element)![0]);
  const bits = Math.min(width, 32);
  const terms = Array.from({ length: bits }, (_, k) => {
    const of = (x: string) => n.let(`(${x} ~/ ${2 ** Math.min(k, 30)}${k === 31 ? ' ~/ 2' : ''}) % 2`);
    const place = k === 31 && dtypeOf(element) === 'i32' ? '(-2147483647 - 1)' : String(2 ** k);
    const found = `(${bit(of(a), of(b))})`;
    return k === bits - 1 && !element.startsWith('u') && k < 31
      ? `${found} * -${place}`
      : `${found} * ${place}`;
  });
  return terms.reduce((p, q) => n.let(`${p} + ${q}`));
}

const powerOfTwo = (n: Node, dtype: string): string =>
  n.let(`cast(round(2 ^ cast(${n.x(1)}, f32)), ${dtype})`);

export const elementwise: Readonly<Record<string, Rule>> = {
  Abs: unary(x => `abs(${x})`),
  Acos: unary(x => `acos(${x})`),
  Acosh: unary(x => `acosh(${x})`),
  Asin: unary(x => `asin(${x})`),
  Asinh: unary(x => `asinh(${x})`),
  Atan: unary(x => `atan(${x})`),
  Atanh: unary(x => `atanh(${x})`),
  Ceil: unary(x => `ceil(${x})`),
  Cos: unary(x => `cos(${x})`),
  Cosh: unary(x => `cosh(${x})`),
  Erf: unary(x => `erf(${x})`),
  Exp: unary(x => `exp(${x})`),
  Floor: unary(x => `floor(${x})`),
  HardSwish: unary(x => `hard_swish(${x})`),
  Identity: unary(x => x),
  Log: unary(x => `log(${x})`),
  Mish: unary(x => `mish(${x})`),
  Neg: unary(x => `-${x}`),
  Not: unary(x => `not ${x}`),
  Reciprocal: unary(x => `1 / ${x}`),
  Relu: unary(x => `max(${x}, 0)`),
  Round: unary(x => `round(${x})`),
  Sigmoid: unary(x => `sigmoid(${x})`),
  Sign: unary(x => `sign(${x})`),
  Sin: unary(x => `sin(${x})`),
  Sinh: unary(x => `sinh(${x})`),
  Softplus: unary(x => `softplus(${x})`),
  Softsign: unary(x => `softsign(${x})`),
  Sqrt: unary(x => `sqrt(${x})`),
  Tan: unary(x => `tan(${x})`),
  Tanh: unary(x => `tanh(${x})`),
  // WGSL lets an implementation assume that no NaN occurs, so `x != x` says nothing there.
  IsNaN: n => n.no('NaN, which kernels may assume away'),
  IsInf: n => {
    const [up, down] = [n.int('detect_positive', 1), n.int('detect_negative', 1)];
    const most = float(Number.POSITIVE_INFINITY);
    const above = `${n.x()} > ${most}`;
    const below = `${n.x()} < -${most}`;
    const text = up && down ? `${above} or ${below}` : up ? above : down ? below : `${n.x()} != ${n.x()}`;
    return { text, element: 'bool' };
  },

  Celu: n => `celu(${n.x()}, alpha = ${float(n.float('alpha', 1))})`,
  Elu: n => `elu(${n.x()}, alpha = ${float(n.float('alpha', 1))})`,
  Gelu: n => `gelu(${n.x()}, approximate = ${n.string('approximate', 'none') === 'tanh'})`,
  HardSigmoid: n =>
    `clamp(${float(n.float('alpha', 0.2))} * ${n.x()} + ${float(n.float('beta', 0.5))}, 0, 1)`,
  LeakyRelu: n => `leaky_relu(${n.x()}, slope = ${float(n.float('alpha', 0.01))})`,
  Selu: n => {
    const alpha = n.float('alpha', 1.6732632423543772);
    return `${float(n.float('gamma', 1.0507009873554805))} * elu(${n.x()}, alpha = ${float(alpha)})`;
  },
  Shrink: n => {
    const [bias, edge] = [float(n.float('bias', 0)), float(n.float('lambd', 0.5))];
    const x = n.let(n.in(0).element === 'float' ? n.x() : asFloat(n.in(0)));
    const y = `where(${x} < -${edge}, ${x} + ${bias}, where(${x} > ${edge}, ${x} - ${bias}, 0))`;
    const { element } = n.in(0);
    return isFloating(element) ? y : `cast(${y}, ${dtypeOf(element)})`;
  },
  Swish: n => `swish(${n.x()}, beta = ${float(n.float('alpha', 1))})`,
  ThresholdedRelu: n => `where(${n.x()} > ${float(n.float('alpha', 1))}, ${n.x()}, 0)`,
  PRelu: n => `where(${n.x(0)} > 0, ${n.x(0)}, ${n.x(1)} * ${n.x(0)})`,

  Add: binary((a, b) => `${a} + ${b}`),
  Sub: binary((a, b) => `${a} - ${b}`),
  Mul: binary((a, b) => `${a} * ${b}`),
  Div: n => wrapped(quotient(n.x(0), n.x(1), n.in(0).element), n.in(0).element),
  Mod: n => {
    if (n.int('fmod', 0) === 0) return `${n.x(0)} % ${n.x(1)}`;
    return `sign(${n.x(0)}) * (abs(${n.x(0)}) % abs(${n.x(1)}))`;
  },
  Pow: n => {
    const { element } = n.in(0);
    const text = `${asFloat(n.in(0))} ^ ${asFloat(n.in(1))}`;
    return isFloating(element) ? text : `cast(round(${text}), ${dtypeOf(element)})`;
  },
  Max: many((a, b) => `max(${a}, ${b})`),
  Min: many((a, b) => `min(${a}, ${b})`),
  Sum: many((a, b) => `${a} + ${b}`),
  Mean: many(
    (a, b) => `${a} + ${b}`,
    (all, count) => `${all} / ${count}`,
  ),

  And: test((a, b) => `${a} and ${b}`),
  Or: test((a, b) => `${a} or ${b}`),
  Xor: test((a, b) => `${a} != ${b}`),
  Equal: test((a, b) => `${a} == ${b}`),
  Greater: test((a, b) => `${a} > ${b}`),
  GreaterOrEqual: test((a, b) => `${a} >= ${b}`),
  Less: test((a, b) => `${a} < ${b}`),
  LessOrEqual: test((a, b) => `${a} <= ${b}`),
  Where: n => ({ text: `where(${n.x(0)}, ${n.x(1)}, ${n.x(2)})`, element: n.in(1).element }),

  BitShift: n => {
    const { element } = n.in(0);
    const by = powerOfTwo(n, dtypeOf(element));
    return n.string('direction', '') === 'LEFT' ? wrapped(`${n.x()} * ${by}`, element) : `${n.x()} ~/ ${by}`;
  },
  BitwiseAnd: n => bitwise(n, (p, q) => `${p} * ${q}`),
  BitwiseOr: n => bitwise(n, (p, q) => `max(${p}, ${q})`),
  BitwiseXor: n => bitwise(n, (p, q) => `(${p} + ${q}) % 2`),
  BitwiseNot: n => {
    const { element } = n.in(0);
    if (!element.startsWith('u')) return `-1 - ${n.x()}`;
    return `${2 ** Math.min(Number(/\d+/.exec(element)![0]), 32) - 1} - ${n.x()}`;
  },

  Clip: n => {
    const [low, high] = [bound(n, 1, 'min'), bound(n, 2, 'max')];
    const above = low === undefined ? n.x() : `max(${n.x()}, ${low})`;
    return high === undefined ? above : `min(${above}, ${high})`;
  },
  Cast: n => {
    n.ignore('saturate', 'round_mode');
    const to = elementOf(n.int('to', 1));
    return { text: converted(n.in(0), to), element: to };
  },
  CastLike: n => {
    n.ignore('saturate', 'round_mode');
    return { text: converted(n.in(0), n.in(1).element), element: n.in(1).element };
  },
  Dropout: n => {
    n.ignore('seed', 'ratio', 'is_test');
    const ratio = n.constants(1)?.[0] ?? 0.5;
    if (n.constants(2)?.[0] && ratio !== 0) n.no('a random mask');
    return [n.x(), { text: `zeros([${n.in(0).shape.join(', ')}]) == 0`, element: 'bool' }];
  },
};
