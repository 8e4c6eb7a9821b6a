import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openTrainer } from '../../runtime/index.ts';
import { isSoftware } from '../../runtime/node/index.ts';
import { buildModel } from '../../src/codegen/model.ts';
import { compile } from '../../src/compile.ts';
import { gpuTarget, softwareTarget } from '../../src/ir/target.ts';
import { getDevice } from '../gpu.ts';
import { dnnc, f32, kernelTargets, readTensorFile, temporaryFolder, writeTensors } from './helpers.ts';

/** Programs whose parameters are as large as what they are fed. */
const text = `
train paint {
  data target: f32[1, H, W]
  param image: f32[1, H, W] = target / 2
  minimize mean((image - target) ^ 2) over image by sgd(lr = 0.5)
}

train shift {
  data x: f32[N, 2]
  param delta: f32[N, 2] = zeros
  minimize mean((x + delta) ^ 2) over delta by adam(lr = 0.1)
}

train hidden {
  data x: f32[N, 2]
  param w: f32[2, K] = ones
  minimize mean((x @ w) ^ 2) over w by sgd(lr = 0.1)
}
`;
const at = temporaryFolder();
const file = at('sizes.dnn');
writeFileSync(file, text);

const ramp = (...shape: number[]) => f32(shape, i => i + 1);
const target = writeTensors(at('target.safetensors'), { target: ramp(1, 2, 3) });
const six = writeTensors(at('six.safetensors'), { x: ramp(6, 2) });
const four = writeTensors(at('four.safetensors'), { x: ramp(4, 2) });

const device = await getDevice();
const targets = ['interpret', ...(await kernelTargets())];

const train = (program: string, data: string, out: string, ...more: string[]) =>
  dnnc('train', file, program, '--data', data, '--out', at(out), '-q', '--steps', '2', ...more);

describe.each(targets)('on %s', on => {
  it('sizes of a parameter, and its first values, come from the data', async () => {
    const out = `paint-${on}`;
    expect(await train('paint', target, out, '--target', on)).toMatchObject({ code: 0 });
    const image = readTensorFile(at(`${out}/weights.safetensors`))['paint.image']!;
    expect(image.shape).toEqual([1, 2, 3]);
    // The gap is t / 2 at first; a step takes lr * 2 / 6 of it away.
    const left = (1 - 0.5 / 3) ** 2 / 2;
    [...image.data].forEach((v, i) => {
      expect(v).toBeCloseTo((i + 1) * (1 - left), 5);
    });
  });

  it('the number of examples is the batch', async () => {
    const out = `shift-${on}`;
    expect(await train('shift', six, out, '--target', on, '--batch', '2')).toMatchObject({ code: 0 });
    const weights = at(`${out}/weights.safetensors`);
    expect(readTensorFile(weights)['shift.delta']!.shape).toEqual([2, 2]);
    const metrics = await dnnc(
      ...['eval', file, 'shift', '--data', six, '--weights', weights, '--batch', '2', '--target', on],
    );
    expect(metrics).toMatchObject({ code: 0 });
  });
});

describe('sizes that are said', () => {
  const interpret = (...args: Parameters<typeof train>) => train(...args, '--target', 'interpret');

  it('fix what the data does not tell', async () => {
    const open = await interpret('hidden', six, 'open', '--batch', '6');
    expect(open).toMatchObject({ code: 1 });
    expect(open.err).toMatch(/error\[E0212\]: hidden\.w is f32\[2, K\].*--dim K=64/s);
    expect(await interpret('hidden', six, 'said', '--batch', '6', '--dim', 'K=5')).toMatchObject({ code: 0 });
    expect(readTensorFile(at('said/weights.safetensors'))['hidden.w']!.shape).toEqual([2, 5]);
  });

  it('are held against the data', async () => {
    const { code, err } = await interpret('paint', target, 'other', '--dim', 'paint.H=7');
    expect(code).toBe(2);
    expect(err).toContain('--dim H=7: the data has H = 2');
    const batch = await interpret('shift', six, 'other', '--batch', '3', '--dim', 'N=2');
    expect(batch.err).toContain('--dim N=2: the batch has N = 3');
  });

  it('must be those of a parameter', async () => {
    const { code, err } = await interpret('paint', target, 'none', '--dim', 'Hight=2');
    expect(code).toBe(2);
    expect(err).toContain('there is no `param` with a free size `Hight`');
    const malformed = await dnnc('compile', file, '-o', at('build'), '--dim', '=2');
    expect(malformed).toMatchObject({ code: 2 });
  });

  it('make modules; without them the compiler asks for each', async () => {
    const open = await dnnc('compile', file, '-o', at('build'));
    expect(open.code).toBe(1);
    expect(open.err.match(/E0212/g)).toHaveLength(3);
    const dims = ['H=2', 'W=3', 'shift.N=4', 'K=2'].flatMap(d => ['--dim', d]);
    expect(await dnnc('compile', file, '-o', at('build'), ...dims)).toMatchObject({ code: 0, err: '' });
    const unknown = await dnnc('compile', file, '-o', at('build'), ...dims, '--dim', 'M=2');
    expect(unknown).toMatchObject({ code: 2 });
    expect(await dnnc('explain', file, ...dims)).toMatchObject({ code: 0, err: '' });
  });

  it('batches that are not whole are refused', async () => {
    const partial = await interpret('shift', six, 'partial', '--batch', '4', '--keep-last');
    expect(partial).toMatchObject({ code: 1 });
    expect(partial.err).toMatch(/E0412.*the 6 examples of --data are not whole batches of 4.*shift\.delta/s);
    const validation = await interpret('shift', six, 'partial', '--batch', '3', '--val', four);
    expect(validation.err).toMatch(/E0412.*the 4 examples of --val are not whole batches of 3/s);
  });

  it.skipIf(!device)('an app opens with a batch that first values are made from', async () => {
    const { compiled, entries } = compile(
      { name: 'sizes.dnn', text },
      {
        sizes: { H: 2, W: 2 },
        only: name => name.startsWith('paint.'),
        target: isSoftware(device!.adapterInfo) ? softwareTarget : gpuTarget,
      },
    );
    const model = buildModel(entries!.find(e => e.name === 'paint')!, compiled!.layout);
    const feed = { target: Float32Array.of(2, 4, 6, 8) };
    const trainer = await openTrainer(model, { device: device!, feed });
    expect([...(await trainer.session.read('paint.image')).data]).toEqual([1, 2, 3, 4]);
    trainer.dispose();
    const empty = await openTrainer(model, { device: device! });
    await expect(empty.step(feed)).rejects.toThrow('open with them or feed target, or load them');
    empty.dispose();
  });
});
