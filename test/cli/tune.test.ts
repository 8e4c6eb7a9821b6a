import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { gpuBench } from '../../src/cli/tune/gpu.ts';
import { differenceOf } from '../../src/cli/tune/memory.ts';
import { search } from '../../src/cli/tune/search.ts';
import { type Task, tasksOf } from '../../src/cli/tune/tasks.ts';
import { wasmBench } from '../../src/cli/tune/wasm.ts';
import { compile } from '../../src/compile.ts';
import { readTuning, writeTuning } from '../../src/interop/tuning.ts';
import { gpuTarget, type Target, wasmTarget } from '../../src/ir/target.ts';
import { type TunedWork, tunedFor, withTuned } from '../../src/ir/tuning.ts';
import { getDevice } from '../gpu.ts';
import {
  dnnc,
  examples,
  f32,
  kernelTargets,
  readTensorFile,
  temporaryFolder,
  tiny,
  writeTensors,
} from './helpers.ts';

const at = temporaryFolder();
const targets = await kernelTargets();
const device = await getDevice();

const source = at('tiny.dnn');
writeFileSync(source, tiny);
const x = writeTensors(at('x.safetensors'), { x: f32([6, 4]) });
const data = writeTensors(at('data.safetensors'), examples(12));

test.each(targets)(
  'tune on %s: a table that commands take',
  async target => {
    const table = at(`${target}.json`);
    const args = ['--target', target, '--top', '3', '--program', 'Tiny', '--out', table];
    const first = await dnnc('tune', source, ...args, '--dim', 'N=6', '--format', 'json');
    expect(first.err).not.toContain('error');
    expect(first.code).toBe(0);
    const { works, adapter } = JSON.parse(first.out);
    expect(works.length).toBeGreaterThan(0);
    for (const work of works) {
      expect(work.measured).toBeGreaterThan(0);
      expect(work.wrong).toEqual([]);
      expect(work.refused).toEqual([]);
      expect(work.best.milliseconds).toBeLessThanOrEqual(work.usual.milliseconds);
    }
    const written = readTuning(readFileSync(table, 'utf8'), table);
    const entries = written.adapters.get(adapter)!;
    expect(entries.works.size).toBe(works.length);
    expect([...entries.works.values()].every(w => w.sizes.N === 6)).toBe(true);

    // What another command measured stays.
    const other = withTuned(
      written,
      'another adapter',
      'gpu',
      { exact: 'a', near: 'b' },
      entries.works.values().next().value!,
    );
    writeFileSync(table, writeTuning(other));
    const again = await dnnc('tune', source, ...args, '--quiet');
    expect(again.code).toBe(0);
    expect(again.out).toMatch(/^work +default ms +best ms +gain +measured +schedule\n/);
    expect([...readTuning(readFileSync(table, 'utf8'), table).adapters.keys()].sort()).toEqual(
      [adapter, 'another adapter'].sort(),
    );

    const run = (name: string, ...more: string[]) =>
      dnnc('run', source, '--net', 'Tiny', '--inputs', x, '--outputs', at(name), '--target', target, ...more);
    expect((await run('plain.safetensors')).code).toBe(0);
    expect((await run('tuned.safetensors', '--tuning', table)).code).toBe(0);
    const [plain, tuned] = ['plain', 'tuned'].map(n => readTensorFile(at(`${n}.safetensors`)).out!.data);
    tuned!.forEach((v, i) => {
      expect(v).toBeCloseTo(plain![i]!, 5);
    });
  },
  180_000,
);

