import { readFileSync, writeFileSync } from 'node:fs';
import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import type { TensorValue } from '../../runtime/index.ts';
import { isSoftware } from '../../runtime/node/index.ts';
import { getDevice } from '../gpu.ts';
import { dnnc, examples, f32, kernelTargets, readTensorFile, tinyFiles, writeTensors } from './helpers.ts';

const { at, file, inputs } = tinyFiles();
const weights = {
  'Tiny.hidden.weight': f32([5, 4]),
  'Tiny.hidden.bias': f32([5]),
  'Tiny.head.weight': f32([3, 5]),
  'Tiny.head.bias': f32([3]),
};
const weightsFile = writeTensors(at('weights.safetensors'), weights);

const run = (...more: string[]) =>
  dnnc('run', file, '--net', 'Tiny', '--inputs', inputs, '--outputs', at('out/y.safetensors'), ...more);
const outputs = () => readTensorFile(at('out/y.safetensors'));

/** By hand, in doubles. */
function expected(): number[] {
  const {
    'Tiny.hidden.weight': a,
    'Tiny.hidden.bias': b,
    'Tiny.head.weight': c,
    'Tiny.head.bias': d,
  } = weights;
  const x = f32([2, 4]).data;
  return [0, 1].flatMap(n => {
    const hidden = Array.from({ length: 5 }, (_, o) => {
      let sum = b.data[o]!;
      for (let i = 0; i < 4; i++) sum += x[n * 4 + i]! * a.data[o * 4 + i]!;
      return Math.tanh(sum);
    });
    return [0, 1, 2].map(o => hidden.reduce((sum, h, i) => sum + h * c.data[o * 5 + i]!, d.data[o]!));
  });
}

const device = await getDevice();

describe('run', () => {
  it('computes by the interpreter', async () => {
    const { code, out, err } = await run('--weights', weightsFile, '--target', 'interpret');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('f32[2, 3]');
    const [y] = Object.values(outputs());
    expect(y!.shape).toEqual([2, 3]);
    expect([...y!.data]).toEqual(expected().map(Math.fround));
  });

  it('initialises by the seed where there are no weights', async () => {
    const results = [];
    for (const seed of ['1', '1', '2']) {
      await run('--target', 'interpret', '--seed', seed);
      results.push(Object.values(outputs())[0]!.data);
    }
    expect(results[0]).toEqual(results[1]);
    expect(results[0]).not.toEqual(results[2]);
  });

  it.each(device ? ['webgpu', 'wasm'] : ['wasm'])(
    'splits no products where there are no matrices: %s',
    async target => {
      const results = [];
      for (const more of [[], ['--split-products']]) {
        await run('--weights', weightsFile, '--target', target, ...more);
        results.push(Object.values(outputs())[0]!.data);
      }
      expect(results[1]).toEqual(results[0]);
    },
  );

  it('names inputs that are missing, extra or misshapen, with both shapes', async () => {
    const given = writeTensors(at('wrong.safetensors'), { x: f32([2, 5]), z: f32([1]) });
    const base = ['run', file, '--net', 'Tiny', '--outputs', at('out/n'), '--target', 'interpret'];
    const wrong = await dnnc(...base, '--inputs', given);
    expect(wrong.code).toBe(1);
    expect(wrong.err).toContain('x: expected f32[N, 4] with N = 2, got f32[2, 5]');
    expect(wrong.err).toContain('z: net Tiny has no such tensor (f32[1])');
    const none = await dnnc(...base, '--inputs', writeTensors(at('n.safetensors'), {}));
    expect(none.code).toBe(1);
    expect(none.err).toMatch(/error\[E0418\].*\n.*x: missing, expected f32\[N, 4\]/);
    const type = { x: { dtype: 'i32' as const, shape: [1, 4], data: new Int32Array(4) } };
    const typed = await dnnc(...base, '--inputs', writeTensors(at('t.safetensors'), type));
    expect(typed.err).toContain('x: expected f32[N, 4], got i32[1, 4]');
    const empty = await dnnc(...base, '--inputs', writeTensors(at('e.safetensors'), { x: f32([0, 4]) }));
    expect(empty).toMatchObject({ code: 1 });
  });

  it('names weights that do not fit, and what was meant', async () => {
    const { 'Tiny.head.bias': bias, ...rest } = weights;
    const file = writeTensors(at('w.safetensors'), {
      ...rest,
      'Tiny.head.bais': bias,
      'Tiny.hidden.bias': f32([6]),
    });
    const { code, err } = await run('--weights', file, '--target', 'interpret');
    expect(code).toBe(1);
    expect(err).toContain('Tiny.head.bias: missing, expected f32[3]');
    expect(err).toContain('Tiny.hidden.bias: expected f32[5], got f32[6]');
    expect(err).toContain('did you mean Tiny.head.bias?');
  });

  it('takes the weights of a training, with what the net does not need', async () => {
    const data = writeTensors(at('data.safetensors'), examples(8));
    const train = ['train', file, 'fit', '--data', data, '--batch', '4', '--epochs', '1'];
    expect(await dnnc(...train, '--target', 'interpret', '--out', at('fit'))).toMatchObject({ code: 0 });
    const trained = at('fit/weights.safetensors');
    expect(await run('--weights', trained, '--target', 'interpret')).toMatchObject({ code: 0, err: '' });
  });

  it('names files that are damaged and nets that are not there', async () => {
    writeFileSync(at('damaged'), 'no tensors here');
    const damaged = await run('--weights', at('damaged'), '--target', 'interpret');
    expect(damaged.code).toBe(1);
    expect(damaged.err).toContain('error[E04');
    const missing = await dnnc('run', file, '--net', 'Tin', '--inputs', inputs, '--outputs', at('o'));
    expect(missing).toMatchObject({ code: 2 });
    expect(missing.err).toContain('there is no net `Tin`');
    expect(missing.err).toContain('did you mean `Tiny`?');
  });
});

