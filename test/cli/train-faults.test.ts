import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { BufferError, DeviceLostError, type Program } from '../../runtime/index.ts';
import { release } from '../../runtime/node/index.ts';
import { CliError, exitCode, onDevice, report } from '../../src/cli/errors.ts';
import { chooseMonitor } from '../../src/cli/training/best.ts';
import { excess, largestBelow } from '../../src/cli/training/memory.ts';
import { check } from '../../src/compile.ts';
import { getDevice } from '../gpu.ts';
import { dnnc, examples, f32, kernelTargets, tiny, tinyFiles, writeTensors } from './helpers.ts';
import { bundleCommand } from './spawn.ts';

const { at, file, data, val } = tinyFiles();
const base = ['train', file, 'fit', '--data', data, '--batch', '4', '--target', 'interpret'];

interface Line {
  step: number;
  epoch: number;
  val?: boolean;
  loss: number;
  accuracy: number;
}
const vals = (out: string): Line[] =>
  readFileSync(at(`${out}/metrics.jsonl`), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Line)
    .filter(l => l.val);

describe('early stopping', () => {
  it('ends when the loss has not become better, and keeps the best weights', async () => {
    // A rate that is too large: the loss of the validation data soon rises.
    const how = ['-D', 'Rate=3', '--val', val, '--epochs', '40', '--patience', '3', '--out', at('p')];
    const { code, out } = await dnnc(...base, ...how);
    expect(code).toBe(0);
    const losses = vals('p').map(l => l.loss);
    const best = losses.indexOf(Math.min(...losses));
    expect(losses.length).toBeLessThan(40);
    expect(losses).toHaveLength(best + 1 + 3);
    expect(out).toContain('stopped early: val loss has not become better for 3 epochs');
    expect(out).toContain(`after epoch ${best + 1} (step ${5 * best + 4}): ${at('p')}/best.safetensors`);
    // The same weights give the same metrics.
    const args = ['--data', val, '--weights', `${at('p')}/best.safetensors`, '--target', 'interpret'];
    const found = await dnnc(
      'eval',
      file,
      'fit',
      '-D',
      'Rate=3',
      ...args,
      '--batch',
      '4',
      '--format',
      'json',
    );
    expect(JSON.parse(found.out).metrics.loss).toBe(losses[best]);
    // It has ended, and ends again, unless it is given more patience.
    const resume = ['train', file, 'fit', '-D', 'Rate=3', '--data', data, '--val', val, '--resume', at('p')];
    expect((await dnnc(...resume)).out).toContain('stopped early');
    expect(vals('p')).toHaveLength(losses.length);
    await dnnc(...resume, '--patience', '4');
    expect(vals('p').length).toBeGreaterThan(losses.length);
  });

  it('watches the metric that it is told to, where more is better', async () => {
    await dnnc(
      ...base,
      '--val',
      val,
      '--epochs',
      '30',
      '--patience',
      '2',
      '--monitor',
      'accuracy',
      '--out',
      at('acc'),
    );
    const values = vals('acc').map(l => l.accuracy);
    const best = values.indexOf(Math.max(...values));
    expect(values).toHaveLength(Math.min(30, best + 3));
  });

  it('knows which way is better by the name, or asks', () => {
    const text = `
net A(x: f32[N, 2]) -> f32[N] { return mean(x -> dense(2), axis = 1) }
train t {
  data x: f32[N, 2]
  y = A(x)
  loss = mean(y * y)
  metric rmse = mean(y)
  metric top1 = mean(y)
  metric accuracy_error = mean(y)
  metric spread = mean(y)
  minimize loss over A by sgd(lr = 0.1)
}`;
    const { module, diagnostics } = check({ name: 'a.dnn', text });
    expect(diagnostics).toEqual([]);
    const { evaluate } = module!.trains[0]!;
    const goal = (name: string) => chooseMonitor(name, evaluate).goal;
    expect(['loss', 'rmse', 'accuracy_error', 'spread:min'].map(goal)).toEqual(['min', 'min', 'min', 'min']);
    expect(['top1', 'spread:max', 'loss:max'].map(goal)).toEqual(['max', 'max', 'max']);
    expect(() => goal('spread')).toThrow('which way is better');
    expect(() => goal('los')).toThrow('no such metric');
  });

  it('needs validation data', async () => {
    const { code, err } = await dnnc(...base, '--patience', '2', '--out', at('none'));
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining('--patience needs --val') });
    const wrong = await dnnc(...base, '--val', val, '--monitor', 'acuracy', '--out', at('none'));
    expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining('did you mean accuracy?') });
    expect(existsSync(at('none/metrics.jsonl'))).toBe(false);
  });
});

