import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type LayerTable, layersOf } from '../../src/cli/explain/layers.ts';
import { expandGraph } from '../../src/cli/graphs.ts';
import { check } from '../../src/compile.ts';
import { getDevice } from '../gpu.ts';
import { dnnc, temporaryFolder, tiny } from './helpers.ts';

const device = await getDevice();

function table(text: string, dims = {}): LayerTable {
  const { module, diagnostics } = check({ name: 'net.dnn', text });
  expect(diagnostics.filter(d => d.severity === 'error')).toEqual([]);
  return layersOf(expandGraph(module!.nets[0]!.predict), dims);
}

const lenet = `
net LeNet(x: f32[N, 1, 28, 28]) -> f32[N, 10] {
  return x
    -> conv(6, 5, pad = 2) -> tanh -> avg_pool(2)
    -> conv(16, 5)         -> tanh -> avg_pool(2)
    -> flatten
    -> dense(120) -> tanh
    -> dense(84)  -> tanh
    -> head: dense(10)
}
`;

describe('layers', () => {
  it('counts LeNet as everyone does', () => {
    const { layers, parameters, dims } = table(lenet);
    expect(dims).toEqual({ N: 1 });
    expect(parameters).toBe(61_706);
    const by = Object.fromEntries(layers.map(l => [l.path.replace('LeNet.', ''), l]));
    expect(by.conv).toMatchObject({ output: '[N, 6, 28, 28]', parameters: 156, field: [5, 5] });
    // Multiply-adds count 2, the bias 1.
    expect(by.conv!.flops).toBe(28 * 28 * 6 * (25 * 2 + 1));
    expect(by.conv_2!.flops).toBe(10 * 10 * 16 * (6 * 25 * 2 + 1));
    expect(by.dense!.flops).toBe(120 * (400 * 2 + 1));
    expect(by.avg_pool!.field).toEqual([6, 6]);
    expect(by.conv_2!.field).toEqual([14, 14]);
    expect(by.avg_pool_2!.field).toEqual([16, 16]);
    expect(by.dense!.field).toEqual([28, 28]);
  });

  it('composes strides and dilations, axis by axis', () => {
    const { layers } = table(`
net A(x: f32[N, 2, 65, 65]) -> f32[N, 2, _, _] {
  return x -> a: conv(4, [3, 1], stride = 2) -> b: conv(4, 3, dilation = 2) -> c: max_pool(2) -> d: conv(2, 3)
}`);
    // 1 + 2; + 4 * 2; + 1 * 2; + 2 * 4 down, and without the first window across.
    const fields = layers.map(l => l.field);
    expect(fields.map(f => f![0])).toEqual([3, 11, 13, 21]);
    expect(fields.map(f => f![1])).toEqual([1, 9, 11, 19]);
  });

  it('counts what lies inside a loop, once for each turn', () => {
    const text = 'net R(x: f32[N, T, 8]) -> f32[N, T, 5] { return x -> rnn(4) -> dense(5) }';
    const { layers, parameters, dims } = table(text, { T: 10 });
    expect(dims).toEqual({ N: 1, T: 10 });
    expect(layers.map(l => l.path)).toEqual(['R.rnn', 'R.dense']);
    expect(layers[0]).toMatchObject({ output: '[N, T, 4]', parameters: 4 * 8 + 4 * 4 + 4 + 4 });
    // Products and sums of inputs and states, two biases, tanh.
    expect(layers[0]!.flops).toBe(10 * 4 * (8 * 2 + 2 + 4 * 2 + 1 + 1));
    expect(parameters).toBe(56 + 25);
    const nested = table(`net A(x: f32[10, 4]) -> f32 {
      r = scan() xt in x carry h = 0 {
        inner = scan() v in xt carry g = h { g = g * v }
        h = inner.g
      }
      return r.h
    }`);
    expect(nested.flops).toBe(10 * 4);
  });

  it('joins branches', () => {
    const { layers } = table(`
net A(x: f32[N, 1, 16, 16]) -> f32[N, 1, 16, 16] {
  y = x -> near: conv(1, 3, pad = 1)
  z = y -> far: conv(1, 5, pad = 2)
  return z -> sum: add(y)
}`);
    expect(layers.map(l => l.field)).toEqual([
      [3, 3],
      [7, 7],
      [7, 7],
    ]);
  });

  it('sees everything beyond a global mean', () => {
    const { layers } = table(
      `
net A(x: f32[N, 3, H, W]) -> f32[N, 3] {
  return x -> conv(3, 3, pad = 1) -> pool: mean(axis = [2, 3])
}`,
      { H: 20, W: 30 },
    );
    expect(layers.at(-1)!.field).toEqual([20, 30]);
  });
});