it('takes a real GPU, else WebAssembly; a software adapter only where it is asked for', async () => {
  const device = await getDevice();
  const { code, err } = await run('--weights', weightsFile);
  expect(code).toBe(0);
  if (device && !isSoftware(device.adapterInfo)) expect(err).toMatch(/^adapter: .*hardware/);
  else expect(err).toMatch(/^adapter: WebAssembly \(\d+ threads?\)\n$/);
});

describe.each(await kernelTargets())('run on %s', target => {
  it('agrees with the interpreter', async () => {
    const { code, err } = await run('--weights', weightsFile, '--target', target);
    expect(code).toBe(0);
    expect(err).toMatch(target === 'wasm' ? /^adapter: WebAssembly/ : /^adapter: (?!WebAssembly)/);
    const [y] = Object.values(outputs());
    const want = expected();
    y!.data.forEach((v, i) => {
      expect(v).toBeCloseTo(want[i]!, 5);
    });
  });

  it('initialises as the interpreter does', async () => {
    await run('--target', 'interpret', '--seed', '7');
    const want = Object.values(outputs())[0]!.data;
    await run('--seed', '7', '--target', target);
    const got = Object.values(outputs())[0]!.data;
    got.forEach((v, i) => {
      expect(v).toBeCloseTo(want[i]!, 5);
    });
  });
});

describe('pictures', () => {
  it('are written side by side into a PNG', async () => {
    const net = at('double.dnn');
    writeFileSync(net, 'net Same(x: f32[N, C, H, W]) -> f32[N, C, H, W] { return 1 * x }\n');
    const run = (name: string, value: TensorValue) =>
      dnnc(
        ...['run', net, '--net', 'Same', '--target', 'interpret', '--outputs', at(`${name}.png`)],
        ...['--inputs', writeTensors(at(`${name}.safetensors`), { x: value })],
      );
    // Five pictures of 2×1, from 0 to 1: three a row, a white line between them.
    expect(
      (
        await run(
          'grey',
          f32([5, 1, 1, 2], i => i / 10),
        )
      ).code,
    ).toBe(0);
    const grey = PNG.sync.read(readFileSync(at('grey.png')));
    expect([grey.width, grey.height]).toEqual([8, 3]);
    const reds = (picture: PNG) =>
      Array.from({ length: picture.width * picture.height }, (_, i) => picture.data[4 * i]);
    const of = (v: number) => Math.round(255 * Math.fround(v / 10));
    expect(reds(grey)).toEqual([
      ...[of(0), of(1), 255, of(2), of(3), 255, of(4), of(5)],
      ...Array.from({ length: 8 }, () => 255),
      ...[of(6), of(7), 255, of(8), of(9), 255, 255, 255],
    ]);
    expect(
      (
        await run(
          'color',
          f32([1, 3, 1, 1], i => [-4, 0, 4][i]!),
        )
      ).code,
    ).toBe(0);
    expect([...PNG.sync.read(readFileSync(at('color.png'))).data]).toEqual([0, 128, 255, 255]);
    const bad = await run('none', f32([1, 2, 1, 1]));
    expect(bad).toMatchObject({ code: 2 });
    expect(bad.err).toContain('out: f32[1, 2, 1, 1]');
  });
});
