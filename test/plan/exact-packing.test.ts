import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packExactly } from '../../src/passes/plan/exact-packing.ts';
import {
  bestFit,
  mostLive,
  type Packing,
  packIntervals,
  type Sized,
} from '../../src/passes/plan/pack-intervals.ts';
import { generator } from '../arbitrary/numbers.ts';

const meet = (a: Sized, b: Sized): boolean => a.from <= b.to && b.from <= a.to;

function expectSound(items: readonly Sized[], { offsets, size }: Packing): void {
  items.forEach((a, i) => {
    expect(offsets[i]).toBeGreaterThanOrEqual(0);
    expect(offsets[i]! + a.size).toBeLessThanOrEqual(size);
    items.slice(0, i).forEach((b, j) => {
      const clear = offsets[i]! + a.size <= offsets[j]! || offsets[j]! + b.size <= offsets[i]!;
      expect(!meet(a, b) || clear).toBe(true);
    });
  });
}

/** A rectangle of bytes and time, cut into pieces: it can be packed without a gap. */
function cut(seed: number, pieces: number): Sized[] {
  const next = generator(seed);
  const below = (n: number): number => Math.floor(((next() + 1) / 2) * n) % n;
  const list = [{ size: 10_000, from: 0, to: 199 }];
  while (list.length < pieces) {
    const i = list.reduce((a, b, k) => (b.size * (b.to - b.from + 1) > area(list[a]!) ? k : a), 0);
    const { size, from, to } = list[i]!;
    const inTime = to - from > 3 && below(3) < 2;
    if (inTime) {
      const at = from + 1 + below(to - from);
      list.splice(i, 1, { size, from, to: at - 1 }, { size, from: at, to });
    } else {
      const at = 1 + below(size - 1);
      list.splice(i, 1, { size: at, from, to }, { size: size - at, from, to });
    }
  }
  return list;
}
const area = ({ size, from, to }: Sized): number => size * (to - from + 1);

test('what can be packed without a gap comes within a hundredth of it, where going by size does not', () => {
  let short = 0;
  for (let seed = 1; seed <= 30; seed++) {
    const items = cut(seed, 15 + seed);
    expect(mostLive(items)).toBe(10_000);
    const found = packIntervals(items);
    expectSound(items, found);
    expect(found.size, `seed ${seed}`).toBeLessThanOrEqual(10_100);
    if (bestFit(items).size > 10_100) short++;
  }
  expect(short).toBeGreaterThan(8);
});

/** The least size of all packings: some order of placing each as low as it can lie gives it. */
function least(
  items: readonly Sized[],
  placed: readonly number[] = [],
  offsets: readonly number[] = [],
): number {
  if (placed.length === items.length) return Math.max(...items.map((x, i) => offsets[i]! + x.size));
  return Math.min(
    ...items.flatMap((x, i) => {
      if (placed.includes(i)) return [];
      const low = placed.reduce(
        (at, k) => (meet(items[k]!, x) ? Math.max(at, offsets[k]! + items[k]!.size) : at),
        0,
      );
      const with_ = [...offsets];
      with_[i] = low;
      return [least(items, [...placed, i], with_)];
    }),
  );
}

test('the search finds a packing that reaches the bound wherever there is one', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ size: fc.integer({ min: 1, max: 9 }), from: fc.nat(6), length: fc.nat(4) }), {
        minLength: 1,
        maxLength: 6,
      }),
      list => {
        const items = list.map(({ size, from, length }) => ({ size, from, to: from + length }));
        const bound = mostLive(items);
        const found = packExactly(items, bound);
        expect(found?.size ?? 0).toBe(least(items) === bound ? bound : 0);
        if (found) expectSound(items, found);
      },
    ),
    { numRuns: 300, seed: 3 },
  );
});

test('it ends at once where less is allowed than lives at once', () => {
  const items = cut(1, 300);
  expect(packExactly(items, 9000)).toBeUndefined();
});
