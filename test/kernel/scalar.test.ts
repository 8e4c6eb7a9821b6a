import { describe, expect, it } from 'vitest';
import type { KExpr } from '../../src/ir/kernel.ts';
import type { BinaryOp, UnaryOp } from '../../src/ir/scalar.ts';
import { applyBinary, applyCast, applyUnary } from '../../src/ir/scalar.ts';
import type { DType } from '../../src/ir/type.ts';
import { getDevice } from '../gpu.ts';
import * as K from './build.ts';
import { elementwise } from './kernels.ts';
import { runOnGpu } from './run.ts';

const device = await getDevice();

const f32s = [
  0, 1, -1, 0.1, -0.1, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 3.5, 0.49999997, 2, 3, -3, 7.25, 10, -10, 100.3,
  1e-30, -1e-30, 1e-6, -1e-6, 1e-3, 69, -69, 88, -80, 8388607.5, 16777216, -16777216, 1e30, -1e30,
  3.4028234663852886e38,
].map(Math.fround);

const i32s = [0, 1, -1, 2, 7, -7, 255, 256, 65536, 123456789, 2147483647, -2147483647, -2147483648];
const u32s = [0, 1, 2, 7, 255, 256, 65536, 123456789, 2147483647, 2147483648, 4294967295];
const u8s = [0, 1, 2, 3, 127, 128, 200, 254, 255];

const values: Record<'f32' | 'i32' | 'u32' | 'u8' | 'bool', readonly number[]> = {
  f32: f32s,
  i32: i32s,
  u32: u32s,
  u8: u8s,
  bool: [0, 1],
};

/** The largest difference that counts as equal, for a wanted result `want` of argument `x`. */
const unaryTolerance: Partial<Record<UnaryOp, (want: number, x: number) => number>> = {
  // WGSL promises 3 + 2|x| units in the last place for exp, an absolute 2^-21 near 1 and 3 units elsewhere for log.
  exp: (want, x) => want * (3 + 2 * Math.abs(x)) * 2 ** -23,
  log: want => 2 ** -21 + Math.abs(want) * 4e-7,
  sqrt: want => want * 2e-7,
  sin: () => 3e-7,
  cos: () => 3e-7,
  atan: want => Math.abs(want) * 4e-7,
  tanh: want => Math.abs(want) * 4e-7,
  erf: want => Math.abs(want) * 4e-7,
  log1p: want => 2 ** -21 + Math.abs(want) * 4e-7,
  expm1: (want, x) => Math.abs(want) * (6 + 4 * Math.abs(x)) * 2 ** -23,
  // Below exp(-87) it stays there.
  sigmoid: (want, x) => want * (6 + 2 * Math.abs(x)) * 2 ** -23 + 2e-38,
};

/** Runs `value` of x (and y) over all the given arguments. */
async function evaluate(
  name: string,
  value: KExpr,
  args: Partial<Record<'x' | 'z', readonly number[]>>,
  from: DType,
): Promise<number[]> {
  const inputs = Object.entries(args);
  const count = inputs[0]![1].length;
  const buffers = [
    ...inputs.map(([n]) => K.buffer(n, from)),
    K.buffer('y', value.dtype === 'u8' ? 'u32' : value.dtype, 'read_write'),
  ];
  const data = Object.fromEntries(inputs.map(([n, list]) => [n, Float64Array.from(list)]));
  const { y } = await runOnGpu(device!, elementwise(name, buffers, value, count), {
    ...data,
    y: new Float64Array(count),
  });
  return [...y!];
}

const x = (dtype: DType): KExpr => K.load('x', K.ref('i'), dtype);
const z = (dtype: DType): KExpr => K.load('z', K.ref('i'), dtype);

/** Results that f32 has no normal number for are the adapter's business. */
const isNormal = (v: number): boolean =>
  Number.isFinite(v) && Math.abs(v) <= 3.4028234663852886e38 && (v === 0 || Math.abs(v) > 1.2e-38);

function compare(
  got: readonly number[],
  cases: readonly { readonly args: readonly number[]; readonly want: number; readonly within?: number }[],
): void {
  const wrong = cases.flatMap(({ args, want, within = 0 }, i) =>
    !isNormal(want) || Math.abs(got[i]! - want) <= within
      ? []
      : [`(${args.join(', ')}) = ${got[i]}, not ${want}`],
  );
  expect(wrong).toEqual([]);
}

const floatOps: readonly UnaryOp[] = [
  'neg',
  'abs',
  'sign',
  'floor',
  'ceil',
  'round',
  'exp',
  'log',
  'sqrt',
  'sin',
  'cos',
  'atan',
  'tanh',
  'sigmoid',
  'erf',
  'atan',
  'log1p',
  'expm1',
];

