import { describe, expect, test } from 'vitest';
import { toFloat16 as bitsOf, fromFloat16 } from '../../runtime/float16.ts';
import { convertFloats, open } from '../../runtime/index.ts';
import { isSoftware } from '../../runtime/node/index.ts';
import { buildModel } from '../../src/codegen/model.ts';
import { printModule } from '../../src/codegen/module.ts';
import { compile } from '../../src/compile.ts';
import { gpuTarget, softwareTarget } from '../../src/ir/target.ts';
import type { CompiledModule } from '../../src/passes/pipeline.ts';
import { float16ToNumber, numberToFloat16, roundToFloat16, toFloat16 } from '../../src/support/float16.ts';
import { generator } from '../arbitrary/numbers.ts';
import { getDevice } from '../gpu.ts';
import { lenet, mlp } from './nets.ts';
import { build } from './run.ts';

const device = await getDevice();
const noHalf = !device?.features.has('shader-f16');
if (noHalf) console.warn('half precision is not tried on a device: none here has shader-f16');

const source = (text: string) => ({ name: 'half.dnn', text });

/** Names of the tensors of a program that are kept in f16. */
const halves = (compiled: CompiledModule, name: string): string[] =>
  compiled.programs.get(name)!.program.tensors.flatMap(t => (t.type.dtype === 'f16' ? [t.name] : []));

/** Numbers of every size that f16 has, those between and beyond, and ties. */
function numbers(): number[] {
  const all = Array.from({ length: 0x7c00 }, (_, half) => float16ToNumber(half));
  const between = all.slice(1).map((x, i) => (x + all[i]!) / 2);
  const next = generator(3);
  const random = Array.from({ length: 5000 }, () => Math.fround(next() * 2 ** (40 * next())));
  const list = [...all, ...between, ...random, 65504, 65519.996, 65520, 1e30, 1e-30, 0];
  return [...list, ...list.map(x => -x)];
}

test('rounding to f16 is one rounding, to nearest even, of numbers and of bits', () => {
  for (const x of numbers()) {
    const bits = numberToFloat16(x);
    expect(Object.is(roundToFloat16(x), float16ToNumber(bits)), `${x}`).toBe(true);
    const finite = Math.min(Math.max(float16ToNumber(bits), -65504), 65504);
    expect(toFloat16(x), `${x}`).toBe(finite);
    if (Math.fround(x) === x) expect(fromFloat16(bitsOf(x)), `${x} in the runtime`).toBe(finite);
  }
  expect([roundToFloat16(Number.NaN), fromFloat16(bitsOf(Number.NaN))]).toEqual([Number.NaN, Number.NaN]);
});

describe('what is kept in f16', () => {
  test('of a net: weights and activations, not what the host sees', () => {
    const compiled = build(source(lenet), { precision: 'f16', only: name => name.startsWith('LeNet') });
    expect(compiled.layout.tensors.map(t => t.dtype)).toEqual(new Array(8).fill('f16'));
    const { plan } = compiled.programs.get('LeNet')!;
    expect([...plan.inputs, ...plan.outputs].map(t => t.type.dtype)).toEqual(['f32', 'f32']);
    expect(halves(compiled, 'LeNet')).toContain('LeNet_avg_pool_div');
    const wide = build(source(lenet), { only: name => name.startsWith('LeNet') });
    expect(compiled.layout.bytes).toBeLessThan(0.6 * wide.layout.bytes);
  });

  test('of a training: activations; master weights, moments, gradients and the loss are f32', () => {
    const compiled = build(source(mlp), { precision: 'f16' });
    expect(compiled.layout.tensors.filter(t => t.dtype !== 'f32')).toEqual([]);
    const { program } = compiled.programs.get('fit.step')!;
    const kept = halves(compiled, 'fit.step');
    expect(kept.length).toBeGreaterThan(2);
    for (const work of program.works) {
      if (!work.outputs.some(t => t.role === 'param')) continue;
      for (const t of [...work.inputs, ...work.outputs])
        if (t.type.shape.length === 2 && t.role !== 'temporary') expect(t.type.dtype).toBe('f32');
    }
  });

  test('statistics stay exact: the sum of a softmax, mean and variance of a norm', () => {
    const text = `net Norm(x: f32[N, 64]) -> f32[N, 64] {
  return x -> dense(64) -> layer_norm -> dense(64) -> softmax
}
`;
    const compiled = build(source(text), { precision: 'f16', target: softwareTarget });
    const { program } = compiled.programs.get('Norm')!;
    for (const { region, outputs } of program.works)
      for (const stage of region.stages) {
        const isProduct = stage.reduce?.lift[0]?.kind === 'binary';
        if (stage.reduce?.monoid.name === 'sum' && !isProduct)
          expect(outputs.map(t => t.type.dtype)).toEqual(outputs.map(() => 'f32'));
      }
    expect(halves(compiled, 'Norm').length).toBeGreaterThan(4);
  });

  test('f32 is the default and says nothing of f16', () => {
    const compiled = build(source(lenet), {});
    expect([...compiled.programs.keys()].flatMap(name => halves(compiled, name))).toEqual([]);
  });
});