test('every command that compiles takes a table: what is not legal is ignored, what is damaged is named', async () => {
  const [task] = tasksOf(
    compile({ name: 'tiny.dnn', text: tiny }, { target: wasmTarget }).compiled!.programs.values(),
    {},
    wasmTarget,
  );
  const work: TunedWork = {
    near: task!.shape.near,
    schedule: 'nothing that is legal',
    milliseconds: 1,
    usual: { schedule: 'vectors 1', milliseconds: 2 },
    sizes: {},
  };
  const table = at('illegal.json');
  writeFileSync(table, writeTuning(withTuned({ adapters: new Map() }, 'some', 'cpu', task!.shape, work)));
  const damaged = at('damaged.json');
  writeFileSync(damaged, '{"format": "dnnc tuning 1", "adapters": {]}');
  const commands = [
    ['compile', source, '-o', at('build'), '--target', 'wasm'],
    ['explain', source],
    ['dump', source, '--after', 'schedule'],
    [
      'train',
      source,
      'fit',
      '--data',
      data,
      '--batch',
      '4',
      '--steps',
      '2',
      '--target',
      'wasm',
      '--out',
      at('run'),
    ],
    ['eval', source, 'fit', '--data', data, '--weights', at('run/weights.safetensors'), '--target', 'wasm'],
    ['run', source, '--net', 'Tiny', '--inputs', x, '--outputs', at('y.safetensors'), '--target', 'wasm'],
  ];
  for (const command of commands) {
    const fine = await dnnc(...command, '--tuning', table);
    expect(fine.code, `${command[0]}: ${fine.err}`).toBe(0);
    if (command[0] === 'train') continue;
    const bad = await dnnc(...command, '--tuning', damaged);
    expect(bad.code, command[0]).toBe(1);
    expect(bad.err).toContain('error[E0430]');
    expect(bad.err).toContain('character 41');
  }
  // Before anything is measured.
  const tuning = await dnnc('tune', source, '--target', 'wasm', '--out', damaged);
  expect(tuning.code).toBe(1);
  expect(tuning.err).toContain('error[E0430]');
  expect(readFileSync(damaged, 'utf8')).toContain(']}');
});

test('what tune is asked for in vain', async () => {
  const program = await dnnc('tune', source, '--target', 'wasm', '--program', 'Tin');
  expect(program.code).toBe(2);
  expect(program.err).toContain('did you mean `Tiny`?');
  const size = await dnnc('tune', source, '--target', 'wasm', '--dim', 'M=3');
  expect(size.code).toBe(2);
  expect(size.err).toContain('there is no free size `M`');
  const missing = await dnnc('compile', source, '-o', at('build'), '--tuning', at('missing.json'));
  expect(missing.code).toBe(2);
});

test('a table is written and read', () => {
  const work: TunedWork = {
    near: 'sum a4',
    schedule: 'registers 1',
    milliseconds: 0.25,
    usual: { schedule: 'registers 2', milliseconds: 0.5 },
    sizes: { N: 8 },
  };
  const one = withTuned({ adapters: new Map() }, 'one', 'gpu', { exact: 'sum a5', near: 'sum a4' }, work);
  const two = withTuned(
    one,
    'two',
    'cpu',
    { exact: 'sum a5', near: 'sum a4' },
    { ...work, schedule: 'vectors 1' },
  );
  const text = writeTuning(two);
  const read = readTuning(text, 'table.json');
  expect(read).toEqual(two);
  expect(writeTuning(read)).toBe(text);

  const shape = { exact: 'sum a5', near: 'sum a4' };
  expect(tunedFor(read, 'gpu', 'one')(shape)).toBe('registers 1');
  expect(tunedFor(read, 'gpu')(shape)).toBe('registers 1');
  expect(tunedFor(read, 'cpu')(shape)).toBe('vectors 1');
  expect(tunedFor(read, 'gpu', 'two')(shape)).toBeUndefined();
  expect(tunedFor(read, 'software')(shape)).toBeUndefined();
  // Sizes that were not measured take what the nearest ones have.
  expect(tunedFor(read, 'gpu')({ exact: 'sum a3', near: 'sum a4' })).toBe('registers 1');
  expect(tunedFor(read, 'gpu')({ exact: 'sum a9', near: 'sum a8' })).toBeUndefined();
});

