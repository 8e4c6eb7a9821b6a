import type { DType } from '../../ir/type.ts';
import { isFloat } from '../../ir/type.ts';
import { largestFloat16 } from '../../support/float16.ts';
import type { Ref } from './code.ts';
import type { Lanes } from './lanes.ts';
import { rounded } from './scalar.ts';

/** The nearest value of the other dtype: floats truncate, what is out of range becomes the last in it. */
export function cast(l: Lanes, a: Ref, from: DType, to: DType): Ref {
  if (from === to) return a;
  switch (to) {
    case 'f32':
      return toFloat(l, a, from);
    case 'f16': {
      if (from === 'bool' || from === 'u8') return toFloat(l, a, from);
      const bounded = l.atLeast(l.atMost(toFloat(l, a, from), largestFloat16), -largestFloat16);
      return rounded(l, bounded, to);
    }
    case 'bool':
      return isFloat(from) ? l.f.ne(a, l.constant(0)) : l.i.ne(a, l.int(0));
    case 'i32':
      if (from === 'bool') return l.maskToInt(a);
      if (from === 'u8') return a;
      if (from === 'u32') return l.minInt(a, l.int(2147483647), false);
      // The last f32 in range, as in WGSL.
      return l.truncate(from === 'f32' ? l.atMost(a, 2147483520) : a, true);
    case 'u32':
      if (from === 'bool') return l.maskToInt(a);
      if (from === 'u8') return a;
      if (from === 'i32') return l.maxInt(a, l.int(0), true);
      return l.truncate(from === 'f32' ? l.atMost(a, 4294967040) : a, false);
    case 'u8':
      if (from === 'bool') return l.maskToInt(a);
      return l.minInt(
        from === 'u32' ? a : from === 'i32' ? l.maxInt(a, l.int(0), true) : l.truncate(a, false),
        l.int(255),
        false,
      );
  }
}

function toFloat(l: Lanes, a: Ref, from: DType): Ref {
  if (isFloat(from)) return a;
  if (from === 'bool') return l.convert(l.maskToInt(a), true);
  return l.convert(a, from !== 'u32');
}
