import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../src/ir/builder.ts';
import type { Compute, Expr, Index } from '../src/ir/compute.ts';
import type { Dim, DimEnv } from '../src/ir/dim.ts';
import * as D from '../src/ir/dim.ts';
import type { Value } from '../src/ir/graph.ts';
import { interpretCompute } from '../src/ir/interpret/compute.ts';
import { flatIndex, forEachIndex, ndarray, zeros } from '../src/ir/ndarray.ts';
import type { Attrs, NdArray, Primitive, Sample } from '../src/ir/primitive.ts';
import { withDefaults } from '../src/ir/primitive.ts';
import type { TensorType } from '../src/ir/type.ts';
import { isFloat, tensor } from '../src/ir/type.ts';
import { convolution } from '../src/ops/convolution.ts';
import { convolutionInputGradient } from '../src/ops/convolution-input-gradient.ts';
import { convolutionWeightGradient } from '../src/ops/convolution-weight-gradient.ts';
import { gather } from '../src/ops/gather.ts';
import { matmul } from '../src/ops/matmul.ts';
import { maxPool } from '../src/ops/max-pool.ts';
import { maxUnpool } from '../src/ops/max-unpool.ts';
import { scatterAdd } from '../src/ops/scatter-add.ts';
import { unpoolGather } from '../src/ops/unpool-gather.ts';
import { windowSum } from '../src/ops/window-sum.ts';
import { windowSumGradient } from '../src/ops/window-sum-gradient.ts';

const ops: readonly Primitive[] = [
  convolution,
  convolutionInputGradient,
  convolutionWeightGradient,
  gather,
  matmul,
  maxPool,
  maxUnpool,
  scatterAdd,
  unpoolGather,
  windowSum,
  windowSumGradient,
];

const typeOf = (x: NdArray): TensorType => tensor(x.dtype, x.shape);

interface Typed {
  readonly types: readonly TensorType[];
  readonly attrs: Attrs;
  readonly outs: readonly TensorType[];
}

function typed(op: Primitive, types: readonly TensorType[], given: Attrs): Typed {
  const full = withDefaults(op, given);
  const attrs = op.prepare ? op.prepare(types, full) : full;
  return { types, attrs, outs: op.infer(types, attrs) };
}

function run(op: Primitive, inputs: readonly NdArray[], given: Attrs = {}): readonly NdArray[] {
  const { attrs, outs } = typed(op, inputs.map(typeOf), given);
  return op.reference(inputs, attrs, outs, 'f64');
}

const lowered = (op: Primitive, types: readonly TensorType[], given: Attrs): Compute => {
  const t = typed(op, types, given);
  return op.lower!(t.types, t.attrs, t.outs);
};

const dot = (a: NdArray, b: NdArray): number => a.data.reduce((sum, v, i) => sum + v * b.data[i]!, 0);

function expectAllClose(actual: readonly NdArray[], expected: readonly NdArray[]): void {
  expect(actual).toHaveLength(expected.length);
  for (const [i, a] of actual.entries()) expectClose(a, expected[i]!);
}

function expectClose(actual: NdArray, expected: NdArray): void {
  expect([actual.dtype, actual.shape]).toEqual([expected.dtype, expected.shape]);
  const worst = actual.data.reduce((m, v, i) => Math.max(m, Math.abs(v - expected.data[i]!)), 0);
  expect(worst).toBeLessThan(1e-9);
}

/** Evaluates a value by references alone. */
function evaluate(value: Value, known: Map<Value, NdArray>): NdArray {
  const found = known.get(value);
  if (found) return found;
  if (value.node.kind !== 'op') throw new Error('an input without a value');
  const { op, inputs, attrs, outputs } = value.node;
  const results = op.reference(
    inputs.map(v => evaluate(v, known)),
    attrs,
    outputs.map(v => v.type),
    'f64',
  );
  for (const [i, v] of outputs.entries()) known.set(v, results[i]!);
  return known.get(value)!;
}