describe('a loss that is not finite', () => {
  it('leaves the checkpoint before it', async () => {
    const broken = { ...examples(8), x: f32([8, 4], i => (i === 28 ? Number.NaN : i / 8)) };
    const path = writeTensors(at('nan.safetensors'), broken);
    const how = ['--batch', '1', '--no-shuffle', '--checkpoint-every', '2', '--target', 'interpret'];
    const { code, err } = await dnnc('train', file, 'fit', '--data', path, ...how, '--out', at('nan'));
    expect(code).toBe(1);
    expect(err).toContain('error[E0310]: the loss of step 7 (epoch 0) is not a number');
    expect(err).toContain(`saved up to step 6: ${at('nan')}/checkpoint-6.safetensors`);
    const weights = ['--weights', at('nan/checkpoint-6.safetensors'), '--target', 'interpret'];
    const found = await dnnc('eval', file, 'fit', '--data', data, ...weights, '--format', 'json');
    expect(JSON.parse(found.out).metrics.loss).toBeGreaterThan(0);
  });
});

describe('a place that cannot be written', () => {
  let command = '';
  beforeAll(async () => {
    command = await bundleCommand(at('.'));
  });
  const { platform } = process;

  it.each([
    ['a file in the way', 'tiny.dnn/out', 'a part of the path is no folder'],
    ['a file of this name', 'tiny.dnn', 'there is something else of this name'],
  ])('is named: %s', async (_, out, why) => {
    const { code, err } = await dnnc(...base, '--out', `${at('.')}/${out}`);
    expect(code).toBe(1);
    expect(err).toContain('error[E0413]: cannot write');
    expect(err).toContain(why);
  });

  it.skipIf(!existsSync('/dev/full'))('ends a training where the disk is full', async () => {
    symlinkSync('/dev/full', at('full/metrics.jsonl'));
    const { code, err } = await dnnc(...base, '--epochs', '1', '--out', at('full'));
    expect(code).toBe(1);
    expect(err).toContain(`cannot write ${at('full')}/metrics.jsonl: the disk is full`);
    expect(err).toContain('saved up to step 0');
    expect(readdirSync(at('full')).sort()).toEqual(['checkpoint-0.safetensors', 'metrics.jsonl']);
  });

  // A limit on the size of files stands for a disk without room: writes fail halfway.
  it.skipIf(platform === 'win32')('leaves what was there when there is no room', async () => {
    const out = at('room');
    expect(await dnnc(...base, '--epochs', '1', '--out', out)).toMatchObject({ code: 0 });
    const before = readdirSync(out).map(name => [name, readFileSync(`${out}/${name}`)]);
    const wide = at('wide.dnn');
    writeFileSync(wide, tiny.replace('dense(5)', 'dense(500)'));
    const args = [command, 'train', wide, ...base.slice(2), '--epochs', '1', '--out', out];
    const line = `ulimit -f 8 && exec "$0" "$@"`;
    const { status, stderr } = spawnSync('sh', ['-c', line, process.execPath, ...args], { encoding: 'utf8' });
    expect(stderr).toContain('checkpoint-0.safetensors: the file becomes larger than is allowed');
    expect(status).toBe(1);
    expect(readdirSync(out).map(name => [name, readFileSync(`${out}/${name}`)])).toEqual(before);
  });
});

