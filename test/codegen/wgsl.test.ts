import { describe, expect, it } from 'vitest';
import { entryPoint, printKernel, usesUniforms } from '../../src/codegen/wgsl/kernel.ts';
import { printWgslFile } from '../../src/codegen/wgsl/module.ts';
import { symbol } from '../../src/ir/dim.ts';
import { interpretKernel } from '../../src/ir/interpret/kernel.ts';
import type { KExpr } from '../../src/ir/kernel.ts';
import type { BinaryOp } from '../../src/ir/scalar.ts';
import { threefry2x32 } from '../../src/ir/scalar.ts';
import { verifyKernel } from '../../src/ir/verify/kernel.ts';
import { getDevice } from '../gpu.ts';
import * as K from '../kernel/build.ts';
import { matmul, rowSum } from '../kernel/kernels.ts';
import { runOnGpu } from '../kernel/run.ts';

const device = await getDevice();

const words = [
  { name: 'N', dtype: 'u32' },
  { name: 'scale', dtype: 'f32' },
] as const;

describe('printKernel', () => {
  it('a loop over unrolled products', () =>
    expect(printKernel(matmul, words)).toMatchInlineSnapshot(`
    "// c = a @ b * scale
    // from net.dnn:3:4

    struct Uniforms {
      N: u32,
      scale: f32,
    }

    @group(0) @binding(0) var<storage, read> a: array<f32>;
    @group(0) @binding(1) var<storage, read> b: array<f32>;
    @group(0) @binding(2) var<storage, read_write> c: array<f32>;
    @group(0) @binding(3) var<uniform> uniforms: Uniforms;

    @compute @workgroup_size(64)
    fn matmul(
      @builtin(workgroup_id) workgroup_id: vec3u,
      @builtin(num_workgroups) num_workgroups: vec3u,
      @builtin(local_invocation_index) local_index: u32,
    ) {
      let group = i32(workgroup_id.x + workgroup_id.y * num_workgroups.x);
      let local = i32(local_index);
      let N = i32(uniforms.N);
      let scale = uniforms.scale;
      if (group >= N) {
        return;
      }
      let id = group * 64 + local;
      if (id < N * 8) {
        let row = id / 8;
        let column = id % 8;
        var acc = 0.0;
        for (var k = 0; k < 12; k += 3) {
          acc = acc + a[row * 12 + k + 0] * b[(k + 0) * 8 + column]
            + a[row * 12 + k + 1] * b[(k + 1) * 8 + column]
            + a[row * 12 + k + 2] * b[(k + 2) * 8 + column];
        }
        c[id] = acc * scale;
      }
    }
    "
  `));

  it('workgroup memory', () =>
    expect(printKernel(rowSum, [])).toMatchInlineSnapshot(`
    "@group(0) @binding(0) var<storage, read> x: array<f32>;
    @group(0) @binding(1) var<storage, read_write> y: array<f32>;

    var<workgroup> partial_: array<f32, 64>;

    @compute @workgroup_size(64)
    fn row_sum(
      @builtin(workgroup_id) workgroup_id: vec3u,
      @builtin(num_workgroups) num_workgroups: vec3u,
      @builtin(local_invocation_index) local_index: u32,
    ) {
      let group = i32(workgroup_id.x + workgroup_id.y * num_workgroups.x);
      let local = i32(local_index);
      partial_[local] = x[group * 64 + local];
      workgroupBarrier();
      var half = 32;
      for (var round_ = 0; round_ < 6; round_++) {
        if (local < half) {
          let mine = partial_[local];
          let other = partial_[local + half];
          partial_[local] = mine + other;
        }
        workgroupBarrier();
        half = half / 2;
      }
      if (local == 0) {
        y[group] = partial_[0];
      }
    }
    "
  `));

  const line = (value: KExpr): string => {
    const text = printKernel(
      K.kernel('k', [K.buffer('x', 'f32'), K.buffer('i', 'i32')], [K.bind('value', value)]),
      words,
    );
    return /let value = ([^;]*);/.exec(text)![1]!;
  };
  const i = (n: number) => K.load('i', K.i32(n), 'i32');

  it('parentheses stand only where they are needed', () => {
    const [a, b, c] = [i(0), i(1), i(2)];
    const x = K.load('x', K.i32(0));
    const less = (p: KExpr, q: KExpr) => K.binary('lt', p, q);
    expect(line(K.mul(K.add(a, b), c))).toBe('(i[0] + i[1]) * i[2]');
    expect(line(K.add(a, K.add(b, c)))).toBe('i[0] + i[1] + i[2]');
    expect(line(K.add(x, K.add(x, x)))).toBe('x[0] + (x[0] + x[0])');
    expect(line(K.binary('sub', a, K.binary('sub', b, c)))).toBe('i[0] - (i[1] - i[2])');
    expect(line(K.mul(a, K.binary('floordiv', b, c)))).toBe('i[0] * (i[1] / i[2])');
    expect(line(K.binary('and', K.binary('or', less(a, b), less(b, c)), less(a, c)))).toBe(
      '(i[0] < i[1] || i[1] < i[2]) && i[0] < i[2]',
    );
    expect(line(K.unary('neg', K.unary('neg', x)))).toBe('-(-x[0])');
    expect(line(K.binary('sub', x, K.f32(-1)))).toBe('x[0] - -1.0');
    expect(line(K.unary('not', less(a, b)))).toBe('!(i[0] < i[1])');
    expect(line(K.binary('and', a, K.add(b, c)))).toBe('i[0] & (i[1] + i[2])');
    expect(line(K.binary('eq', less(a, b), less(b, c)))).toBe('(i[0] < i[1]) == (i[1] < i[2])');
  });

  it('a comparison before another in one call is no template', () => {
    const compare = (op: BinaryOp) => K.binary(op, i(0), i(1));
    expect(line(K.select(compare('gt'), compare('ge'), compare('lt')))).toBe(
      'select((i[0] < i[1]), i[0] >= i[1], i[0] > i[1])',
    );
  });

  it('names become identifiers that WGSL does not know', () => {
    const buffers = [
      K.buffer('fn', 'f32'),
      K.buffer('a.b', 'f32'),
      K.buffer('a_b', 'f32'),
      K.buffer('max', 'f32', 'read_write'),
    ];
    const clash = K.binary('max', K.load('fn', K.i32(0)), K.unary('sigmoid', K.load('a.b', K.i32(0))));
    const kernel = K.kernel('sigmoid', buffers, [
      K.bind('group', K.builtin('group')),
      K.bind('1st', clash),
      K.store('max', K.ref('group'), K.ref('1st', 'f32')),
    ]);
    const text = printKernel(kernel, []);
    for (const name of ['fn_', 'a_b', 'a_b_2', 'max_']) expect(text).toContain(` ${name}: array<f32>`);
    expect(text).toContain('let v_1st = max(fn_[0], sigmoid_2(a_b[0]));');
    expect(text).toContain('fn sigmoid(');
    expect(text).toContain('_ = &a_b_2;');
    expect(entryPoint(kernel)).toBe('sigmoid');
    expect(entryPoint({ ...kernel, name: 'loop' })).toBe('loop_');
  });

  it('comments cannot escape', () => {
    const comments = ['first\nsecond', 'third\u2028}'];
    const text = printKernel(K.kernel('k', [], [{ kind: 'comment', text: 'a\r\nb' }], { comments }), []);
    expect(text.split(/[\n\u2028]/).filter(l => l.includes('//'))).toEqual([
      '// first',
      '// second',
      '// third',
      '// }',
      '  // a',
      '  // b',
    ]);
  });

  it('long expressions break before operators and stay within 100 columns', () => {
    const terms = Array.from({ length: 30 }, (_, n) =>
      K.mul(K.load('x', K.add(i(n), K.i32(n))), K.f32(n + 0.5)),
    );
    const sum = terms.reduce((a, b) => K.add(a, b));
    const text = printKernel(
      K.kernel('k', [K.buffer('x', 'f32'), K.buffer('i', 'i32')], [K.bind('value', sum)]),
      [],
    );
    for (const l of text.split('\n')) expect(l.length).toBeLessThanOrEqual(100);
    expect(text).toMatch(/\n {4}\+ x\[/);
  });

  it('knows whether the uniform block is bound', () => {
    expect(usesUniforms(matmul)).toBe(true);
    expect(usesUniforms(rowSum)).toBe(false);
    // The number of workgroups itself depends on N.
    expect(usesUniforms({ ...rowSum, groups: symbol('N') })).toBe(true);
    expect(() => printKernel(matmul, [words[0]])).toThrow('matmul: the uniform block has no word scale');
  });

  it('a file for reading has a banner per kernel', () => {
    const text = printWgslFile('net.dnn', [
      { kernel: matmul, uniforms: words },
      { kernel: rowSum, uniforms: [] },
    ]);
    expect(text).toContain('// net.dnn\n// 2 kernels; each is compiled as a module of its own.\n');
    expect(text.match(/^\/\/ (matmul|row_sum) · .*$/gm)).toEqual([
      '// matmul · N workgroups of 64',
      '// row_sum · 5 workgroups of 64',
    ]);
  });
});

/** A pseudo-random expression over i32 loads; operators and operands are drawn so that every precedence meets every other. */
function randomExpr(next: (below: number) => number, dtype: 'i32' | 'bool', depth: number): KExpr {
  const inner = (of: 'i32' | 'bool') => randomExpr(next, of, depth - 1);
  const pick = <T>(list: readonly T[]): T => list[next(list.length)]!;
  if (dtype === 'bool') {
    if (depth === 0)
      return K.binary(pick(['lt', 'gt', 'eq']), K.load('x', K.i32(next(8)), 'i32'), K.i32(next(7) - 3));
    if (next(4) === 0) return K.unary('not', inner('bool'));
    if (next(2) === 0)
      return K.binary(pick(['lt', 'le', 'gt', 'ge', 'eq', 'ne']), inner('i32'), inner('i32'));
    return K.binary(pick(['and', 'or', 'eq', 'ne']), inner('bool'), inner('bool'));
  }
  if (depth === 0) return next(3) === 0 ? K.i32(next(9) - 4) : K.load('x', K.i32(next(8)), 'i32');
  if (next(6) === 0) return K.unary(pick(['neg', 'abs', 'sign']), inner('i32'));
  if (next(6) === 0) return K.select(inner('bool'), inner('i32'), inner('i32'));
  if (next(8) === 0) return K.cast('i32', inner('bool'));
  return K.binary(pick(['add', 'sub', 'mul', 'and', 'or', 'max', 'min']), inner('i32'), inner('i32'));
}

describe.skipIf(!device)('on the adapter', () => {
  it('expressions mean what their trees say', async () => {
    let drawn = 0;
    const next = (below: number) => threefry2x32(7, 11, drawn++, 0) % below;
    const exprs = Array.from({ length: 150 }, () => randomExpr(next, 'i32', 4));
    const body = exprs.map((e, n) => K.store('y', K.i32(n), e));
    const kernel = K.kernel('random', [K.buffer('x', 'i32'), K.buffer('y', 'i32', 'read_write')], body, {
      workgroupSize: 1,
    });
    expect(verifyKernel(kernel)).toEqual([]);
    const x = Float64Array.from([0, 1, -1, 2, -3, 5, 100, -2147483648]);
    const own = { x, y: new Float64Array(150) };
    interpretKernel(kernel, own);
    const { y } = await runOnGpu(device!, kernel, { x, y: new Float64Array(150) });
    expect([...y!]).toEqual([...own.y]);
  });
});