/** Every op here is linear in each float input on its own: <op(x, ...), ct> = <x, vjp of x>. */
function checkAdjoint(op: Primitive, { inputs, attrs }: Sample): void {
  const b = new GraphBuilder('test');
  const known = new Map<Value, NdArray>();
  const values = inputs.map((x, i) => b.input('input', `x${i}`, typeOf(x)));
  for (const [i, v] of values.entries()) known.set(v, inputs[i]!);
  const outputs = b.emitAll(op, values, attrs);
  const y = evaluate(outputs[0]!, known);
  const ct = b.input('input', 'ct', outputs[0]!.type);
  known.set(ct, { ...y, data: y.data.map((_, i) => ((i * 7) % 11) / 4 - 1) });
  const node = outputs[0]!.node;
  if (node.kind !== 'op') throw new Error('not an op');
  const cotangents = op.vjp!(b, [ct], values, outputs, node.attrs);
  expect(cotangents).toHaveLength(inputs.length);
  cotangents.forEach((g, i) => {
    if (!isFloat(inputs[i]!.dtype)) {
      expect(g).toBeUndefined();
      return;
    }
    expect(g!.type).toEqual(values[i]!.type);
    expect(dot(evaluate(g!, known), inputs[i]!)).toBeCloseTo(dot(y, known.get(ct)!), 8);
  });
}

describe.each(ops.map(op => [op.name, op] as const))('%s', (_, op) => {
  test('lowering agrees with the reference', () => {
    fc.assert(
      fc.property(op.samples!(fc), ({ inputs, attrs }) => {
        const expected = run(op, inputs, attrs);
        const actual = interpretCompute(lowered(op, inputs.map(typeOf), attrs), inputs);
        expectAllClose(actual, expected);
      }),
      { numRuns: 150 },
    );
  });

  test('the gradient rule is the adjoint', () => {
    fc.assert(
      fc.property(op.samples!(fc), sample => checkAdjoint(op, sample)),
      { numRuns: 150 },
    );
  });

  test('preparing twice changes nothing', () => {
    fc.assert(
      fc.property(op.samples!(fc), ({ inputs, attrs }) => {
        const once = typed(op, inputs.map(typeOf), attrs).attrs;
        expect(op.prepare?.(inputs.map(typeOf), once) ?? once).toEqual(once);
      }),
      { numRuns: 20 },
    );
  });
});

