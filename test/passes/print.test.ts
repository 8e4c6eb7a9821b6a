import { describe, expect, it } from 'vitest';
import * as A from '../../src/ir/affine.ts';
import { GraphBuilder } from '../../src/ir/builder.ts';
import type { Compute } from '../../src/ir/compute.ts';
import * as D from '../../src/ir/dim.ts';
import * as E from '../../src/ir/expr.ts';
import * as M from '../../src/ir/monoid.ts';
import { inRange } from '../../src/ir/predicate.ts';
import { withDefaults } from '../../src/ir/primitive.ts';
import { printCompute, printRegion } from '../../src/ir/print/compute.ts';
import { printExpr, printIndex, printPredicate } from '../../src/ir/print/expr.ts';
import { printAttr, printGraph } from '../../src/ir/print/graph.ts';
import { tensor } from '../../src/ir/type.ts';
import { convolution } from '../../src/ops/convolution.ts';
import { maxPool } from '../../src/ops/max-pool.ts';
import { tanh } from '../../src/ops/tanh.ts';

const N = D.symbol('N');

describe('printGraph', () => {
  it('is flat text with inputs, places and outputs', () => {
    const source = { name: 'lenet.dnn', text: 'net LeNet\n  conv(6)\n' };
    const b = new GraphBuilder('LeNet');
    const x = b.input('input', 'x', tensor('f32', [N, 1, 28, 28]));
    const w = b.input('param', 'LeNet.conv.weight', tensor('f32', [6, 1, 5, 5]), {
      path: 'LeNet.conv.weight',
    });
    b.origin = { path: 'LeNet.conv', span: { source, start: 12, end: 19 } };
    const y = b.emit(convolution, [x, w]);
    b.origin = { path: 'LeNet.act' };
    const act = b.emit(tanh, [y]);
    b.origin = {};
    const [pooled, index] = b.emitAll(maxPool, [act], { kernel: [2, 2] });
    b.output({ name: 'y', role: 'result', value: pooled! });
    b.output({ name: 'y.index', role: 'result', value: index! });
    b.output({ name: 'w', role: 'update', target: 'LeNet.conv.weight', value: w });
    expect(printGraph(b.build())).toMatchInlineSnapshot(`
      "graph LeNet(
        %0 = input x : f32[N, 1, 28, 28]
        %1 = param "LeNet.conv.weight" : f32[6, 1, 5, 5]
      ) {
        %2 = convolution(%0, %1, stride = [1, 1], dilation = [1, 1], pad_low = [0, 0], pad_high = [0, 0], groups = 1) : f32[N, 6, 24, 24] at "LeNet.conv"   // lenet.dnn:2:3
        %3 = tanh(%2) : f32[N, 6, 24, 24] at "LeNet.act"
        %4, %5 = max_pool(%3, dilation = [1, 1], pad_low = [0, 0], pad_high = [0, 0], ceil = false, kernel = [2, 2], stride = [2, 2]) : f32[N, 6, 12, 12], i32[N, 6, 12, 12]
        result y = %4
        result "y.index" = %5
        update w -> "LeNet.conv.weight" = %1
      }"
    `);
  });

  it('shows an empty graph', () => {
    expect(printGraph(new GraphBuilder('My net').build())).toBe('graph "My net"() {\n\n}');
  });

  it('shows attributes of every kind', () => {
    expect([1, -0, 0.1, true, 'a "b"', N, [1, [N, false]]].map(printAttr)).toEqual([
      '1',
      '-0',
      '0.1',
      'true',
      '"a \\"b\\""',
      'N',
      '[1, [N, false]]',
    ]);
  });
});

