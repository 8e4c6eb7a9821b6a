import { describe, expect, test, vi } from 'vitest';
import { open, openTrainer, readWeights } from '../../runtime/index.ts';
import { isSoftware } from '../../runtime/node/index.ts';
import { buildModel } from '../../src/codegen/model.ts';
import { compile } from '../../src/compile.ts';
import { interpretGraph } from '../../src/ir/interpret/graph.ts';
import { interpretProgram } from '../../src/ir/interpret/program.ts';
import { ndarray } from '../../src/ir/ndarray.ts';
import { gpuTarget, softwareTarget } from '../../src/ir/target.ts';
import type { DType } from '../../src/ir/type.ts';
import { fromHost, toHost } from '../gpu/single-op.ts';
import { getDevice } from '../gpu.ts';

vi.setConfig({ testTimeout: 120_000 });

const device = await getDevice();

type Values = Readonly<Record<string, readonly number[]>>;

/** What a net of one-dimensional inputs gives, by everything that can run it: all must agree. */
async function run(text: string, inputs: Readonly<Record<string, readonly [DType, readonly number[]]>>) {
  const arrays = Object.fromEntries(
    Object.entries(inputs).map(([name, [dtype, list]]) => [name, ndarray(dtype, [list.length], list)]),
  );
  const dims = { N: Object.values(inputs)[0]?.[1].length ?? 1 };
  const source = { name: 'integers.dnn', text };
  const { module, compiled, entries, diagnostics } = compile(source, {
    target: device && isSoftware(device.adapterInfo) ? softwareTarget : gpuTarget,
    only: name => name === 'P',
  });
  expect(diagnostics.map(d => d.message)).toEqual([]);
  const { program, scheduled } = compiled!.programs.get('P')!;
  const results: Record<string, Values> = {};
  const listed = (outputs: Iterable<readonly [string, { readonly data: ArrayLike<number> }]>): Values =>
    Object.fromEntries([...outputs].map(([name, { data }]) => [name, [...Array.from(data)]]));
  results.graph = listed(interpretGraph(module!.nets[0]!.predict, arrays, { dims }).outputs);
  for (const precision of ['f64', 'f32'] as const) {
    results[`works in ${precision}`] = listed(interpretProgram(program, arrays, { dims, precision }).outputs);
    results[`kernels in ${precision}`] = listed(
      interpretProgram(program, arrays, { dims, precision, kernels: scheduled }).outputs,
    );
  }
  if (device) {
    const session = await open(buildModel(entries![0]!, compiled!.layout), { device });
    const given = Object.fromEntries(Object.entries(arrays).map(([name, a]) => [name, toHost(a)]));
    const outputs = await session.run('predict', given);
    session.dispose();
    results.device = listed(Object.entries(outputs).map(([name, t]) => [name, fromHost(t)] as const));
  }
  return results;
}

const least = -(2 ** 31);
const most = 2 ** 31 - 1;
const edges = [
  0,
  1,
  -1,
  2,
  -2,
  7,
  -7,
  100,
  2 ** 24,
  2 ** 24 + 1,
  -(2 ** 24) - 1,
  most,
  most - 1,
  least,
  least + 1,
];
const pairs = edges.flatMap(a => edges.map(b => [a, b] as const));
const wrap = (x: bigint): number => Number(BigInt.asIntN(32, x));
const floorDiv = (a: bigint, b: bigint): bigint => {
  const q = a / b;
  return q * b !== a && a < 0n !== b < 0n ? q - 1n : q;
};

function expectAll(results: Readonly<Record<string, Values>>, expected: Values): void {
  for (const [name, list] of Object.entries(expected))
    for (const [how, values] of Object.entries(results))
      expect(values[name], `${name} by ${how}`).toEqual(list);
}

