import type { Get, Ref } from '../code.ts';
import type { Lanes } from '../lanes.ts';
import { int } from './polynomial.ts';

const rotations = [13, 15, 26, 6, 17, 29, 16, 24];

/** Threefry-2x32, 20 rounds (Salmon et al., SC 2011): the first of the two words. */
export function threefry(l: Lanes, key0: Get, key1: Get, counter0: Get, counter1: Get): Ref {
  const { m } = l.code;
  const rotate = (x: Get, by: number): Ref =>
    l.bits.or(l.i.shl(x(), m.i32.const(by)), l.i.shr_u(x(), m.i32.const(32 - by)));
  const key2 = int(l, l.bits.xor(l.bits.xor(key0(), key1()), l.int(0x1bd11bda)));
  const keys = [key0, key1, key2];
  let x = int(l, l.i.add(counter0(), key0()));
  let y = int(l, l.i.add(counter1(), key1()));
  for (let group = 0; group < 5; group++) {
    for (let i = 0; i < 4; i++) {
      x = int(l, l.i.add(x(), y()));
      y = int(l, l.bits.xor(rotate(y, rotations[(group % 2) * 4 + i]!), x()));
    }
    x = int(l, l.i.add(x(), keys[(group + 1) % 3]!()));
    y = int(l, l.i.add(l.i.add(y(), keys[(group + 2) % 3]!()), l.int(group + 1)));
  }
  return x();
}
