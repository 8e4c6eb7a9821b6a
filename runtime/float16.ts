const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The value of IEEE 754 binary16 bits: those of an f32 whose exponent is 112 too small. */
export function fromFloat16(half: number): number {
  bits[0] = ((half & 0x8000) << 16) | ((half & 0x7fff) << 13);
  const past = (half & 0x7fff) - 0x7c00;
  return float[0]! * (past < 0 ? 2 ** 112 : past ? Number.NaN : 1 / 0);
}

/** binary16 bits of an f32, rounded to nearest even; what is too large becomes the largest finite number, as on the device. */
export function toFloat16(value: number): number {
  float[0] = value;
  const sign = (bits[0]! >>> 16) & 0x8000;
  const size = bits[0]! & 0x7fffffff;
  if (size > 0x7f800000) return 0x7e00;
  // 65520 and more would round to infinity.
  if (size >= 0x477ff000) return sign | 0x7bff;
  // Below 2^-14 the steps are 2^-24; adding 0.5 makes floats lie that far apart.
  float[0] = Math.abs(value) + 0.5;
  if (size < 0x38800000) return sign | (bits[0]! - 0x3f000000);
  // The exponent is moved to its new bias, the fraction rounded by half of its last bit, a tie by whether that is odd.
  return sign | ((size - 0x37fff001 + ((size >>> 13) & 1)) >>> 13);
}