describe.skipIf(!device)('functions of one number', () => {
  it.each(floatOps)('%s of f32', async op => {
    const domain = f32s.filter(v =>
      op === 'log' || op === 'log1p'
        ? v > (op === 'log' ? 0 : -1)
        : op === 'sqrt'
          ? v >= 0
          : op === 'sin' || op === 'cos'
            ? Math.abs(v) < 8192
            : true,
    );
    const got = await evaluate(op, K.unary(op, x('f32')), { x: domain }, 'f32');
    compare(
      got,
      domain.map(v => {
        const want = applyUnary(op, v, 'f32', 'f32');
        return { args: [v], want, within: unaryTolerance[op]?.(want, v) ?? 0 };
      }),
    );
  });

  it('sigmoid keeps its relative accuracy down to 1e-30, tanh and erf near 0 and beyond', async () => {
    const tails = Array.from({ length: 69 }, (_, i) => -i);
    const small = await evaluate('tail', K.unary('sigmoid', x('f32')), { x: tails }, 'f32');
    for (const [i, v] of small.entries())
      expect(Math.abs(v / applyUnary('sigmoid', -i, 'f32', 'f64') - 1)).toBeLessThan(2e-5);
    const near = Array.from({ length: 60 }, (_, i) => Math.fround(1.2 ** -i));
    const close = await evaluate('near', K.unary('tanh', x('f32')), { x: near }, 'f32');
    for (const [i, v] of close.entries()) expect(Math.abs(v / Math.tanh(near[i]!) - 1)).toBeLessThan(4e-7);
    const wide = Array.from({ length: 400 }, (_, i) => Math.fround((i - 200) / 40 + 1e-3));
    const errors = await evaluate('erf', K.unary('erf', x('f32')), { x: wide }, 'f32');
    for (const [i, v] of errors.entries())
      expect(Math.abs(v / applyUnary('erf', wide[i]!, 'f32', 'f64') - 1)).toBeLessThan(4e-7);
  });

  it('sin and cos are accurate up to 8192', async () => {
    const angles = Array.from({ length: 4096 }, (_, i) => Math.fround((i - 2048) * 3.99 + i / 4096));
    for (const op of ['sin', 'cos'] as const) {
      const got = await evaluate(op, K.unary(op, x('f32')), { x: angles }, 'f32');
      compare(
        got,
        angles.map(v => ({ args: [v], want: Math[op](v), within: 3e-7 })),
      );
    }
  });

  it.each(['i32', 'u32', 'u8'] as const)('neg, abs, sign and rounding of %s', async dtype => {
    for (const op of ['neg', 'abs', 'sign', 'floor', 'round'] as const) {
      const got = await evaluate(op, K.unary(op, x(dtype)), { x: values[dtype] }, dtype);
      compare(
        got,
        values[dtype].map(v => ({ args: [v], want: applyUnary(op, v, dtype, 'f32') })),
      );
    }
  });

  it('not', async () => {
    expect(await evaluate('not', K.unary('not', x('bool')), { x: [0, 1] }, 'bool')).toEqual([1, 0]);
    expect(await evaluate('none', K.unary('not', x('i32')), { x: [0, 1, -5] }, 'i32')).toEqual([1, 0, 0]);
  });
});

const pairs = (list: readonly number[], other = list): { x: number[]; z: number[] } => ({
  x: list.flatMap(a => other.map(() => a)),
  z: list.flatMap(() => other),
});

