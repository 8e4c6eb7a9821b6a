const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The value of IEEE 754 binary16 bits. */
export function float16ToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** binary16 bits of a number, rounded to nearest even in one step; too large becomes infinity. */
export function numberToFloat16(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const x = Math.abs(value);
  if (Number.isNaN(x)) return 0x7e00;
  if (x >= 65520) return sign | 0x7c00;
  // The step between neighbours: 2^-24 for subnormals, else 2^(exponent - 10).
  const exponent = x < 2 ** -14 ? -14 : Math.min(15, exponentOf(x));
  const steps = x / 2 ** (exponent - 10);
  const low = Math.floor(steps);
  const rest = steps - low;
  const rounded = rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
  // Steps from 1024 on carry the implicit bit, so that a carry moves into the exponent by itself.
  return sign | (((exponent + 14) << 10) + rounded);
}

/** floor(log2 x) of a normal float32-range number, exactly. */
function exponentOf(x: number): number {
  let exponent = Math.floor(Math.log2(x));
  if (2 ** exponent > x) exponent--;
  else if (2 ** (exponent + 1) <= x) exponent++;
  return exponent;
}

/** The value of bfloat16 bits: the upper half of a binary32. */
export function bfloat16ToNumber(half: number): number {
  bits[0] = half << 16;
  return float[0]!;
}

/** The largest finite binary16. */
export const largestFloat16 = 65504;

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/** A number as binary16 holds it: nearest, ties to even; too large becomes infinity. */
export function roundToFloat16(x: number): number {
  if (!(Math.abs(x) < 65520)) return x * Number.POSITIVE_INFINITY;
  double[0] = x;
  const exponent = ((words[1]! >>> 20) & 0x7ff) - 1023;
  // Doubles of this size lie as far apart as the halves around x, so that adding rounds.
  const large = 1.5 * 2 ** (Math.max(exponent, -14) + 42);
  return x + large - large || x * 0;
}

/** The same, with what is too large brought to the largest finite one: what conversions on a device do. */
export function toFloat16(x: number): number {
  return roundToFloat16(Math.min(Math.max(x, -largestFloat16), largestFloat16));
}