test.each([
  ['', 'no JSON from character 0 on'],
  ['[]', 'the table is no object'],
  ['{"format": "dnnc tuning 9", "adapters": {}}', 'its format is `dnnc tuning 9`'],
  ['{"adapters": {}}', 'there is no `"format": "dnnc tuning 1"`'],
  ['{"format": "dnnc tuning 1"}', 'adapters is no object'],
  [
    '{"format": "dnnc tuning 1", "adapters": {"a": {"kind": "tpu", "works": {}}}}',
    'adapters.a.kind is none of',
  ],
  [
    '{"format": "dnnc tuning 1", "adapters": {"a": {"kind": "gpu", "works": {"w": {"near": 1}}}}}',
    'adapters.a.works.w.near is no text',
  ],
  ['{"format": "dnnc tuning 1", "adapters": {}, "adapters": {}}', '`adapters` stands twice'],
])('a damaged table: %s', (text, message) => {
  expect(() => readTuning(text, 'table.json')).toThrow(`E0430: table.json: ${message}`);
});

/** The work of a net with the most candidates. */
function taskOf(text: string, target: Target): Task {
  const { compiled } = compile({ name: 'net.dnn', text }, { target, only: name => name === 'M' });
  return tasksOf(compiled!.programs.values(), {}, target)[0]!;
}

const nets = {
  'a product': 'net M(a: f32[40, 32], b: f32[32, 132]) -> f32[40, 132] {\n  return tanh(matmul(a, b))\n}\n',
  'a convolution':
    'net M(x: f32[1, 16, 12, 12]) -> f32[1, 16, 12, 12] {\n  return x -> c: conv(16, 3, pad = 1)\n}\n',
};

test.skipIf(!device).each(Object.entries(nets))(
  'schedules for GPUs on a device: %s',
  async (_, text) => {
    const task = taskOf(text, gpuTarget);
    const found = await search(
      gpuBench(device!),
      task,
      gpuTarget,
      6,
      () => false,
      () => {},
    );
    expect(found!.wrong).toEqual([]);
    expect(found!.refused).toEqual([]);
    expect(found!.usual.schedule).toContain('workgroup');
  },
  240_000,
);

test('a schedule with other results is not kept', async () => {
  const task = taskOf(nets['a product'], wasmTarget);
  let opened = 0;
  const lying = {
    open: async (t: Task) => {
      const memory = await wasmBench.open(t);
      return {
        close: () => memory.close(),
        prepare: async (kernels: Parameters<typeof memory.prepare>[0]) => {
          const prepared = await memory.prepare(kernels);
          const isWrong = opened++ > 0;
          return {
            ...prepared,
            // Much faster, but one element is off.
            time: async (runs: number) => (isWrong ? 1e-9 : 1) * runs,
            results: async (tensors: Parameters<typeof prepared.results>[0]) => {
              const [first] = await prepared.results(tensors);
              if (isWrong) first![7]! += 0.01;
              return [first!];
            },
          };
        },
      };
    },
  };
  const found = await search(
    lying,
    task,
    wasmTarget,
    3,
    () => false,
    () => {},
  );
  expect(found!.wrong).toHaveLength(2);
  expect(found!.wrong[0]).toMatch(/\[7\] is .*, not /);
  expect(found!.best).toEqual(found!.usual);
});

test('rounding is no difference, a number of its own is', () => {
  const [tensor] = taskOf(nets['a product'], wasmTarget).work.outputs;
  const numbers = Float64Array.of(1, -2, 0, Number.NaN);
  expect(differenceOf(tensor!, numbers, Float64Array.of(1.0001, -2, 1e-6, Number.NaN))).toBeUndefined();
  expect(differenceOf(tensor!, numbers, Float64Array.of(1.01, -2, 0, Number.NaN))).toContain(
    '[0] is 1.01, not 1',
  );
  expect(differenceOf(tensor!, numbers, Float64Array.of(1, -2, 0, 0))).toContain('[3]');
});

test('what is done when a search is stopped is kept', async () => {
  const table = at('stopped.json');
  const finished = dnnc('tune', source, '--target', 'wasm', '--top', '2', '--out', table);
  const wait = setInterval(() => {
    if (!existsSync(table)) return;
    clearInterval(wait);
    process.emit('SIGINT', 'SIGINT');
  }, 1);
  const { code, err } = await finished;
  clearInterval(wait);
  expect(code).toBe(130);
  expect(err).toMatch(/stopped after \d+ of \d+ works/);
  expect(readTuning(readFileSync(table, 'utf8'), table).adapters.size).toBe(1);
});