describe('memory', () => {
  const program = (arenaBytes: Program['arenaBytes'], binding: number): Program => ({
    dims: ['N'],
    scalars: [],
    arenaBytes,
    inputs: [],
    outputs: [],
    kernels: [],
    dispatches: [{ kernel: 0, bindings: [[1, 0, n => binding * n!]], groups: 1 }],
  });

  it('is compared with what the device allows, for the arena and for each binding', () => {
    const limits = { maxBufferSize: 1000, maxStorageBufferBindingSize: 500 };
    expect(
      excess(
        program(n => 10 * n!, 2),
        [100],
        limits,
      ),
    ).toBe(undefined);
    expect(
      excess(
        program(n => 10 * n!, 2),
        [101],
        limits,
      ),
    ).toEqual({ bytes: 1010, most: 1000 });
    expect(
      excess(
        program(n => 10 * n!, 8),
        [63],
        limits,
      ),
    ).toEqual({ bytes: 504, most: 500 });
    expect(
      largestBelow(
        1000,
        n =>
          !excess(
            program(m => 10 * m!, 8),
            [n],
            limits,
          ),
      ),
    ).toBe(62);
    expect(largestBelow(9, () => false)).toBe(0);
  });

  it('that a device lacks is no fault of the device', async () => {
    const fails = onDevice(() => Promise.reject(new BufferError('t.step takes 9 bytes', 9)));
    await expect(fails).rejects.toThrow('E0501: t.step takes 9 bytes');
  });

  it('of the host that does not suffice is a diagnostic', async () => {
    const huge = at('huge.dnn');
    writeFileSync(
      huge,
      tiny.replace('cross_entropy(logits, y)', 'mean(broadcast(mean(logits), N, 46340, 46340))'),
    );
    const { code, err } = await dnnc('train', huge, ...base.slice(2), '--out', at('huge'));
    expect(code).toBe(1);
    expect(err).toContain('error[E0501]: fit.step takes more memory than there is');
  });
});

const device = await getDevice();

describe.each(await kernelTargets())('%s', target => {
  it('is not asked for more than it allows, and a batch that fits is named', async () => {
    const big = at('big.dnn');
    writeFileSync(big, tiny.replace('dense(5)', 'dense(4096)'));
    const many = 700_000;
    const path = writeTensors(at('many.safetensors'), {
      x: f32([many, 4], () => 0),
      y: { dtype: 'i32', shape: [many], data: new Int32Array(many) },
    });
    const run = (batch: number) =>
      dnnc(
        ...['train', big, 'fit', '--data', path, '--batch', String(batch)],
        ...['--target', target, '--out', at('big')],
      );
    const { code, err } = await run(many);
    expect(code).toBe(1);
    expect(err).toMatch(
      /error\[E0501\]: fit\.step with N = 700000 takes .* MiB in one buffer, the device allows/,
    );
    const fits = Number(/--batch (\d+) would fit/.exec(err)?.[1]);
    expect(fits).toBeGreaterThan(0);
    expect(await run(fits + 1)).toMatchObject({ code: 1, err: expect.stringContaining('E0501') });
    expect(existsSync(at('big/metrics.jsonl'))).toBe(false);
  });
});

// The last of the file: it takes the device away.
describe.skipIf(!device)('a device', () => {
  const onWebgpu = [...base.slice(0, -1), 'webgpu'];

  it('that goes away in the middle ends the training with what is saved, and how to go on', async () => {
    const how = ['--epochs', '100000', '--checkpoint-every', '5', '--format', 'json', '--out', at('lost')];
    const training = dnnc(...onWebgpu, ...how);
    while (!existsSync(at('lost/checkpoint-10.safetensors')))
      await new Promise(later => setTimeout(later, 5));
    release();
    const { code, out } = await training;
    expect(code).toBe(exitCode.device);
    const [diagnostic] = JSON.parse(out).diagnostics;
    expect(diagnostic).toMatchObject({ code: 'device', message: expect.stringContaining('was lost') });
    const saved = /saved up to step (\d+): (.*)$/.exec(diagnostic.notes[0].message)!;
    expect(existsSync(saved[2]!)).toBe(true);
    expect(diagnostic.hint).toContain(`--resume ${at('lost')}`);
    const resume = ['train', file, 'fit', '--data', data, '--resume', at('lost')];
    const { code: again, err } = await dnnc(...resume, '--steps', String(Number(saved[1]) + 2));
    expect({ again, err }).toEqual({ again: 0, err: '' });
  });
});

it('shows notes and hints of errors in both formats', () => {
  let err = '';
  const io = { out: () => {}, err: (text: string) => void (err += text), color: false };
  expect(report(new CliError(3, 'gone', 'go on', ['saved']), io)).toBe(3);
  expect(err).toBe('error: gone\n  saved\n  hint: go on\n');
  expect(report(new DeviceLostError('unknown', 'fell off'), io)).toBe(3);
});