describe('i32', () => {
  test('wraps around, divides by floor, compares exactly', async () => {
    const text = `net P(a: i32[N], b: i32[N]) -> (sum: i32[N], diff: i32[N], prod: i32[N], high: i32[N], equal: bool[N], less: bool[N]) {
  return a + b, a - b, a * b, max(a, b), a == b, a < b
}
`;
    const of = (f: (a: bigint, b: bigint) => bigint) => pairs.map(([a, b]) => wrap(f(BigInt(a), BigInt(b))));
    expectAll(await run(text, { a: ['i32', pairs.map(p => p[0])], b: ['i32', pairs.map(p => p[1])] }), {
      sum: of((a, b) => a + b),
      diff: of((a, b) => a - b),
      prod: of((a, b) => a * b),
      high: of((a, b) => (a > b ? a : b)),
      equal: pairs.map(([a, b]) => +(a === b)),
      less: pairs.map(([a, b]) => +(a < b)),
    });
  });

  test('floor division and remainder of every sign, to the ends of the range', async () => {
    const text = `net P(a: i32[N], b: i32[N]) -> (div: i32[N], rest: i32[N], by7: i32[N], by_7: i32[N], rest7: i32[N], rest_7: i32[N], cut: i32[N]) {
  return a ~/ b, a % b, a ~/ 7, a ~/ -7, a % 7, a % -7, a / b
}
`;
    const some = pairs.filter(([, b]) => b !== 0);
    const of = (f: (a: bigint, b: bigint) => bigint) => some.map(([a, b]) => wrap(f(BigInt(a), BigInt(b))));
    expectAll(await run(text, { a: ['i32', some.map(p => p[0])], b: ['i32', some.map(p => p[1])] }), {
      div: of(floorDiv),
      rest: of((a, b) => a - floorDiv(a, b) * b),
      by7: of(a => floorDiv(a, 7n)),
      by_7: of(a => floorDiv(a, -7n)),
      rest7: of(a => a - floorDiv(a, 7n) * 7n),
      rest_7: of(a => a - floorDiv(a, -7n) * -7n),
      cut: of((a, b) => a / b),
    });
  });

  test('sums are exact to 2^31 and wrap behind', async () => {
    const text = `net P(a: i32[N]) -> (sum: i32, top: i32, bottom: i32, product: i32) {
  return sum(a), max(a), min(a), prod(a)
}
`;
    const list = Array.from({ length: 1001 }, (_, i) => 2 ** 24 + 2 * i + 1 - (i % 7) * 2 ** 23);
    const big = list.map(BigInt);
    expectAll(await run(text, { a: ['i32', list] }), {
      sum: [wrap(big.reduce((a, b) => a + b))],
      top: [Math.max(...list)],
      bottom: [Math.min(...list)],
      product: [wrap(big.reduce((a, b) => a * b))],
    });
    const ones = await run(text, { a: ['i32', [2 ** 30, 2 ** 30 - 1, 1, -1]] });
    for (const values of Object.values(ones)) expect(values.sum).toEqual([most]);
  });
});