describe('explain', () => {
  const at = temporaryFolder();
  const file = at('tiny.dnn');
  writeFileSync(file, tiny);

  it('shows how often the kernels of loops run', async () => {
    const loops = at('loops.dnn');
    writeFileSync(loops, 'net R(x: f32[N, T, 8]) -> f32[N, T, 4] { return x -> rnn(4) }\n');
    const { out } = await dnnc('explain', loops, '--dim', 'T=50');
    const [, count, all] = out.match(
      /^R \(N = 64, T = 50\): (\d+) dispatches, (\d+) with all turns of loops/m,
    )!;
    const times = [...out.matchAll(/^ {2}\w+ +[\d,]+ +64 +(1|50)( |$)/gm)].map(m => Number(m[1]));
    expect(times).toHaveLength(Number(count));
    expect(times.reduce((a, b) => a + b)).toBe(Number(all));
    expect(out).toMatch(/R_rnn_next_turn +1 +64 +50 .* next_turn$/m);
  });

  it('shows layers, kernels with what they absorbed, and memory at the sizes given', async () => {
    const { code, out, err } = await dnnc('explain', file, '--dim', 'N=7');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^net Tiny \(FLOPs at N = 1\)$/m);
    expect(out).toMatch(/^ {2}x +\[N, 4\] +4$/m);
    expect(out).toMatch(/Tiny\.hidden +\[N, 5\] +5 +20 +25 +20 +45 +4$/m);
    // Values of the input, of both products, but not of tanh.
    expect(out).toMatch(/total +12 +35 +43 +35 /);
    expect(out).toMatch(/^Tiny \(N = 7\): \d dispatches, \d distinct kernels$/m);
    expect(out).toMatch(/matmul.* \+ tanh$/m);
    expect(out).toMatch(/arena .*, sum of all tensors .*, most live at once /);
    for (const name of ['fit.step', 'fit.evaluate']) expect(out).toContain(`${name} (N = 7): `);
  });

  it('shows tables alone, folded, and nets side by side', async () => {
    const nets = at('nets.dnn');
    writeFileSync(
      nets,
      `block Two(n: int)(x: f32[N, 4, H, H]) -> f32[N, n, _, _] {
        return x -> a: conv(n, 3, stride = 2, pad = 1) -> relu -> b: conv(n, 1)
      }
      net A(x: f32[N, 4, H, H]) -> f32[N, 8, _, _] { return x -> first: Two(8) -> relu }
      net B(x: f32[N, 4, H, H]) -> f32[N, 2, _, _] { return x -> first: Two(2) -> relu }`,
    );
    const { code, out } = await dnnc('explain', nets, '--layers', '--depth', '1', '--dim', 'H=10');
    expect(code).toBe(0);
    // What is folded is summed; its output and its field are the last one's.
    expect(out).toMatch(/^ {2}A\.first +\[N, 8, 5, 5\] +400 +352 +368 +8,800 +/m);
    expect(out).toMatch(/^nets\n {2}net +values .*\n {2}A +800 +352 +368 .*\n {2}B +500 +76 +80 /m);
    expect(out).not.toContain('kernels');
    expect((await dnnc('explain', nets, '--layers', '--time')).code).toBe(2);
    const json = await dnnc('explain', nets, '--layers', '--format', 'json');
    expect(JSON.parse(json.out).nets.map((n: { name: string }) => n.name)).toEqual(['A', 'B']);
  });

  it('times the kernels of WebAssembly and says what each is', async () => {
    const net = at('net.dnn');
    writeFileSync(net, tiny.slice(0, tiny.indexOf('train')));
    const args = ['explain', net, '--dim', 'N=16', '--target', 'wasm', '--threads', '1'];
    const { code, out } = await dnnc(...args, '--profile');
    expect(code).toBe(0);
    expect(out).toMatch(/^adapter: WebAssembly \(1 thread\)\nkernels timed by a call for each dispatch$/m);
    expect(out).toMatch(/^kernels for wasm$/m);
    expect(out).toMatch(/^Tiny \(N = 16\): \d dispatches, \d distinct kernels, [\d.]+ ms a run$/m);
    expect(out).toMatch(
      /^ {2}Tiny_hidden_matmul .* B +[\d,]+ +[\d.e-]+ +[\d.]+ % {2}vector tiles .*v .*net\.dnn:5:23 +matmul \+ add \+ tanh$/m,
    );
    const json = JSON.parse((await dnnc(...args, '--time', '--format', 'json')).out);
    expect(json).toMatchObject({ ok: true, target: 'wasm', clock: 'a call for each dispatch' });
    for (const program of json.programs) {
      const { kernels, milliseconds } = program;
      expect(milliseconds).toBeGreaterThan(0);
      const shares = kernels.map((k: { share: number }) => k.share);
      expect(shares.reduce((a: number, b: number) => a + b, 0)).toBeCloseTo(1, 5);
      for (const k of kernels)
        expect(k).toMatchObject({ schedule: expect.any(String), tile: expect.any(Array), once: false });
    }
  });

  it('refuses profiles where there are none', async () => {
    expect((await dnnc('explain', file, '--target', 'wasm', '--profile', 'gpu')).code).toBe(2);
    expect((await dnnc('explain', file, '--layers', '--profile')).code).toBe(2);
  });

  it.skipIf(!device)('times the kernels of the adapter', async () => {
    const { code, out } = await dnnc('explain', file, '--dim', 'N=3', '--profile');
    expect(code).toBe(0);
    expect(out).toMatch(/^kernels timed by (timestamps of the adapter|a submission for each dispatch, .*)$/m);
    expect(out).toMatch(/^ {2}Tiny_hidden_matmul .* % {2}\w.* matmul \+ add \+ tanh$/m);
  });
});