describe('printCompute', () => {
  const type = tensor('f32', [N, 4]);

  it('shows axes, inputs, reduction and outputs', () => {
    const types = [tensor('f32', [N, 1, 28, 28]), tensor('f32', [6, 1, 5, 5])];
    const attrs = convolution.prepare!(
      types,
      withDefaults(convolution, { stride: 2, pad_low: 1, pad_high: 1 }),
    );
    expect(
      printCompute(convolution.lower!(types, attrs, convolution.infer(types, attrs))),
    ).toMatchInlineSnapshot(`
      "for n < N, o < 6, y < 13, x < 13
        in0 : f32[N, 1, 28, 28]
        in1 : f32[6, 1, 5, 5]
        sum over c < 1, ky < 5, kx < 5
          (in0[n, c, y * 2 + ky - 1, x * 2 + kx - 1] if 0 <= y * 2 + ky - 1 and 0 <= x * 2 + kx - 1 else 0.0) * in1[o, c, ky, kx]
        out0 : f32[N, 6, 13, 13] = acc0"
    `);
  });

  it('shows several outputs, places, kept axes, guards, and tells axes of one name apart', () => {
    const [i, j, k] = [E.axis('i', N), E.axis('i', D.constant(4)), E.axis('k', D.constant(3))];
    const monoid = M.pair(M.sum('f32'), M.argExtreme('max', 'f32'));
    const at = A.sub(k, 1);
    const compute: Compute = {
      inputs: [type],
      axes: [i, j],
      reduce: {
        axes: [k],
        guard: inRange(at, 4),
        monoid,
        lift: [E.constant(1), E.load(0, type, [i, at], inRange(at, 4), -1), E.indexValue(k)],
      },
      outs: [
        {
          type: tensor('f32', [4, N]),
          value: E.mul(E.reduced(0, monoid), E.reduced(1, monoid)),
          at: [A.index(j), A.index(i)],
        },
        { type: tensor('i32', [N]), value: E.reduced(2, monoid), keep: [i] },
      ],
    };
    expect(printCompute(compute)).toMatchInlineSnapshot(`
      "for i < N, i_2 < 4
        in0 : f32[N, 4]
        sum+argmax over k < 3 if 0 <= k - 1
          1.0
          in0[i, k - 1] if 0 <= k - 1 else -1.0
          k
        out0[i_2, i] : f32[4, N] = acc0 * acc1
        out1 keeping (i) : i32[N] = acc2"
    `);
  });

  it('shows the stages of a region under their axes', () => {
    const [n, i, j] = [E.axis('n', N), E.axis('i', D.constant(4)), E.axis('i', D.constant(4))];
    const monoid = M.maximum('f32');
    const row = tensor('f32', [N]);
    const region = {
      outer: [n],
      stages: [
        {
          inputs: [type],
          axes: [],
          reduce: { axes: [i], monoid, lift: [E.load(0, type, [n, i])] },
          outs: [{ type: row, value: E.reduced(0, monoid), at: [A.index(n)] }],
        },
        {
          inputs: [type, row],
          axes: [j],
          outs: [
            {
              type,
              value: E.sub(E.load(0, type, [n, j]), E.load(1, row, [n])),
              at: [A.index(n), A.index(j)],
            },
          ],
        },
      ],
    };
    expect(printRegion(region)).toMatchInlineSnapshot(`
      "for n < N
        for one point
          in0 : f32[N, 4]
          max over i < 4
            in0[n, i]
          out0[n] : f32[N] = acc0
        for i_2 < 4
          in0 : f32[N, 4]
          in1 : f32[N]
          out0[n, i_2] : f32[N, 4] = in0[n, i_2] - in1[n]"
    `);
  });
});

describe('printExpr', () => {
  const [a, b, c] = [0, 1, 2].map(i => E.load(i, tensor('f32', []), [])) as [E_, E_, E_];
  type E_ = ReturnType<typeof E.load>;

  it('shows the order of operations with as few parentheses as say it', () => {
    const texts = [
      E.add(E.add(a, b), c),
      E.add(a, E.add(b, c)),
      E.mul(E.add(a, b), c),
      E.add(a, E.mul(b, c)),
      E.unary('neg', E.add(a, b)),
      E.unary('neg', E.unary('neg', a)),
      E.binary('pow', a, E.constant(2)),
      E.select(E.binary('lt', a, b), E.add(a, b), E.select(E.binary('eq', a, c), b, c)),
      E.cast('i32', E.mul(a, b)),
      E.binary('max', a, E.constant(-0.5)),
      E.binary('and', E.binary('lt', a, b), E.unary('not', E.binary('lt', b, c))),
    ].map(e => printExpr(e).replaceAll('[]', ''));
    expect(texts).toEqual([
      'in0 + in1 + in2',
      'in0 + (in1 + in2)',
      '(in0 + in1) * in2',
      'in0 + in1 * in2',
      '-(in0 + in1)',
      '-(-in0)',
      'pow(in0, 2.0)',
      'in0 + in1 if in0 < in1 else (in1 if in0 == in2 else in2)',
      'i32(in0 * in1)',
      'max(in0, -0.5)',
      'in0 < in1 and not(in1 < in2)',
    ]);
  });

  it('shows constants with their dtype', () => {
    const values = [
      E.constant(1),
      E.constant(1e-7),
      E.constant(-0),
      E.constant(3, 'i32'),
      E.constant(3, 'u32'),
      E.constant(1, 'bool'),
    ];
    expect(values.map(e => printExpr(e))).toEqual(['1.0', '1e-7', '-0.0', '3', '3u', 'true']);
  });

  it('shows indices and predicates', () => {
    const y = E.axis('y', N);
    expect(printIndex(A.sub(A.mul(y, 2), 1))).toBe('y * 2 - 1');
    expect(printIndex(A.mod(A.add(y, D.add(N, D.constant(3))), 7))).toBe('(y + (N + 3)) % 7');
    expect(printPredicate(inRange(A.sub(y, 1), N))).toBe('0 <= y - 1');
    expect(printPredicate([])).toBe('true');
  });
});