test('u32: wraps around, compares and divides as unsigned', async () => {
  const text = `net P(a: u32[N], b: u32[N]) -> (sum: u32[N], diff: u32[N], prod: u32[N], div: u32[N], rest: u32[N], less: bool[N], total: u32) {
  return a + b, a - b, a * b, a ~/ b, a % b, a < b, sum(a)
}
`;
  const list = [1, 2, 7, 2 ** 24 + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
  const all = list.flatMap(a => list.map(b => [a, b] as const));
  const of = (f: (a: bigint, b: bigint) => bigint) =>
    all.map(([a, b]) => Number(BigInt.asUintN(32, f(BigInt(a), BigInt(b)))));
  expectAll(await run(text, { a: ['u32', all.map(p => p[0])], b: ['u32', all.map(p => p[1])] }), {
    sum: of((a, b) => a + b),
    diff: of((a, b) => a - b),
    prod: of((a, b) => a * b),
    div: of((a, b) => a / b),
    rest: of((a, b) => a % b),
    less: all.map(([a, b]) => +(a < b)),
    total: [
      Number(
        BigInt.asUintN(
          32,
          all.reduce((s, [a]) => s + BigInt(a), 0n),
        ),
      ),
    ],
  });
});

describe('casts give the nearest value that there is', () => {
  test('of floats', async () => {
    const text = `net P(x: f32[N]) -> (i: i32[N], u: u32[N], b: u8[N], t: bool[N]) {
  return cast(x, i32), cast(x, u32), cast(x, u8), cast(x, bool)
}
`;
    const x = [
      0, 0.9, -0.9, 1.5, -1.5, -1, 255.9, 256, 16777216, 2147483520, 2147483648, 4294967040, 1e20, -1e20,
    ];
    const to = (low: number, high: number) => x.map(v => Math.min(Math.max(Math.trunc(v), low), high) + 0);
    const results = await run(text, { x: ['f32', x] });
    expectAll(results, {
      // The last floats in range, as in WGSL.
      i: to(least, 2147483520),
      u: to(0, 4294967040),
      b: to(0, 255),
      t: x.map(v => +(v !== 0)),
    });
  });

  test('of integers', async () => {
    const text = `net P(a: i32[N], u: u32[N], c: bool[N]) -> (au: u32[N], ab: u8[N], at: bool[N], ui: i32[N], ub: u8[N], uf: f32[N], ci: i32[N], cf: f32[N], cu: u32[N]) {
  return cast(a, u32), cast(a, u8), cast(a, bool), cast(u, i32), cast(u, u8), cast(u, f32), cast(c, i32), cast(c, f32), cast(c, u32)
}
`;
    const a = [0, 1, -1, 300, most, least];
    const u = [0, 1, 255, 256, 2 ** 31, 2 ** 32 - 1];
    const c = [0, 1, 1, 0, 1, 0];
    expectAll(await run(text, { a: ['i32', a], u: ['u32', u], c: ['bool', c] }), {
      au: a.map(v => Math.max(v, 0)),
      ab: a.map(v => Math.min(Math.max(v, 0), 255)),
      at: a.map(v => +(v !== 0)),
      ui: u.map(v => Math.min(v, most)),
      ub: u.map(v => Math.min(v, 255)),
      ci: c,
      cf: c,
      cu: c,
    });
  });
});

test('bool and u8: in, out, and through logic', async () => {
  const text = `net P(p: bool[N], q: bool[N], x: u8[N]) -> (both: bool[N], any: bool[N], other: bool[N], same: bool[N], y: u8[N], three: bool[N], wide: i32[N], count: i32) {
  return p and q, p or q, not p, p == q, x, x == 3, cast(x, i32) * 1000, sum(cast(p, i32))
}
`;
  const p = [0, 0, 1, 1, 1];
  const q = [0, 1, 0, 1, 1];
  const x = [0, 3, 128, 255, 3];
  expectAll(await run(text, { p: ['bool', p], q: ['bool', q], x: ['u8', x] }), {
    both: p.map((v, i) => v & q[i]!),
    any: p.map((v, i) => v | q[i]!),
    other: p.map(v => 1 - v),
    same: p.map((v, i) => +(v === q[i])),
    y: x,
    three: x.map(v => +(v === 3)),
    wide: x.map(v => v * 1000),
    count: [3],
  });
});

test.skipIf(!device)('positions beyond 2^24: iota, argmax, gather', async () => {
  const text = `const Many = 16777300

net P(at: i32[N]) -> (place: i32, picked: i32[N], last: i32) {
  n = iota(Many)
  return argmax(where(n == 16777217, 1, 0), axis = 0), (n * 1)[at], max(n)
}
`;
  const { compiled, entries, diagnostics } = compile(
    { name: 'many.dnn', text },
    { target: isSoftware(device!.adapterInfo) ? softwareTarget : gpuTarget, only: name => name === 'P' },
  );
  expect(diagnostics.map(d => d.message)).toEqual([]);
  const session = await open(buildModel(entries![0]!, compiled!.layout), { device: device! });
  const at = Int32Array.of(16777217, 16777219, 3);
  const { place, picked, last } = await session.run('predict', { at });
  session.dispose();
  expect([place!.data[0], [...picked!.data], last!.data[0]]).toEqual([16777217, [...at], 16777299]);
});

test('dtypes that do not go together are errors, not floats', () => {
  const codes = (inputs: string, out: string, body: string): string[] =>
    compile({
      name: 'mixed.dnn',
      text: `net P(${inputs}) -> ${out} {\n  return ${body}\n}\n`,
    }).diagnostics.map(d => d.code);
  for (const [inputs, out, body] of [
    ['a: i32[N], b: f32[N]', 'f32[N]', 'a + b'],
    ['a: u32[N], b: i32[N]', 'i32[N]', 'a + b'],
    ['a: i32[N]', 'i32[N]', 'a * 0.5'],
    ['a: u8[N]', 'u8[N]', 'a + 1'],
    ['a: bool[N]', 'bool[N]', 'a + a'],
    ['a: bool[N], b: f32[N]', 'f32[N]', 'a * b'],
    ['a: i32[N]', 'f32[N]', 'exp(a)'],
    ['a: i32[N]', 'i32[N]', 'a + 2147483648'],
    ['a: u32[N]', 'u32[N]', 'a + (-1)'],
  ] as const)
    expect(codes(inputs, out, body), body).toEqual(['E0204']);
});

test.skipIf(!device)('integers and booleans are kept between runs, and in files, as they are', async () => {
  const text = `net P(x: f32[N, 2]) -> f32[N, 1] {
  state calls: i32 = 16777217
  state words: u32 = 7
  state flags: bool = true
  calls <- calls + 1
  words <- words - 8
  flags <- not flags
  return x -> dense(1)
}

train t {
  data x: f32[N, 2]
  minimize mean(P(x)) over P by sgd(lr = 0.1)
}
`;
  const { compiled, entries, diagnostics } = compile({ name: 'state.dnn', text });
  expect(diagnostics.map(d => d.message)).toEqual([]);
  const trainer = await openTrainer(buildModel(entries!.find(e => e.name === 't')!, compiled!.layout), {
    device: device!,
  });
  const values = async () => {
    const kept = readWeights(await trainer.save());
    return ['calls', 'words', 'flags'].map(name => [kept[`P.${name}`]!.dtype, [...kept[`P.${name}`]!.data]]);
  };
  const step = () => trainer.step({ x: Float32Array.of(1, 2) });
  await step();
  expect(await values()).toEqual([
    ['i32', [16777218]],
    ['u32', [4294967295]],
    ['bool', [0]],
  ]);
  const file = await trainer.save();
  await step();
  await trainer.load(file);
  await step();
  expect(await values()).toEqual([
    ['i32', [16777219]],
    ['u32', [4294967287]],
    ['bool', [1]],
  ]);
  trainer.dispose();
});
