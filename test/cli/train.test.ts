import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dnnc, examples, f32, kernelTargets, readTensorFile, tinyFiles, writeTensors } from './helpers.ts';

const { at, file, data, val } = tinyFiles();

const train = (out: string, ...more: string[]) =>
  dnnc('train', file, 'fit', '--data', data, '--batch', '4', '--out', at(out), ...more);
const interpret = (out: string, ...more: string[]) => train(out, '--target', 'interpret', ...more);
const weightsOf = (out: string) => readFileSync(at(`${out}/weights.safetensors`));

interface Line {
  step: number;
  epoch: number;
  val?: boolean;
  loss: number;
  accuracy: number;
}

const metrics = (out: string): Line[] =>
  readFileSync(at(`${out}/metrics.jsonl`), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Line);

describe('train', () => {
  it('learns, writes a line for every step and the means over the validation data', async () => {
    const { code, out, err } = await interpret('a', '--epochs', '6', '--val', val);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const lines = metrics('a');
    const steps = lines.filter(l => !l.val);
    // 22 examples: 5 whole batches of 4.
    expect(steps.map(l => l.step)).toEqual(Array.from({ length: 30 }, (_, i) => i));
    expect(steps.map(l => l.epoch)).toEqual(Array.from({ length: 30 }, (_, i) => Math.floor(i / 5)));
    const vals = lines.filter(l => l.val);
    expect(vals.map(l => [l.step, l.epoch])).toEqual([0, 1, 2, 3, 4, 5].map(e => [5 * e + 4, e]));
    // After the steps of its epoch.
    expect(lines.findIndex(l => l.val)).toBe(5);
    for (const l of lines)
      expect(Object.keys(l).filter(k => k !== 'val')).toEqual(['step', 'epoch', 'loss', 'accuracy']);
    expect(vals.at(-1)!.loss).toBeLessThan(vals[0]!.loss);
    // Sevenths: the last, partial batch of 3 counts by its size.
    expect((vals.at(-1)!.accuracy * 7) % 1).toBeCloseTo(0, 6);
    expect(out).toContain('fit: 22 examples, 5 batches of 4 an epoch, 30 steps');
    expect(out.match(/^epoch \d\/6 .* val loss .* examples\/s .* left$/gm)).toHaveLength(6);
    expect(out).toMatch(/^done in .* loss .* val accuracy /m);
    expect(readdirSync(at('a')).sort()).toEqual([
      'best.safetensors',
      'checkpoint-30.safetensors',
      'metrics.jsonl',
      'weights.safetensors',
    ]);
  });

  it('repeats bit for bit with one seed, and not with another', async () => {
    await interpret('s1', '--steps', '7', '--seed', '5');
    await interpret('s2', '--steps', '7', '--seed', '5');
    await interpret('s3', '--steps', '7', '--seed', '6');
    expect(weightsOf('s1')).toEqual(weightsOf('s2'));
    expect(metrics('s1')).toEqual(metrics('s2'));
    expect(weightsOf('s1')).not.toEqual(weightsOf('s3'));
    expect(metrics('s1')).toHaveLength(7);
  });

  it('keeps order and last batch where it is told to', async () => {
    await interpret('k', '--epochs', '2', '--keep-last', '--no-shuffle');
    expect(metrics('k')).toHaveLength(12);
    await interpret('all', '--epochs', '1', '--batch', '22');
    await interpret('ordered', '--epochs', '1', '--batch', '22', '--no-shuffle');
    // One batch of everything: order makes no difference but in rounding.
    expect(metrics('all')[0]!.loss).toBeCloseTo(metrics('ordered')[0]!.loss, 10);
    await interpret('first', '--steps', '1', '--no-shuffle');
    await interpret('shuffled', '--steps', '1');
    expect(metrics('first')[0]!.loss).not.toBeCloseTo(metrics('shuffled')[0]!.loss, 6);
  });

  it('goes on from weights, alone or with the state', async () => {
    await interpret('half', '--epochs', '1');
    const from = at('half/weights.safetensors');
    const saved = readTensorFile(from);
    const own = Object.entries(saved).filter(([name]) => name.startsWith('Tiny.'));
    expect(own).toHaveLength(4);
    expect(Object.keys(saved).length).toBeGreaterThan(4);
    expect(await interpret('whole', '--steps', '1', '--weights', from)).toMatchObject({ code: 0 });
    const bare = writeTensors(at('bare.safetensors'), Object.fromEntries(own));
    expect(await interpret('bare', '--steps', '1', '--weights', bare)).toMatchObject({ code: 0 });
    // The first loss depends on parameters alone, the weights after it on the momentum too.
    expect(metrics('whole')).toEqual(metrics('bare'));
    expect(weightsOf('whole')).not.toEqual(weightsOf('bare'));
    const { 'Tiny.head.bias': bias, ...rest } = Object.fromEntries(own);
    const odd = writeTensors(at('odd.safetensors'), { ...rest, 'Tiny.hed.bias': bias! });
    const { code, err } = await interpret('odd', '--weights', odd);
    expect(code).toBe(1);
    expect(err).toContain('Tiny.head.bias: missing, expected f32[3]');
    expect(err).toContain('did you mean Tiny.head.bias?');
    expect(existsSync(at('odd/metrics.jsonl'))).toBe(false);
  });

  it('names data that do not fit', async () => {
    const { x, y } = examples(6);
    const bad = async (name: string, tensors: Parameters<typeof writeTensors>[1]) => {
      const path = writeTensors(at(`${name}.safetensors`), tensors);
      const { code, err } = await dnnc(
        'train',
        file,
        'fit',
        '--data',
        path,
        '--target',
        'interpret',
        '--out',
        at(name),
      );
      return { code, err };
    };
    const counts = await bad('counts', { x: x!, y: examples(5).y! });
    expect(counts).toMatchObject({ code: 1 });
    expect(counts.err).toContain('y: expected i32[N] with N = 6, got i32[5]');
    expect((await bad('missing', { x: x! })).err).toContain('y: missing, expected i32[N]');
    expect((await bad('extra', { x: x!, y: y!, w: f32([2]) })).err).toContain(
      'w: train fit has no such tensor',
    );
    expect((await bad('shape', { x: f32([6, 3]), y: y! })).err).toContain(
      'expected f32[N, 4] with N = 6, got f32[6, 3]',
    );
    expect((await bad('few', { x: x!, y: y! })).err).toContain('6 examples are fewer than a batch of 32');
    expect((await bad('empty', { x: f32([0, 4]), y: examples(0).y! })).code).toBe(1);
    expect(await dnnc('train', file, 'fti', '--data', data, '--out', at('n'))).toMatchObject({
      code: 2,
      err: expect.stringContaining('did you mean `fit`?'),
    });
  });

  it('takes 64-bit labels as they come from other tools', async () => {
    const { x, y } = examples(4);
    const header = JSON.stringify({
      x: { dtype: 'F32', shape: [4, 4], data_offsets: [0, 64] },
      y: { dtype: 'I64', shape: [4], data_offsets: [64, 96] },
    });
    const wide = BigInt64Array.from(y!.data, BigInt);
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(header.length));
    writeFileSync(
      at('wide'),
      Buffer.concat([size, Buffer.from(header), Buffer.from(x!.data.buffer), Buffer.from(wide.buffer)]),
    );
    const args = ['--batch', '4', '--steps', '1', '--target', 'interpret', '--out', at('wide-out')];
    expect(await dnnc('train', file, 'fit', '--data', at('wide'), ...args)).toMatchObject({ code: 0 });
  });

  it('stops where the loss is not finite and keeps the last good weights', async () => {
    await interpret('good', '--epochs', '1');
    const before = weightsOf('good');
    const broken = { ...examples(8), x: f32([8, 4], i => (i === 20 ? Number.NaN : i / 8)) };
    const path = writeTensors(at('nan.safetensors'), broken);
    const args = ['--batch', '2', '--no-shuffle', '--target', 'interpret', '--out', at('good')];
    const { code, err } = await dnnc('train', file, 'fit', '--data', path, ...args);
    expect(code).toBe(1);
    expect(err).toContain('the loss of step 2 (epoch 0) is not a number; training stopped');
    expect(weightsOf('good')).toEqual(before);
    expect(metrics('good').at(-1)).toMatchObject({ step: 2, loss: null });
  });
});