describe.skipIf(!device)('functions of two numbers', () => {
  const check = async (
    op: BinaryOp,
    dtype: DType,
    args: { x: number[]; z: number[] },
    within = (_want: number, _a: number) => 0,
  ) => {
    const value = K.binary(op, x(dtype), z(dtype));
    const got = await evaluate(op, value, args, dtype);
    compare(
      got,
      args.x.map((a, i) => {
        const want = applyBinary(op, a, args.z[i]!, value.dtype, 'f32');
        return { args: [a, args.z[i]!], want, within: within(want, a) };
      }),
    );
  };

  it.each(['add', 'sub', 'mul', 'max', 'min', 'eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const)(
    '%s of f32 is exact',
    op => check(op, 'f32', pairs(f32s)),
  );

  it('div of f32', () =>
    check(
      'div',
      'f32',
      pairs(
        f32s,
        f32s.filter(v => v !== 0 && Math.abs(v) < 8e37),
      ),
      want => Math.abs(want) * 4e-7,
    ));

  it('floordiv and mod of f32 round towards minus infinity', async () => {
    const args = pairs([0, 1.25, -1.25, 7, -7, 9.5, -9.5, 100.25], [1, -1, 2, -2, 3, -3, 0.5]);
    await check('floordiv', 'f32', args);
    await check('mod', 'f32', args, (_, a) => Math.abs(a) * 4e-7);
  });

  it('pow has negative bases, pow(x, 0) = 1 and pow(0, y) = 0', async () => {
    const args = pairs([0, 0.5, -0.5, 1, -1, 1.1, 2, -2, 3, -3, 10], [0, 1, 2, 3, -1, -2, 0.5, 2.5, -0.5, 7]);
    await check('pow', 'f32', args, want => Math.abs(want) * 4e-6);
    for (const exponent of [0, 0.5, 1, 2, 3, -1]) {
      const bases = exponent === 0.5 ? [0, 0.25, 2, 9] : exponent < 0 ? [0.5, -3] : [0, 0.5, -3, 2];
      const got = await evaluate('power', K.binary('pow', x('f32'), K.f32(exponent)), { x: bases }, 'f32');
      compare(
        got,
        bases.map(a => ({
          args: [a, exponent],
          want: a ** exponent,
          within: Math.abs(a ** exponent) * 4e-6,
        })),
      );
    }
    const [nan, huge] = await evaluate(
      'edge',
      K.binary('pow', x('f32'), z('f32')),
      { x: [-2, 0], z: [0.5, -1] },
      'f32',
    );
    expect([nan, huge]).toEqual([Number.NaN, 3.4028234663852886e38]);
  });

  const integerOps = [
    'add',
    'sub',
    'mul',
    'max',
    'min',
    'eq',
    'ne',
    'lt',
    'le',
    'gt',
    'ge',
    'and',
    'or',
  ] as const;
  it.each(['i32', 'u32', 'u8'] as const)('integers wrap: %s', async dtype => {
    for (const op of integerOps) await check(op, dtype, pairs(values[dtype]));
  });

  it.each(['i32', 'u32'] as const)('floordiv and mod of non-negative %s', async dtype => {
    const args = pairs(
      values[dtype].filter(v => v >= 0),
      values[dtype].filter(v => v > 0),
    );
    await check('floordiv', dtype, args);
    await check('mod', dtype, args);
  });

  it('booleans', async () => {
    for (const op of ['and', 'or', 'eq', 'ne', 'max', 'min', 'add', 'mul', 'sub', 'lt', 'ge'] as const) {
      await check(op, 'bool', pairs([0, 1]));
    }
  });
});

describe.skipIf(!device)('select and casts', () => {
  it('select takes its first value where the condition holds', async () => {
    const value = K.select(K.binary('gt', x('f32'), K.f32(0)), K.f32(5), K.f32(-5));
    expect(await evaluate('choose', value, { x: [-1, 0, 1] }, 'f32')).toEqual([-5, -5, 5]);
  });

  const dtypes = ['f32', 'i32', 'u32', 'u8', 'bool'] as const;
  it.each(dtypes.flatMap(from => dtypes.map(to => [from, to] as const)))('%s to %s', async (from, to) => {
    const list =
      from === 'f32'
        ? [...f32s, 0.9, -0.9, 254.7, 255.9, 256, 2147483520, 3e9, -3e9, 5e9].map(Math.fround)
        : values[from];
    const got = await evaluate('convert', K.cast(to, x(from)), { x: list }, from);
    compare(
      got,
      list.map(v => {
        // Float to unsigned saturates at 0; the largest f32 below 2^31 and 2^32 is where WGSL saturates.
        const want = applyCast(from === 'f32' && to === 'u32' ? Math.max(v, 0) : v, to, 'f32');
        const saturated = from === 'f32' && (to === 'i32' || to === 'u32') && want > 2147483520;
        return { args: [v], want, within: saturated ? 255 : 0 };
      }),
    );
  });
});

describe.skipIf(!device)('constants', () => {
  it.each([
    0.1,
    1 / 3,
    1e-30,
    1e30,
    3.4028234663852886e38,
    16777217,
    -0.7,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    1.17549435e-38,
  ])('%d arrives as f32', async value => {
    const got = await evaluate('constant', K.add(K.f32(value), K.mul(x('f32'), K.f32(0))), { x: [0] }, 'f32');
    expect(got[0]).toBe(
      Math.fround(Math.min(Math.max(value, -3.4028234663852886e38), 3.4028234663852886e38)),
    );
  });

  it('constant expressions that would overflow are no errors', async () => {
    const value = K.add(x('f32'), K.unary('log', K.f32(0)));
    expect(await evaluate('folded', value, { x: [0] }, 'f32')).toEqual([-3.4028234663852886e38]);
    const lowest = K.add(x('i32'), K.konst(-2147483648, 'i32'));
    expect(await evaluate('lowest', lowest, { x: [0] }, 'i32')).toEqual([-2147483648]);
  });
});
