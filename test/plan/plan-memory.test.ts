import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as D from '../../src/ir/dim.ts';
import type { Plan } from '../../src/ir/plan.ts';
import { printLayout, printPlan } from '../../src/ir/print/plan.ts';
import { tensor } from '../../src/ir/type.ts';
import { verifyPlan } from '../../src/ir/verify/plan.ts';
import { bestFit, mostLive, packIntervals } from '../../src/passes/plan/pack-intervals.ts';
import { place } from '../../src/passes/plan/placement.ts';
import { layoutState, planMemory } from '../../src/passes/plan-memory.ts';
import { Builder, copyKernel, H, N, programs, T } from './programs.ts';

const empty = layoutState([]);
const plan = (b: Builder, layout = empty): Plan => planMemory(b.program(), b.works, layout);

describe('planMemory on random programs', () => {
  it('never lets two live values overlap, for any sizes', () => {
    const sizes = fc.record({
      N: fc.integer({ min: 1, max: 999 }),
      T: fc.integer({ min: 1, max: 50 }),
      H: fc.integer({ min: 3, max: 70 }),
    });
    fc.assert(
      fc.property(
        programs,
        fc.array(sizes, { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        (b, list, reuse) => {
          const made = planMemory(b.program(), b.works, empty, { reuse });
          expect(verifyPlan(made, empty, { N: 1, T: 1, H: 3 }, { N: 64, T: 1, H: 3 }, ...list)).toEqual([]);
          for (const s of list) {
            const live = made.liveBytes(s);
            expect(live).toBeLessThanOrEqual(D.evaluate(made.totalBytes, s));
            expect(live).toBeLessThanOrEqual(D.evaluate(made.arenaBytes, s));
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('is checked by a verifier that sees a block moved onto a live one', () => {
    let seen = 0;
    fc.assert(
      fc.property(programs, fc.nat(), fc.nat(), (b, i, j) => {
        const made = plan(b);
        const sizes = { N: 5, T: 3, H: 9 };
        const from = made.blocks[i % made.blocks.length]!;
        const onto = made.blocks[j % made.blocks.length]!;
        const alive = from !== onto && from.from <= onto.to && onto.from <= from.to;
        if (!alive) return;
        seen++;
        const blocks = made.blocks.map(x => (x === from ? { ...x, offset: onto.offset } : x));
        expect(verifyPlan({ ...made, blocks }, empty, sizes)).not.toEqual([]);
      }),
      { numRuns: 200 },
    );
    expect(seen).toBeGreaterThan(50);
  });
});

/** x -> a -> b -> c -> y, all of one size. */
function chain(): Builder {
  const b = new Builder();
  const x = b.tensor('x', [N, 10], { role: 'input', path: 'x' });
  const [a, c, d, y] = ['a', 'b', 'c', 'y'].map(name => b.tensor(name, [N, 10]));
  b.kernel('k1', [x], [a!]).kernel('k2', [a!], [c!]).kernel('k3', [c!], [d!]).kernel('k4', [d!], [y!]);
  return b.output('y', y!);
}

describe('planMemory', () => {
  it('uses memory again: a chain needs two buffers', () => {
    const made = plan(chain());
    expect(D.print(made.arenaBytes)).toBe('512*((40*N + 255) ~/ 256)');
    expect(D.print(made.totalBytes)).toBe('1280*((40*N + 255) ~/ 256)');
    expect(made.liveBytes({ N: 64 })).toBe(80 * 64);
    expect(made.dims).toEqual(['N']);
    expect(printPlan(made)).toMatchInlineSnapshot(`
      "plan test(N) {
        arena 512*((40*N + 255) ~/ 256) bytes
        input x: f32[N, 10] at 0
        block x at 0, 40*N bytes, dispatches -1..0
        block a at 256*((40*N + 255) ~/ 256), 40*N bytes, dispatches 0..1
        block b at 0, 40*N bytes, dispatches 1..2
        block c at 256*((40*N + 255) ~/ 256), 40*N bytes, dispatches 2..3
        block y at 0, 40*N bytes, dispatches 3..4
        0 k1 [1 groups of 64]: read x at 0, write a at 256*((40*N + 255) ~/ 256)
        1 k2 by k1 [1 groups of 64]: read a at 256*((40*N + 255) ~/ 256), write b at 0
        2 k3 by k1 [1 groups of 64]: read b at 0, write c at 256*((40*N + 255) ~/ 256)
        3 k4 by k1 [1 groups of 64]: read c at 256*((40*N + 255) ~/ 256), write y at 0
        result y: f32[N, 10] at 0
      }"
    `);
  });

  it('keeps everything without reuse', () => {
    const b = chain();
    const made = planMemory(b.program(), b.works, empty, { reuse: false });
    expect(D.print(made.arenaBytes)).toBe('1280*((40*N + 255) ~/ 256)');
  });

  it('sees by its replay what lifetimes and blocks alone do not tell', () => {
    const made = plan(chain());
    const [first, second] = made.dispatches;
    const swapped = { ...made, dispatches: [second!, first!, ...made.dispatches.slice(2)] };
    expect(verifyPlan(swapped, empty).join()).toMatch(/a is read but holds bytes that nothing wrote/);
    const elsewhere = made.dispatches.map((d, i) =>
      i === 2 ? { ...d, bindings: d.bindings.map(b => ({ ...b, offset: D.constant(0) })) } : d,
    );
    expect(verifyPlan({ ...made, dispatches: elsewhere }, empty).join()).toMatch(/shares memory with/);
  });

  it('puts parameters into the state buffer and updates them in place', () => {
    const layout = layoutState([
      { name: 'net.weight', role: 'param', type: tensor('f32', [10, 7]) },
      { name: 'net.bias', role: 'param', type: tensor('f32', [10]) },
      { name: 'net.count', role: 'state', type: tensor('u8', [3]) },
    ]);
    expect(printLayout(layout)).toMatchInlineSnapshot(`
      "state of 1024 bytes {
        param "net.weight": f32[10, 7] at 0
        param "net.bias": f32[10] at 512
        state "net.count": u8[3] at 768
      }"
    `);
    const b = new Builder();
    const w = b.tensor('w', [10, 7], { role: 'param', path: 'net.weight' });
    const bias = b.tensor('bias', [10], { role: 'param', path: 'net.bias' });
    const loss = b.tensor('loss', []);
    b.kernel('k', [w, bias], [loss]).kernel('update', [w, loss], [w]).output('loss', loss, 'metric');
    const made = plan(b, layout);
    expect(verifyPlan(made, layout)).toEqual([]);
    expect(made.dispatches[1]!.bindings.map(x => [x.buffer, D.print(x.offset), D.print(x.bytes)])).toEqual([
      ['state', '0', '280'],
      ['arena', '0', '4'],
    ]);
    expect(D.print(made.arenaBytes)).toBe('256');
  });

  it('lays a pack of parameters where its members are, and refuses strangers in it', () => {
    const slots = (['a', 'x', 'b'] as const).map(name => ({
      name,
      role: 'param' as const,
      type: tensor('f32', [60]),
    }));
    const packed = (): Builder => {
      const b = new Builder();
      const pack = b.tensor('all', [124], { role: 'pack', path: 'state' });
      const a = b.tensor('a', [60], { role: 'param', path: 'a', within: { pack, offset: 0 } });
      b.tensor('b', [60], { role: 'param', path: 'b', within: { pack, offset: 64 } });
      return b.kernel('update', [pack], [pack]).kernel('one', [a], [b.tensor('y', [])]);
    };
    const near = layoutState([slots[1]!, slots[0]!, slots[2]!]);
    const made = plan(packed(), near);
    expect(verifyPlan(made, near)).toEqual([]);
    expect(made.dispatches.map(d => D.print(d.bindings[0]!.offset))).toEqual(['256', '256']);
    expect(() => plan(packed(), layoutState(slots))).toThrow(/lie elsewhere in the state buffer/);

    const wide = new Builder();
    const pack = wide.tensor('all', [188], { role: 'pack', path: 'state' });
    wide.tensor('a', [60], { role: 'param', path: 'a', within: { pack, offset: 0 } });
    wide.tensor('b', [60], { role: 'param', path: 'b', within: { pack, offset: 128 } });
    expect(() => plan(wide.kernel('update', [pack], [pack]), layoutState(slots))).toThrow(/x lies inside it/);
  });

  it('packs u8 from the host, rounds f16 to words, gives empty tensors a place', () => {
    const b = new Builder();
    const image = b.tensor('image', [N, 27], { role: 'data', path: 'image', dtype: 'u8' });
    const half = b.tensor('half', [3], { dtype: 'f16' });
    const none = b.tensor('none', [N, 0]);
    b.kernel('k', [image], [half, none]).output('half', half).output('none', none);
    const made = plan(b);
    expect(made.blocks.map(x => D.print(x.bytes))).toEqual(['4*((27*N + 3) ~/ 4)', '8', '4']);
    expect(verifyPlan(made, empty)).toEqual([]);
  });

  it('lists free dims by inputs, and scalars with the two words of the key', () => {
    const b = new Builder();
    b.tensor('epoch', [], { role: 'scalar', path: 'epoch' });
    b.tensor('iter', [], { role: 'scalar', path: 'iter', dtype: 'i32' });
    b.tensor('key', [2], { role: 'key', path: 'key', dtype: 'u32' });
    const t = b.tensor('t', [H, N]);
    b.tensor('y', [T, N], { role: 'data', path: 'y' });
    const made = plan(b.kernel('k', [], [t]));
    expect(made.dims).toEqual(['T', 'N', 'H']);
    expect(made.scalars).toEqual([
      { name: 'epoch', dtype: 'f32' },
      { name: 'iter', dtype: 'i32' },
      { name: 'seed', dtype: 'u32' },
      { name: 'step', dtype: 'u32' },
    ]);
    expect(made.inputs.map(i => i.name)).toEqual(['y']);
  });

  it('says which extents must be positive', () => {
    const b = new Builder();
    const x = b.tensor('x', [H], { role: 'input', path: 'x' });
    const y = b.tensor('y', [D.sub(H, D.constant(4))]);
    const made = plan(b.kernel('k', [x], [y]).output('y', y));
    expect(made.positive.map(D.print)).toEqual(['H - 4']);
    expect(verifyPlan(made, empty, { H: 3 })).toEqual(['H - 4 = -1 is no extent']);
    expect(verifyPlan(made, empty, { H: 5 })).toEqual([]);
  });

  it('shares kernels that differ in names alone', () => {
    const b = new Builder();
    const x = b.tensor('x', [4], { role: 'input', path: 'x' });
    const [p, q, r] = ['p', 'q', 'r'].map(name => b.tensor(name, [4]));
    b.kernel('first', [x], [p!]).kernel('second', [p!], [q!]).kernel('other', [p!, q!], [r!]).output('r', r!);
    const made = plan(b);
    expect(made.kernels.map(k => k.name)).toEqual(['first', 'other']);
    expect(made.dispatches.map(d => d.kernel)).toEqual([0, 0, 1]);

    const same = new Builder();
    const y = same.tensor('y', [4], { role: 'input', path: 'y' });
    const s = same.tensor('s', [4]);
    same.works.push({
      kernels: [copyKernel('k', [y], [s]), copyKernel('k', [s], [y]), copyKernel('k', [y, s], [y], N)],
      temporaries: [],
    });
    expect(plan(same).kernels.map(k => k.name)).toEqual(['k', 'k_2']);
  });

  it('refuses what no plan can hold', () => {
    const b = new Builder();
    const x = b.tensor('x', [4]);
    expect(() => plan(b.kernel('k', [x], [b.tensor('y', [4])]))).toThrow('x is read before it is written');

    const own = new Builder();
    const w = own.tensor('w', [4], { role: 'param', path: 'w' });
    const layout = layoutState([{ name: 'w', role: 'param', type: w.type }]);
    expect(() => plan(own.output('y', w), layout)).toThrow('result y is a parameter itself');
    expect(() => plan(own.kernel('k', [w], []))).toThrow('param w has no place');
    expect(() => layoutState([{ name: 'w', role: 'param', type: tensor('f32', [N]) }])).toThrow(
      'free extent N',
    );
  });
});

describe('placement', () => {
  it('fills the smallest gap that fits', () => {
    const items = [
      { size: 10, from: 0, to: 9 },
      { size: 8, from: 0, to: 0 },
      { size: 6, from: 0, to: 9 },
      { size: 5, from: 0, to: 1 },
      { size: 4, from: 0, to: 9 },
      { size: 3, from: 2, to: 2 },
    ];
    // The gap of the 5 (18..23 is free at 2) is smaller than that of the 8.
    expect(bestFit(items)).toEqual({ offsets: [0, 10, 18, 24, 29, 24], size: 33 });
  });

  const lifetimes = fc.array(
    fc.record({ size: fc.integer({ min: 1, max: 40 }), from: fc.nat(30), length: fc.nat(9) }),
    { minLength: 1, maxLength: 40 },
  );

  it('never packs two intervals over each other, and never below what lives at once', () => {
    fc.assert(
      fc.property(lifetimes, list => {
        const items = list.map(({ size, from, length }) => ({ size, from, to: from + length }));
        const { offsets, size } = packIntervals(items);
        expect(size).toBeGreaterThanOrEqual(mostLive(items));
        expect(size).toBeLessThanOrEqual(bestFit(items).size);
        items.forEach((a, i) => {
          expect(offsets[i]! + a.size).toBeLessThanOrEqual(size);
          items.slice(0, i).forEach((b, j) => {
            const apart = a.to < b.from || b.to < a.from;
            const clear = offsets[i]! + a.size <= offsets[j]! || offsets[j]! + b.size <= offsets[i]!;
            expect(apart || clear).toBe(true);
          });
        });
      }),
      { numRuns: 300 },
    );
  });

  const sizesOf = fc.record({ N: fc.integer({ min: 1, max: 5000 }), T: fc.integer({ min: 1, max: 300 }) });
  const dims = fc
    .tuple(fc.nat(900), fc.nat(90), fc.nat(20))
    .map(([a, b, c]) => D.add(D.constant(4 * a + 4), D.add(D.scale(N, 4 * b), D.scale(D.mul(N, T), 4 * c))));

  it('holds for all sizes what it placed for some', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ bytes: dims, from: fc.nat(12), length: fc.nat(5) }), {
          minLength: 1,
          maxLength: 25,
        }),
        sizesOf,
        fc.array(sizesOf, { minLength: 1, maxLength: 5 }),
        (list, packed, others) => {
          const demands = list.map(({ bytes, from, length }) => ({ bytes, from, to: from + length }));
          const placement = place(demands, packed);
          for (const sizes of [packed, { N: 1, T: 1 }, ...others]) {
            const at = placement.offsets.map(o => D.evaluate(o, sizes));
            const ends = demands.map(({ bytes }, i) => at[i]! + D.evaluate(bytes, sizes));
            const arena = D.evaluate(placement.bytes, sizes);
            demands.forEach((a, i) => {
              expect(at[i]! % 256).toBe(0);
              expect(ends[i]).toBeLessThanOrEqual(arena);
              demands.slice(0, i).forEach((b, j) => {
                const apart = a.to < b.from || b.to < a.from;
                expect(apart || ends[i]! <= at[j]! || ends[j]! <= at[i]!).toBe(true);
              });
            });
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