describe('symbolic batch and spatial sizes', () => {
  /** Free dims for the sizes of `x` other than its channels. */
  function freed(x: NdArray): { type: TensorType; env: DimEnv; spatial: Dim[] } {
    const env: Record<string, number> = {};
    const shape = x.shape.map((n, i) => {
      if (i === 1) return D.constant(n);
      env[i === 0 ? 'N' : `S${i}`] = n;
      return D.symbol(i === 0 ? 'N' : `S${i}`);
    });
    return { type: { dtype: x.dtype, shape }, env, spatial: shape.slice(2) };
  }

  function agree(
    op: Primitive,
    types: readonly TensorType[],
    sample: Sample,
    attrs: Attrs,
    env: DimEnv,
  ): void {
    const expected = run(op, sample.inputs, sample.attrs);
    const actual = interpretCompute(lowered(op, types, attrs), sample.inputs, env);
    expectAllClose(actual, expected);
  }

  const notEmpty = (sample: Sample) => sample.inputs[0]!.shape[0]! > 0;

  test.each([windowSum, maxPool].map(op => [op.name, op] as const))('%s', (_, op) => {
    fc.assert(
      fc.property(op.samples!(fc).filter(notEmpty), sample => {
        const { type, env } = freed(sample.inputs[0]!);
        agree(op, [type], sample, sample.attrs, env);
      }),
    );
  });

  test('convolution, its gradients, unpooling', () => {
    fc.assert(
      fc.property(convolution.samples!(fc).filter(notEmpty), ({ inputs, attrs }) => {
        const [x, weight] = inputs as [NdArray, NdArray];
        const { type, env, spatial } = freed(x);
        const out = typed(convolution, [type, typeOf(weight)], attrs).outs[0]!;
        agree(convolution, [type, typeOf(weight)], { inputs, attrs }, attrs, env);
        const [y] = run(convolution, inputs, attrs);
        const concrete = {
          inputs: [y!, weight],
          attrs: { ...attrs, spatial: x.shape.slice(2).map(D.constant) },
        };
        agree(convolutionInputGradient, [out, typeOf(weight)], concrete, { ...attrs, spatial }, env);
        const kernel = { ...attrs, kernel: weight.shape.slice(2) };
        agree(convolutionWeightGradient, [out, type], { inputs: [y!, x], attrs: kernel }, kernel, env);
      }),
    );
    fc.assert(
      fc.property(maxPool.samples!(fc).filter(notEmpty), ({ inputs, attrs }) => {
        const { type, env, spatial } = freed(inputs[0]!);
        const types = typed(maxPool, [type], attrs).outs;
        const pooled = run(maxPool, inputs, attrs);
        const concrete = { ...attrs, spatial: inputs[0]!.shape.slice(2).map(D.constant) };
        agree(maxUnpool, types, { inputs: pooled, attrs: concrete }, { ...attrs, spatial }, env);
        agree(
          windowSumGradient,
          [types[0]!],
          { inputs: [pooled[0]!], attrs: concrete },
          { ...attrs, spatial },
          env,
        );
        agree(unpoolGather, [type, types[1]!], { inputs: [inputs[0]!, pooled[1]!], attrs }, attrs, env);
      }),
    );
  });

  test('sizes', () => {
    const x = tensor('f32', [D.symbol('N'), 3, D.symbol('H'), 9]);
    const out = typed(convolution, [x, tensor('f32', [4, 3, 3, 3])], { stride: 2, pad_low: 1, pad_high: 1 })
      .outs[0]!;
    expect(out.shape.map(D.print)).toEqual(
      ['N', '4', '((H + 1) ~/ 2)', '5'].map((s, i) => (i === 2 ? expect.any(String) : s)),
    );
    expect(D.evaluate(out.shape[2]!, { H: 9 })).toBe(5);
    expect(D.evaluate(out.shape[2]!, { H: 8 })).toBe(4);
  });
});