describe.each(await kernelTargets())('train on %s', target => {
  const compiled = (out: string, ...more: string[]) => train(out, '--target', target, ...more);

  it('follows the interpreter and repeats bit for bit', async () => {
    await interpret('reference', '--epochs', '2', '--val', val, '--keep-last');
    const run = (out: string) => compiled(`${target}/${out}`, '--epochs', '2', '--val', val, '--keep-last');
    expect(await run('device')).toMatchObject({ code: 0, out: expect.stringMatching(/^adapter: /) });
    const [want, got] = [metrics('reference'), metrics(`${target}/device`)];
    expect(got.map(l => [l.step, l.epoch, l.val])).toEqual(want.map(l => [l.step, l.epoch, l.val]));
    got.forEach((l, i) => {
      expect(l.loss).toBeCloseTo(want[i]!.loss, 4);
    });
    await run('again');
    expect(weightsOf(`${target}/again`)).toEqual(weightsOf(`${target}/device`));
    const [a, b] = [
      readTensorFile(at('reference/weights.safetensors')),
      readTensorFile(at(`${target}/device/weights.safetensors`)),
    ];
    expect(Object.keys(b).sort()).toEqual(Object.keys(a).sort());
    for (const [name, { data }] of Object.entries(a))
      data.forEach((v, i) => {
        expect(b[name]!.data[i]).toBeCloseTo(v, 3);
      });
  });

  it('goes on from weights', async () => {
    await compiled('d1', '--steps', '3', '--overwrite');
    const from = at('d1/weights.safetensors');
    const { code } = await compiled('d2', '--steps', '1', '--weights', from, '--overwrite');
    expect(code).toBe(0);
    await interpret('d3', '--steps', '1', '--weights', from, '--overwrite');
    expect(metrics('d2')[0]!.loss).toBeCloseTo(metrics('d3')[0]!.loss, 5);
  });
});
