import { appendFileSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { findCheckpoint } from '../../src/cli/training/checkpoint.ts';
import { dnnc, examples, kernelTargets, readTensorFile, tinyFiles, writeTensors } from './helpers.ts';
import { bundleCommand, type Running, start } from './spawn.ts';

/** With everything that a step depends on: running means, random values, moments, schedules of iter and epoch. */
const program = `
net Tiny(x: f32[N, 4]) -> f32[N, 3] {
  return x -> hidden: dense(6) -> batch_norm -> tanh -> dropout(0.3) -> head: dense(3)
}

train fit {
  data x: f32[N, 4]
  data y: i32[N]
  logits = Tiny(x)
  loss = cross_entropy(logits, y)
  metric accuracy = mean(cast(argmax(logits, axis = 1) == y, f32))
  minimize loss over Tiny by adam(lr = 0.02 * 0.9 ^ epoch)
}
`;

const { at, file, data, val } = tinyFiles(program);

const files = ['--data', data, '--val', val];
const interpreted = [...files, '--batch', '4', '--seed', '3', '--target', 'interpret'];
const train = (...more: string[]) => dnnc('train', file, 'fit', ...more);
const read = (out: string, name: string) => readFileSync(at(`${out}/${name}`));

/** Bit for bit. The checkpoint tells the state too: counts, moments, best values. */
function expectSame(out: string, reference: string): void {
  expect(readdirSync(at(out)).sort()).toEqual(readdirSync(at(reference)).sort());
  for (const name of readdirSync(at(reference)))
    expect(read(out, name).equals(read(reference, name)), `${out}/${name}`).toBe(true);
}

describe('a training that goes on', () => {
  it('is the same as an unbroken one, wherever it stopped', async () => {
    const unbroken = await train(...interpreted, '--epochs', '4', '--out', at('whole'));
    expect(unbroken.err).toBe('');
    expect(unbroken.code).toBe(0);
    // Within an epoch, at the end of one, one step after, and at the end of all.
    for (const steps of ['3', '5', '6', '20']) {
      const out = `at-${steps}`;
      expect(await train(...interpreted, '--steps', steps, '--out', at(out))).toMatchObject({ code: 0 });
      const { code, err } = await train(...files, '--epochs', '4', '--resume', at(out));
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expectSame(out, 'whole');
    }
  });

  it('takes how long it runs from before, and shows the end again where it has ended', async () => {
    await train(...interpreted, '--epochs', '2', '--out', at('ended'));
    const before = readdirSync(at('ended')).map(name => read('ended', name));
    const { code, out } = await train(...files, '--resume', at('ended'));
    expect(code).toBe(0);
    expect(out).toContain('resumed at step 10');
    expect(out).toMatch(/^done in .* loss .* val accuracy/m);
    expect(readdirSync(at('ended')).map(name => read('ended', name))).toEqual(before);
  });

  it('keeps means of an epoch and the best value over the break', async () => {
    await train(...interpreted, '--epochs', '2', '--out', at('m'));
    const whole = await train(...interpreted, '--epochs', '2', '--out', at('m1'));
    await train(...interpreted, '--steps', '8', '--out', at('m2'));
    const broken = await train(...files, '--steps', '10', '--resume', at('m2'));
    const numbers = (out: string) => /: (loss .*)\n(best val loss \S+ after .*): /.exec(out)!.slice(1);
    expect(numbers(broken.out)).toEqual(numbers(whole.out));
  });

  it('cuts torn lines, clears what killed writers left, and takes the older of two where one is damaged', async () => {
    await train(...interpreted, '--epochs', '3', '--out', at('torn-whole'));
    await train(...interpreted, '--steps', '8', '--checkpoint-every', '2', '--out', at('torn'));
    // As it is before a training ends well: two checkpoints, the newer damaged here.
    const older = read('torn', 'checkpoint-8.safetensors');
    await train(...files, '--steps', '11', '--resume', at('torn'));
    writeFileSync(at('torn/checkpoint-8.safetensors'), older);
    truncateSync(at('torn/checkpoint-11.safetensors'), 500);
    appendFileSync(at('torn/metrics.jsonl'), '{"step":11,"ep');
    writeFileSync(at('torn/.checkpoint-12.safetensors.0123456789ab.tmp'), 'half a file');
    const { code, out } = await train(...files, '--epochs', '3', '--resume', at('torn'));
    expect(code).toBe(0);
    expect(out).toContain('damaged, an older one is taken');
    expect(out).toContain('resumed at step 8');
    expectSame('torn', 'torn-whole');
  });

  it('says where there is nothing to go on from', async () => {
    const none = await train(...files, '--resume', at('nothing'));
    expect(none.code).toBe(1);
    expect(none.err).toContain('error[E0414]');
    writeFileSync(at('rubbish/checkpoint-3.safetensors'), 'no tensors');
    const { code, err } = await train(...files, '--resume', at('rubbish'));
    expect(code).toBe(1);
    expect(err).toContain('no whole checkpoint');
    expect(err).toContain('checkpoint-3.safetensors');
    writeTensors(at('plain/checkpoint-3.safetensors'), examples(2));
    expect((await train(...files, '--resume', at('plain'))).err).toContain('does not say where');
  });

  it('compares every flag and the data with those of the training', async () => {
    await train(...interpreted, '--steps', '7', '--out', at('flags'));
    const resume = (...more: string[]) => train('--resume', at('flags'), ...more);
    const odd = ['--batch', '5', '--seed', '4', '--no-shuffle', '--keep-last', '--target', 'webgpu'];
    odd.push('--split-products');
    const { code, err } = await resume('--data', val, '--val', data, ...odd);
    expect(code).toBe(1);
    expect(err).toContain('error[E0415]');
    for (const line of [
      '--batch: the training has 4, here it is 5',
      '--seed: the training has 3, here it is 4',
      '--target: the training has interpret, here it is webgpu',
      '--no-shuffle: the training shuffles',
      '--keep-last:',
      '--split-products: the training runs without it',
      '--data: these are not the data of the training',
      '--val: these are not the validation data of the training',
    ])
      expect(err).toContain(line);
    expect((await resume('--data', data)).err).toContain('--val: the training has validation data');
    expect((await resume(...files, '--steps', '6')).err).toContain('at step 7 already, this is to step 6');
    expect((await resume(...files, '--monitor', 'accuracy')).err).toContain('loss:min');
    // Given as they are, flags do no harm.
    expect(await resume(...interpreted, '--steps', '8', '--monitor', 'loss')).toMatchObject({ code: 0 });
    expect(await resume(...files, '--out', at('flags'))).toMatchObject({ code: 2 });
    expect(await train(...files)).toMatchObject({ code: 2, err: expect.stringContaining('--out') });
  });

  it('says that the program is another, and which tensors do not fit', async () => {
    await train(...interpreted, '--steps', '6', '--out', at('edited'));
    const edited = at('edited.dnn');
    writeFileSync(edited, program.replace('0.02', '0.01').replace('train fit', '// a comment\ntrain fit'));
    const warned = await dnnc('train', edited, 'fit', ...files, '--steps', '7', '--resume', at('edited'));
    expect(warned).toMatchObject({ code: 0, err: expect.stringContaining('has changed since') });
    writeFileSync(edited, program.replace('dense(6)', 'dense(7)').replace('head: ', 'heads: '));
    const { code, err } = await dnnc('train', edited, 'fit', ...files, '--resume', at('edited'));
    expect(code).toBe(1);
    expect(err).toContain('Tiny.hidden.weight: expected f32[7, 4], got f32[6, 4]');
    expect(err).toContain('Tiny.heads.bias: missing, expected f32[3]');
    expect(err).toContain('Tiny.head.bias: train fit has no such tensor (f32[3]); did you mean');
    writeFileSync(edited, `// only this is new\n${program}`);
    const same = await dnnc('train', edited, 'fit', ...files, '--steps', '8', '--resume', at('edited'));
    // Places in the text are no part of the program; the rate of before is.
    expect(same.err).toContain('has changed since');
    const again = await dnnc('train', file, 'fit', ...files, '--steps', '9', '--resume', at('edited'));
    expect(again).toMatchObject({ code: 0, err: '' });
  });
});

describe('a process that is killed', () => {
  let command = '';
  beforeAll(async () => {
    command = await bundleCommand(at('.'));
  });
  const spawnTrain = (...args: string[]): Running =>
    start(process.execPath, command, 'train', file, 'fit', ...args);
  const long = ['--epochs', '60', '--checkpoint-every', '3'];

  it('can be killed at any moment and ends with the same bits', async () => {
    await train(...interpreted, ...long, '--out', at('long'));
    const random = Array.from({ length: 6 }, () => Math.random());
    let running = spawnTrain(...interpreted, ...long, '--out', at('killed'));
    for (const [i, share] of random.entries()) {
      // The first as early as can be; the others anywhere in the time that a whole run takes.
      const began = performance.now();
      while (!running.text().out.includes('batches of 4')) {
        if (running.child.exitCode !== null || performance.now() - began > 30_000) break;
        await new Promise(later => setTimeout(later, 2));
      }
      await new Promise(later => setTimeout(later, i === 0 ? 10 * share : 150 * share));
      running.child.kill('SIGKILL');
      const { err } = await running.done;
      expect(err, `delays ${random}`).toBe('');
      const { found, damaged } = findCheckpoint(at('killed'));
      expect(damaged).toEqual([]);
      running = found
        ? spawnTrain(...files, '--checkpoint-every', '3', '--resume', at('killed'))
        : spawnTrain(...interpreted, ...long, '--out', at('killed'));
    }
    const last = await running.done;
    // The kills came within the training, not after it.
    expect(Number(/resumed at step (\d+)/.exec(last.out)?.[1] ?? 0), `delays ${random}`).toBeLessThan(300);
    expect({ code: last.code, err: last.err }, `delays ${random}`).toEqual({ code: 0, err: '' });
    expectSame('killed', 'long');
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('saves at %s, ends with %i, and says how it goes on', async (signal, status) => {
    const out = at(signal);
    const running = spawnTrain(...interpreted, '--epochs', '2000', '--out', out);
    while (!running.text().out.includes('epoch    2/')) {
      expect(running.child.exitCode).toBe(null);
      await new Promise(later => setTimeout(later, 2));
    }
    running.child.kill(signal);
    const { code, err } = await running.done;
    expect(code).toBe(status);
    expect(err).toContain('interrupted');
    const { state, weights } = findCheckpoint(out).found!;
    expect(err).toContain(`saved step ${state.position.step} of 10000; go on with\n`);
    expect(Object.fromEntries(weights)).toEqual(readTensorFile(`${out}/weights.safetensors`));
    const words = /^ {2}dnnc (train .*)$/m.exec(err)![1]!.split(' ');
    // A forgotten flag does not cost the work that is done.
    const anew = await train(...interpreted, '--out', out);
    expect(anew).toMatchObject({ code: 1, err: expect.stringContaining('error[E0416]') });
    const steps = String(state.position.step + 3);
    expect(await dnnc(...words, '--steps', steps)).toMatchObject({ code: 0, err: '' });
    await train(...interpreted, '--steps', steps, '--out', at(`${signal}-whole`));
    for (const name of ['weights.safetensors', 'metrics.jsonl'])
      expect(read(signal, name).equals(read(`${signal}-whole`, name))).toBe(true);
    expect(await train(...interpreted, '--steps', '1', '--overwrite', '--out', out)).toMatchObject({
      code: 0,
    });
  });

  it('ends at once at the second signal', async () => {
    const script = at('twice.mjs');
    const { build } = await import('rolldown');
    await build({
      input: 'src/cli/training/interrupt.ts',
      output: { file: at('interrupt.mjs') },
      logLevel: 'silent',
    });
    writeFileSync(
      script,
      `import { listenForInterrupt } from './interrupt.mjs';
       listenForInterrupt(() => console.log('first'));
       setInterval(() => {}, 1000);
       console.log('ready');`,
    );
    const { child, text, done } = start(process.execPath, script);
    for (const word of ['ready', 'first']) {
      while (!text().out.includes(word)) await new Promise(later => setTimeout(later, 2));
      child.kill('SIGINT');
    }
    expect(await done).toMatchObject({ signal: 'SIGINT' });
  });
});

describe.each(await kernelTargets())('a training on %s', target => {
  it('goes on to the same bits, where it ran', async () => {
    const how = [...files, '--batch', '4', '--seed', '3', '--target', target];
    expect(await train(...how, '--epochs', '3', '--out', at('d'))).toMatchObject({ code: 0 });
    await train(...how, '--steps', '7', '--out', at('d7'));
    expect(await train(...files, '--epochs', '3', '--resume', at('d7'))).toMatchObject({ code: 0, err: '' });
    expectSame('d7', 'd');
    // Left to choose, a training that goes on has no choice.
    await train(...files, '--steps', '9', '--target', 'auto', '--resume', at('d7'));
    const other = await train(...files, '--target', 'interpret', '--resume', at('d7'));
    expect(other.err).toContain(`--target: the training has ${target}, here it is interpret`);
    for (const out of ['d', 'd7']) rmSync(at(out), { recursive: true });
  });
});
