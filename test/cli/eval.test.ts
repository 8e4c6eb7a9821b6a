import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  dnnc,
  examples,
  f32,
  kernelTargets,
  readTensorFile,
  tiny,
  tinyFiles,
  writeTensors,
} from './helpers.ts';

// With running means and dropout, which training and inference take differently.
const { at, file, data } = tinyFiles(tiny.replace('tanh ->', 'batch_norm -> tanh -> dropout(0.5) ->'));
const weights = at('fit/weights.safetensors');
const how = ['--target', 'interpret'];
const evaluate = (...more: string[]) => dnnc('eval', file, 'fit', '--data', data, ...more);
const json = async (...more: string[]) => {
  const { code, out, err } = await evaluate('--weights', weights, '--format', 'json', ...more);
  expect({ code, err: err.replace(/^adapter: .*\n|^22 examples .*\n/gm, '') }).toEqual({ code: 0, err: '' });
  return JSON.parse(out);
};

beforeAll(async () => {
  const val = ['--val', data, '--batch', '5', '--epochs', '3', '--out', at('fit')];
  expect(await dnnc('train', file, 'fit', '--data', data, ...val, ...how)).toMatchObject({
    code: 0,
    err: '',
  });
});

describe('eval', () => {
  it('gives the metrics that the training had for these weights', async () => {
    const summary = await dnnc(
      'train',
      file,
      'fit',
      '--data',
      data,
      '--val',
      data,
      '--resume',
      at('fit'),
      '--format',
      'json',
    );
    const { metrics, ok, examples: count } = await json('--batch', '5', ...how);
    expect({ ok, count }).toEqual({ ok: true, count: 22 });
    expect(metrics).toEqual(JSON.parse(summary.out).val);
  });

  it('counts every example once, whatever the batch', async () => {
    const { metrics: whole } = await json('--batch', '22', ...how);
    for (const batch of ['1', '4', '7', '21', '1000']) {
      const { metrics } = await json('--batch', batch, ...how);
      expect(metrics.loss).toBeCloseTo(whole.loss, 6);
      expect(metrics.accuracy).toBeCloseTo(whole.accuracy, 9);
    }
  });

  it('shows them as lines', async () => {
    const { code, out, err } = await evaluate('--weights', weights, ...how);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^loss \d\.\d{4}$/m);
    expect(out).toMatch(/^accuracy \d\.\d{4}$/m);
    expect(out).toMatch(/^22 examples in /m);
    const quiet = await evaluate('--weights', weights, ...how, '--quiet');
    expect(quiet.out).not.toContain('examples in');
    expect(quiet.out).toContain('accuracy');
  });

  it('needs parameters and running means, all of them, and not the state of the optimiser', async () => {
    const all = Object.entries(readTensorFile(weights));
    const own = Object.fromEntries(all.filter(([name]) => name.startsWith('Tiny.')));
    expect(Object.keys(own).length).toBeLessThan(all.length);
    const bare = writeTensors(at('bare.safetensors'), own);
    expect(await evaluate('--weights', bare, ...how)).toMatchObject({ code: 0 });
    const mean = Object.keys(own).find(name => /batch_norm.*mean/.test(name))!;
    const { [mean]: _, 'Tiny.head.bias': bias, ...rest } = own;
    const odd = { ...rest, 'Tiny.head.bais': bias!, 'Tiny.hidden.bias': f32([6]) };
    const { code, err } = await evaluate('--weights', writeTensors(at('odd.safetensors'), odd), ...how);
    expect(code).toBe(1);
    expect(err).toContain(`${mean}: missing`);
    expect(err).toContain('Tiny.head.bias: missing, expected f32[3]');
    expect(err).toContain('Tiny.hidden.bias: expected f32[5], got f32[6]');
    expect(err).toContain(
      'Tiny.head.bais: train fit has no such tensor (f32[3]); did you mean Tiny.head.bias?',
    );
    // The same for a program.
    const told = await evaluate('--weights', at('odd.safetensors'), ...how, '--format', 'json');
    expect(told.err).toBe('');
    const document = JSON.parse(told.out);
    expect(document).toMatchObject({ ok: false, exitCode: 1 });
    expect(document.diagnostics[0]).toMatchObject({ severity: 'error', code: 'E0418' });
    expect(document.diagnostics[0].notes).toHaveLength(4);
  });

  it('names data without examples, and data that are not there', async () => {
    const empty = writeTensors(at('empty.safetensors'), { x: f32([0, 4]), y: examples(0).y! });
    const none = await dnnc('eval', file, 'fit', '--data', empty, '--weights', weights, ...how);
    expect(none.code).toBe(1);
    expect(none.err).toContain('empty.safetensors has no examples');
    const half = writeTensors(at('half.safetensors'), { x: examples(3).x! });
    const missing = await dnnc('eval', file, 'fit', '--data', half, '--weights', weights, ...how);
    expect(missing).toMatchObject({ code: 1, err: expect.stringContaining('y: missing, expected i32[N]') });
    const nowhere = await evaluate('--weights', at('nowhere'), ...how);
    expect(nowhere).toMatchObject({ code: 2, err: expect.stringContaining('there is no such file') });
  });
});

