import type { DType } from '../../ir/type.ts';

const largestF32 = 3.4028234663852886e38;
const largestF16 = 65504;

/**
 * A literal of the dtype's value type. Infinities become the largest finite number, because WGSL has none; a NaN has
 * no literal and is the caller's to make.
 */
export function literal(value: number, dtype: DType): string {
  switch (dtype) {
    case 'f32':
      return float(clamp(value, largestF32));
    case 'f16':
      return `${float(clamp(value, largestF16))}h`;
    case 'i32':
      return value <= -2147483648 ? 'i32(-2147483647 - 1)' : String(Math.trunc(value));
    case 'u32':
    case 'u8':
      return `${value >>> 0}u`;
    case 'bool':
      return value === 0 ? 'false' : 'true';
  }
}

function clamp(x: number, largest: number): number {
  return Math.min(Math.max(x, -largest), largest);
}

/** The type of values of so many lanes. */
export function valueType(dtype: DType, lanes = 1): string {
  const scalar = dtype === 'u8' ? 'u32' : dtype;
  if (lanes === 1) return scalar;
  if (lanes !== 4) throw new Error(`WGSL has no vectors of ${lanes}`);
  return scalar === 'bool' ? 'vec4<bool>' : `vec4${scalar === 'f16' ? 'h' : scalar[0]}`;
}

/** The shortest decimal that rounds to the same f32. */
function float(value: number): string {
  const wanted = Math.fround(value);
  if (Math.abs(wanted) === largestF32) return wanted < 0 ? `-${largestText}` : largestText;
  if (Object.is(wanted, -0)) return '-0.0';
  for (let digits = 1; digits <= 9; digits++) {
    const short = Number(wanted.toPrecision(digits));
    if (Math.fround(short) === wanted) return decimal(short);
  }
  return decimal(wanted);
}

/** Rounding its short form up would leave f32's range. */
const largestText = '3.4028234663852886e38';

function decimal(x: number): string {
  const text = String(x).replace('e+', 'e');
  return /[.e]/.test(text) ? text : `${text}.0`;
}