describe('convolution', () => {
  test('by hand', () => {
    const x = ndarray('f32', [1, 1, 3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const weight = ndarray('f32', [1, 1, 2, 2], [1, 2, 3, 4]);
    expect([...run(convolution, [x, weight])[0]!.data]).toEqual([37, 47, 67, 77]);
    const [padded] = run(convolution, [x, weight], { stride: 2, pad_low: 1 });
    // Windows start at -1 and 1: only weight[1, 1] sees x[0, 0], weight[1, :] sees x[0, 1..2], weight[:, 1] sees x[1..2, 0].
    expect([...padded!.data]).toEqual([4, 3 * 2 + 4 * 3, 2 * 4 + 4 * 7, 77]);
  });

  test('equals a direct formula over a padded copy', () => {
    fc.assert(
      fc.property(convolution.samples!(fc), ({ inputs, attrs }) => {
        const [x, weight] = inputs as [NdArray, NdArray];
        const [low, high] = [attrs.pad_low as number[], attrs.pad_high as number[]];
        const [stride, dilation] = [attrs.stride as number[], attrs.dilation as number[]];
        // Crops and pads into a new array first; then no bounds are left to test.
        const sizes = x.shape.slice(2).map((n, i) => n + low[i]! + high[i]!);
        const p = zeros('f32', [...x.shape.slice(0, 2), ...sizes]);
        forEachIndex(x.shape, (at, flat) => {
          const to = at.map((v, i) => (i < 2 ? v : v + low[i - 2]!));
          if (to.every((v, i) => v >= 0 && v < p.shape[i]!)) p.data[flatIndex(to, p.shape)] = x.data[flat]!;
        });
        const counts = sizes.map(
          (n, i) => Math.floor((n - dilation[i]! * (weight.shape[i + 2]! - 1) - 1) / stride[i]!) + 1,
        );
        const y = zeros('f32', [x.shape[0]!, weight.shape[0]!, ...counts]);
        const perGroup = weight.shape[0]! / (attrs.groups as number);
        forEachIndex(y.shape, ([n, o, ...q], flat) => {
          const first = Math.floor(o! / perGroup) * weight.shape[1]!;
          forEachIndex(weight.shape.slice(1), ([c, ...k]) => {
            const at = q.map((v, i) => v * stride[i]! + k[i]! * dilation[i]!);
            const left = p.data[flatIndex([n!, first + c!, ...at], p.shape)]!;
            y.data[flat]! += left * weight.data[flatIndex([o!, c!, ...k], weight.shape)]!;
          });
        });
        expectClose(run(convolution, inputs, attrs)[0]!, y);
      }),
    );
  });

  test('<conv(x, w), ct> = <x, dx(ct, w)> = <w, dw(ct, x)>', () => {
    fc.assert(
      fc.property(
        convolution.samples!(fc),
        fc.infiniteStream(fc.integer({ min: -8, max: 8 })),
        ({ inputs, attrs }, noise) => {
          const [x, weight] = inputs as [NdArray, NdArray];
          const [y] = run(convolution, inputs, attrs);
          const ct = { ...y!, data: y!.data.map(() => noise.next().value as number) };
          const spatial = x.shape.slice(2).map(D.constant);
          const [dx] = run(convolutionInputGradient, [ct, weight], { ...attrs, spatial });
          const [dw] = run(convolutionWeightGradient, [ct, x], { ...attrs, kernel: weight.shape.slice(2) });
          const value = dot(y!, ct);
          expect(dot(x, dx!)).toBeCloseTo(value, 8);
          expect(dot(weight, dw!)).toBeCloseTo(value, 8);
        },
      ),
    );
  });

  test('transposed convolution by hand', () => {
    const y = ndarray('f32', [1, 1, 2], [1, 10]);
    const weight = ndarray('f32', [1, 1, 3], [1, 2, 3]);
    const [x] = run(convolutionInputGradient, [y, weight], { stride: 2, spatial: [D.constant(5)] });
    expect([...x!.data]).toEqual([1, 2, 3 + 10, 20, 30]);
  });
});

describe('lowered form', () => {
  const nonLinear = (text: string) => /"op":"(mod|floordiv)"/.test(text);
  const guards = (compute: Compute): number => {
    let count = compute.reduce?.guard?.length ?? 0;
    const inIndex = (x: Index): void => {
      if (x.kind === 'value') visit(x.value);
      if (x.kind === 'op') [x.a, x.b].forEach(inIndex);
    };
    const visit = (e: Expr): void => {
      if (e.kind === 'load') {
        count += e.guard?.length ?? 0;
        e.at.forEach(inIndex);
      }
      if (e.kind === 'binary' || e.kind === 'select') [e.a, e.b].forEach(visit);
      if (e.kind === 'unary' || e.kind === 'cast') visit(e.a);
    };
    compute.reduce?.lift.forEach(visit);
    return count;
  };
  const x = tensor('f32', [D.symbol('N'), 6, 12, 12]);
  const weight = tensor('f32', [4, 6, 3, 3]);
  const ct = (size: number) => tensor('f32', [D.symbol('N'), 4, size, size]);
  const spatial = [D.constant(12), D.constant(12)];

  test('plain convolution has affine loads without guards', () => {
    const compute = lowered(convolution, [x, weight], {});
    expect(nonLinear(JSON.stringify(compute))).toBe(false);
    expect(guards(compute)).toBe(0);
    expect(guards(lowered(convolution, [x, weight], { pad_low: 1, pad_high: 1 }))).toBe(4);
  });

  test('input gradient of stride 1 has neither remainder nor quotient', () => {
    const compute = lowered(convolutionInputGradient, [ct(10), weight], { spatial });
    expect(nonLinear(JSON.stringify(compute))).toBe(false);
    const dilated = lowered(convolutionInputGradient, [ct(8), weight], { dilation: 2, spatial });
    expect(nonLinear(JSON.stringify(dilated))).toBe(false);
  });

  test('input gradient of stride 2 tries two taps of three per axis', () => {
    const compute = lowered(convolutionInputGradient, [ct(5), weight], { stride: 2, spatial });
    expect(compute.reduce!.axes.map(a => D.constantValue(a.extent))).toEqual([4, 2, 2]);
  });

  test('unpooling disjoint windows reads one window per position, unguarded', () => {
    const y = tensor('f32', [D.symbol('N'), 6, 6, 6]);
    const compute = lowered(maxUnpool, [y, { ...y, dtype: 'i32' }], { kernel: 2, spatial });
    expect(compute.reduce!.axes.map(a => D.constantValue(a.extent))).toEqual([1, 1]);
    expect(guards(compute)).toBe(0);
  });

  test('max_pool without padding has no guard', () => {
    const compute = lowered(maxPool, [x], { kernel: 3, stride: 2 });
    expect(compute.reduce!.guard).toBeUndefined();
  });
});

describe('max_pool', () => {
  const pool = (shape: number[], data: number[], attrs: Attrs) =>
    run(maxPool, [ndarray('f32', [1, 1, ...shape], data)], attrs).map(r => [...r.data]);

  test('ties go to the first in row-major order', () => {
    expect(pool([2, 2], [1, 1, 1, 1], { kernel: 2 })).toEqual([[1], [0]]);
    expect(pool([3], [2, 2, 1], { kernel: 2, stride: 1 })).toEqual([
      [2, 2],
      [0, 1],
    ]);
    // Equal elements everywhere: each window's first one that is not padding.
    expect(pool([3, 3], new Array(9).fill(-7), { kernel: 3, stride: 1, pad_low: 1, pad_high: 1 })[1]).toEqual(
      [0, 0, 1, 0, 0, 1, 3, 3, 4],
    );
    // Dilation: taps 0 and 2.
    expect(pool([4], [5, 9, 5, 9], { kernel: 2, stride: 1, dilation: 2 })).toEqual([
      [5, 9],
      [0, 1],
    ]);
  });

  test('padding never wins', () => {
    expect(pool([2], [-3, -4], { kernel: 2, pad_low: 1, pad_high: 1 })).toEqual([
      [-3, -4],
      [0, 1],
    ]);
  });

  test('a window between whose taps the input lies sees nothing', () => {
    const [y, index] = pool([2], [1, 2], { kernel: 2, dilation: 3, pad_low: 1, pad_high: 1 });
    expect(index).toEqual([-1]);
    expect(y![0]).toBeLessThan(-3e38);
  });

  test('the gradient adds up where overlapping windows share a winner', () => {
    const y = ndarray('f32', [1, 1, 2], [10, 1]);
    const index = ndarray('i32', [1, 1, 2], [1, 1]);
    const attrs = { kernel: 2, stride: 1, spatial: [D.constant(3)] };
    expect([...run(maxUnpool, [y, index], attrs)[0]!.data]).toEqual([0, 11, 0]);
    const compute = lowered(maxUnpool, [typeOf(y), typeOf(index)], attrs);
    expect([...interpretCompute(compute, [y, index])[0]!.data]).toEqual([0, 11, 0]);
  });

  test('ceil mode has the sizes of PyTorch', () => {
    const axis = fc.record({
      size: fc.integer({ min: 1, max: 12 }),
      kernel: fc.integer({ min: 1, max: 4 }),
      stride: fc.integer({ min: 1, max: 5 }),
      dilation: fc.integer({ min: 1, max: 3 }),
      pad: fc.integer({ min: 0, max: 2 }),
      ceil: fc.boolean(),
    });
    fc.assert(
      fc.property(axis, a => {
        fc.pre(2 * a.pad <= a.kernel);
        // pooling_output_shape of PyTorch's aten/src/ATen/native/Pool.h
        const room = a.size + 2 * a.pad - a.dilation * (a.kernel - 1) - 1 + (a.ceil ? a.stride - 1 : 0);
        let expected = Math.floor(room / a.stride) + 1;
        if (a.ceil && (expected - 1) * a.stride >= a.size + a.pad) expected--;
        fc.pre(expected >= 1);
        const { kernel, stride, dilation, ceil } = a;
        const attrs = { kernel, stride, dilation, ceil, pad_low: a.pad, pad_high: a.pad };
        const { outs } = typed(maxPool, [tensor('f32', [1, 1, a.size])], attrs);
        expect(D.constantValue(outs[0]!.shape[2]!)).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });
});

describe('gather and scatter_add', () => {
  const x = ndarray('f32', [2, 3], [1, 2, 3, 4, 5, 6]);
  const index = ndarray('i32', [2, 2], [2, 0, 1, 1]);

  test('by hand', () => {
    expect([...run(gather, [x, index], { axis: -1 })[0]!.data]).toEqual([3, 1, 5, 5]);
    const ct = ndarray('f32', [2, 2], [10, 20, 30, 40]);
    const [sum] = run(scatterAdd, [ct, index], { axis: 1, extent: D.constant(3) });
    expect([...sum!.data]).toEqual([20, 0, 10, 0, 70, 0]);
  });

  test('indices out of range are clamped, in both', () => {
    const wild = ndarray('i32', [2, 2], [-5, 9, 3, -1]);
    const ct = ndarray('f32', [2, 2], [10, 20, 30, 40]);
    const attrs = { axis: 1, extent: D.constant(3) };
    expect([...run(gather, [x, wild], { axis: 1 })[0]!.data]).toEqual([1, 3, 6, 4]);
    expect([...run(scatterAdd, [ct, wild], attrs)[0]!.data]).toEqual([10, 0, 20, 40, 0, 30]);
    for (const [op, inputs, given] of [
      [gather, [x, wild], { axis: 1 }],
      [scatterAdd, [ct, wild], attrs],
    ] as const)
      expectClose(
        interpretCompute(lowered(op, inputs.map(typeOf), given), inputs)[0]!,
        run(op, inputs, given)[0]!,
      );
  });
});

describe('matmul', () => {
  test('by hand, broadcast', () => {
    const a = ndarray('f32', [2, 1, 2], [1, 2, 3, 4]);
    const b = ndarray('f32', [2, 2], [1, 2, 3, 4]);
    const [y] = run(matmul, [a, b]);
    expect([y!.shape, [...y!.data]]).toEqual([
      [2, 1, 2],
      [7, 10, 15, 22],
    ]);
  });

  test('rows of a batch become rows of one product', () => {
    const b = new GraphBuilder('test');
    const x = b.input('input', 'x', tensor('f32', [D.symbol('N'), 5, 4]));
    const w = b.input('param', 'w', tensor('f32', [4, 3]));
    const [y] = matmul.simplify!(b, [x, w], {}, [])!;
    expect(y!.type).toEqual(tensor('f32', [D.symbol('N'), 5, 3]));
    const known = new Map([
      [
        x,
        ndarray(
          'f32',
          [1, 5, 4],
          Array.from({ length: 20 }, (_, i) => i),
        ),
      ],
      [
        w,
        ndarray(
          'f32',
          [4, 3],
          Array.from({ length: 12 }, (_, i) => i - 5),
        ),
      ],
    ]);
    const small = new GraphBuilder('test');
    const [x1, w1] = [...known.values()].map((v, i) => small.input('input', `x${i}`, typeOf(v)));
    const [flat] = matmul.simplify!(small, [x1!, w1!], {}, [])!;
    const actual = evaluate(
      flat!,
      new Map([
        [x1!, known.get(x)!],
        [w1!, known.get(w)!],
      ]),
    );
    expectClose(actual, run(matmul, [...known.values()])[0]!);
    expect(matmul.simplify!(small, [w1!, w1!], {}, [])).toBeUndefined();
  });
});

describe('errors', () => {
  const f32 = (...shape: (Dim | number)[]) => tensor('f32', shape);
  const N = D.symbol('N');
  const cases: [string, Primitive, TensorType[], Attrs, string][] = [
    [
      'channels',
      convolution,
      [f32(N, 4, 8, 8), f32(6, 3, 3, 3)],
      {},
      'weight has 3 input channels per group, x has 4 channels (groups = 1): f32[N, 4, 8, 8] against f32[6, 3, 3, 3]',
    ],
    [
      'rank',
      convolution,
      [f32(N, 4, 8), f32(6, 4, 3, 3)],
      {},
      'x and weight differ in rank: f32[N, 4, 8] against f32[6, 4, 3, 3]',
    ],
    [
      'groups',
      convolution,
      [f32(N, 4, 8), f32(3, 2, 3)],
      { groups: 2 },
      'groups = 2 does not divide the 3 output channels of weight',
    ],
    [
      'window too large',
      convolution,
      [f32(N, 4, 8), f32(3, 4, 5)],
      { dilation: 3 },
      'the window spans 13 positions of spatial dim 0, which has only 8 and padding 0 + 0',
    ],
    [
      'entries',
      convolution,
      [f32(N, 4, 8), f32(3, 4, 5)],
      { stride: [1, 2] },
      'stride has 2 entries, but there are 1 spatial dims',
    ],
    ['stride', convolution, [f32(N, 4, 8), f32(3, 4, 5)], { stride: 0 }, 'stride must be at least 1'],
    ['dtypes', convolution, [f32(N, 4, 8), tensor('f16', [3, 4, 5])], {}, 'the types differ'],
    [
      'free kernel',
      convolution,
      [f32(N, 4, 8), f32(3, 4, N)],
      {},
      'dim 2 of weight must be a positive constant, but is N',
    ],
    ['count', convolution, [f32(N, 4, 8)], {}, 'convolution takes 2 tensors (x, weight), given 1'],
    [
      'spatial',
      convolutionInputGradient,
      [f32(N, 3, 4), f32(3, 4, 5)],
      { spatial: [9] },
      'ct has spatial sizes [4], but there are [5] windows over [9]',
    ],
    ['no spatial', convolutionInputGradient, [f32(N, 3, 4), f32(3, 4, 5)], {}, 'spatial is missing'],
    [
      'batch',
      convolutionWeightGradient,
      [f32(N, 3, 4), f32(2, 4, 8)],
      { kernel: 5 },
      'ct and x differ in batch size',
    ],
    [
      'pad',
      maxPool,
      [f32(N, 3, 4)],
      { kernel: 2, pad_low: 2 },
      'padding 2 of spatial dim 0 leaves windows without an element',
    ],
    ['no kernel', maxPool, [f32(N, 3, 4)], {}, 'kernel is missing'],
    ['not an image', windowSum, [f32(N, 3)], { kernel: 2 }, 'x must be [N, C, ...spatial]'],
    [
      'index',
      maxUnpool,
      [f32(N, 3, 4), f32(N, 3, 4)],
      { kernel: 2, spatial: [8] },
      'index must be i32 in the shape of ct',
    ],
    ['axis', gather, [f32(3, 4), tensor('i32', [3, 1])], { axis: 2 }, 'axis 2 is out of range for 2 axes'],
    [
      'other dims',
      gather,
      [f32(3, 4), tensor('i32', [2, 1])],
      { axis: 1 },
      'index must have the dims of x but for axis 1: f32[3, 4] against i32[2, 1]',
    ],
    [
      'inner',
      matmul,
      [f32(N, 3), f32(4, 2)],
      {},
      'a has 3 columns, b has 4 rows: f32[N, 3] against f32[4, 2]',
    ],
    [
      'batches',
      matmul,
      [f32(2, 5, 3), f32(4, 3, 2)],
      {},
      'batch dims 2 of a and 4 of b are neither equal nor 1',
    ],
    ['vector', matmul, [f32(3), f32(3, 2)], {}, 'a must be a matrix or a batch of them, but is f32[3]'],
  ];
  test.each(cases)('%s', (_, op, types, attrs, message) => {
    expect(() => typed(op, types, attrs)).toThrow(expect.objectContaining({ name: 'ShapeError' }));
    expect(() => typed(op, types, attrs)).toThrow(message);
  });
});