describe('answers in JSON', () => {
  const parse = async (...args: string[]) => {
    const { code, out, err } = await dnnc(...args, '--format', 'json');
    return { code, err, document: JSON.parse(out) };
  };

  it('check: places of diagnostics', async () => {
    const right = await parse('check', file);
    expect(right).toMatchObject({
      code: 0,
      err: '',
      document: { ok: true, nets: ['Tiny'], trains: ['fit'] },
    });
    const bad = at('bad.dnn');
    writeFileSync(bad, 'net A(x: f32[N, 4]) -> f32[N, 3] {\n  return x -> dens(3)\n}\n');
    const { code, err, document } = await parse('check', bad);
    expect({ code, err }).toEqual({ code: 1, err: '' });
    expect(document.diagnostics).toHaveLength(1);
    expect(document.diagnostics[0]).toMatchObject({
      severity: 'error',
      code: expect.stringMatching(/^E01\d\d$/),
      file: bad,
      line: 2,
      column: 15,
      endLine: 2,
      message: expect.any(String),
      notes: expect.any(Array),
      hint: expect.stringContaining('dense'),
    });
    const nowhere = await parse('check', at('none.dnn'));
    expect(nowhere).toMatchObject({ code: 2, document: { diagnostics: [{ code: 'usage' }] } });
  });

  it('explain: layers, kernels and memory', async () => {
    const { document } = await parse('explain', file);
    expect(document.nets[0]).toMatchObject({ name: 'Tiny', layers: expect.any(Array) });
    const step = document.programs.find((p: { name: string }) => p.name === 'fit.step');
    expect(step.kernels.length).toBeGreaterThan(0);
    expect(step.memory.arena).toBeGreaterThan(0);
  });

  it('run: what was written', async () => {
    const inputs = writeTensors(at('x.safetensors'), { x: f32([2, 4]) });
    const args = ['--net', 'Tiny', '--inputs', inputs, '--outputs', at('y.safetensors'), ...how];
    const { document } = await parse('run', file, ...args);
    expect(Object.values(document.outputs)).toEqual([{ dtype: 'f32', shape: [2, 3] }]);
    expect(await dnnc('run', file, ...args, '--quiet')).toEqual({ code: 0, out: '', err: '' });
  });

  it('train: one document, progress beside it', async () => {
    const args = ['train', file, 'fit', '--data', data, '--epochs', '2', '--batch', '11', ...how];
    const { code, err, document } = await parse(...args, '--val', data, '--out', at('j'));
    expect(code).toBe(0);
    expect(err).toMatch(/^epoch 1\/2 /m);
    expect(document).toMatchObject({
      ...{ ok: true, program: 'fit', ending: 'done', step: 4, steps: 4 },
      best: { metric: 'loss', file: at('j/best.safetensors') },
      files: { weights: at('j/weights.safetensors'), checkpoint: at('j/checkpoint-4.safetensors') },
    });
    expect(await dnnc(...args, '--out', at('q'), '--quiet')).toEqual({ code: 0, out: '', err: '' });
  });

  it('devices', async () => {
    const { document } = await parse('devices');
    expect(Array.isArray(document.adapters)).toBe(true);
  });
});

describe.each(await kernelTargets())('eval on %s', target => {
  it('agrees with the interpreter', async () => {
    const { metrics: want } = await json('--batch', '4', ...how);
    const { metrics: got, adapter } = await json('--batch', '4', '--target', target);
    expect(adapter).toMatch(/\w/);
    expect(got.loss).toBeCloseTo(want.loss, 4);
    expect(got.accuracy).toBeCloseTo(want.accuracy, 4);
  });
});