const big = `net Big(x: f32[N, 256]) -> f32[N, 128] {
  return x -> dense(256) -> relu -> dense(128)
}
`;

describe('printed', () => {
  const { compiled, entries } = compile(source(big), { precision: 'f16', target: gpuTarget });

  test('kernels enable f16, convert where they load and store, and keep blocks in half the space', () => {
    const { kernels } = buildModel(entries![0]!, compiled!.layout).programs.predict!;
    const code = kernels.map(k => k.code).join('\n');
    expect(code.match(/enable f16;/g)).toHaveLength(kernels.length);
    expect(code).toMatch(/var<storage, read> \w+: array<f16>;/);
    expect(code).toMatch(/var<workgroup> right_block: array<f16, \d+>;/);
    expect(code).toMatch(/= f16\(clamp\(/);
    // Sums are f32.
    expect(code).toMatch(/var sum_0_0 = 0\.0;/);
  });

  test('modules and models ask for the feature', () => {
    expect(buildModel(entries![0]!, compiled!.layout).features).toEqual(['shader-f16']);
    expect(printModule('half.dnn', entries!, compiled!.layout)).toContain("features: ['shader-f16']");
    const wide = compile(source(big));
    expect(buildModel(wide.entries![0]!, wide.compiled!.layout).features).toEqual([]);
  });
});

test.skipIf(!device || !noHalf)('a device without shader-f16 is refused, and the way out named', async () => {
  const { compiled, entries } = compile(source(big), { precision: 'f16' });
  await expect(open(buildModel(entries![0]!, compiled!.layout), { device: device! })).rejects.toThrow(
    'Big: the given device lacks the feature shader-f16',
  );
});

test.skipIf(noHalf)('on a device: within the tolerance of f32, weights of both precisions', async () => {
  const target = isSoftware(device!.adapterInfo) ? softwareTarget : gpuTarget;
  const x = Float32Array.from({ length: 5 * 256 }, generator(9));
  const results: Float32Array[] = [];
  let weights: Uint8Array | undefined;
  for (const precision of ['f32', 'f16'] as const) {
    const { compiled, entries } = compile(source(big), { precision, target });
    const model = buildModel(entries![0]!, compiled!.layout);
    const session = await open(model, {
      device: device!,
      ...(weights && { weights: convertFloats(weights, model) }),
    });
    const [out] = Object.values(await session.run('predict', { x: { data: x, shape: [5, 256] } }));
    results.push(out!.data as Float32Array);
    weights = await session.save();
    session.dispose();
  }
  const [wide, narrow] = results as [Float32Array, Float32Array];
  const scale = Math.max(...wide.map(Math.abs));
  expect(Math.max(...wide.map((v, i) => Math.abs(v - narrow[i]!)))).toBeLessThan(0.01 * scale);
});

test('weights of f32 become those of a model in f16, and back', () => {
  const models = (['f16', 'f32'] as const).map(precision => {
    const { compiled, entries } = compile(source(big), { precision });
    return buildModel(entries![0]!, compiled!.layout);
  });
  const [narrow, wide] = models as [(typeof models)[0], (typeof models)[0]];
  const name = wide.state[0]!.name;
  const given = { [name]: { dtype: 'f32', shape: [3], data: Float32Array.of(1, -0.5, 1 / 3) } } as const;
  const halves = convertFloats(given, narrow);
  expect(halves[name]).toEqual({ dtype: 'f16', shape: [3], data: Uint16Array.of(0x3c00, 0xb800, 0x3555) });
  const back = convertFloats(halves, wide)[name] as { readonly data: Float32Array };
  expect([...back.data]).toEqual([1, -0.5, roundToFloat16(1 / 3)]);
  expect(convertFloats(given, wide)).toEqual(given);
});
