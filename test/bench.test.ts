import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import type { Graph } from '../src/ir/graph.ts';
import { interpretGraph } from '../src/ir/interpret/graph.ts';
import { ndarray } from '../src/ir/ndarray.ts';
import type { NdArray } from '../src/ir/primitive.ts';
import { differentiateGraph } from '../src/passes/differentiate.ts';
import { moduleOf, stepOf, variables } from './elaborate/helpers.ts';

// Plain JavaScript without declarations.
const load = (path: string) => import(new URL(`../bench/${path}`, import.meta.url).href);
const { infer, train } = await load('reference/index.mjs');
const { paramsOf, inputOf, labelsOf } = await load('works/values.mjs');
const { lenet, resnet8 } = await load('works/nets.mjs');
const { distance } = await load('measure.mjs');
const { randomWorks } = await load('works/random.mjs');

const net = (file: string, defines = {}) => {
  const url = new URL(`../bench/nets/${file}`, import.meta.url);
  const text = (path: string | URL) => readFileSync(path, 'utf8');
  const resolve = (path: string) => ({ name: path, text: text(new URL(path, url)) });
  return moduleOf(text(url), { resolve, defines }, file);
};

/** The interpreter's arrays of a bench graph's values, with the net's name before theirs. */
function arrays(prefix: string, graph: { input: number[] }) {
  const params = Object.entries(paramsOf(graph) as Record<string, { data: Float32Array; shape: number[] }>);
  return {
    ...Object.fromEntries(params.map(([n, p]) => [`${prefix}.${n}`, ndarray('f32', p.shape, p.data)])),
    x: ndarray('f32', graph.input, inputOf(graph)),
  };
}

const only = (graph: Graph, given: Record<string, NdArray>) =>
  Object.fromEntries(
    graph.nodes.flatMap(n => (n.kind === 'input' && given[n.name] ? [[n.name, given[n.name]!]] : [])),
  );

describe('the reference', () => {
  test.each([
    ['lenet.dnn', 'LeNet', lenet(1), {}],
    ['resnet8.dnn', 'ResNet8', resnet8(2, 8), { Size: 8 }],
  ])('infers as the interpreter does: %s', (file, name, graph, defines) => {
    const { nets } = net(file, defines);
    const given = arrays(name, graph);
    const { outputs } = interpretGraph(nets[0]!.predict, only(nets[0]!.predict, given));
    const [out] = [...outputs.values()];
    expect(distance(infer(graph, paramsOf(graph), inputOf(graph)), out!.data)).toBeLessThan(1e-6);
  });

  test.each([
    ['lenet.dnn', 'LeNet', lenet(1), {}],
    ['resnet8.dnn', 'ResNet8', resnet8(2, 8), { Size: 8 }],
  ])('trains as the interpreter does: %s', (file, name, graph, defines) => {
    const { trains } = net(file, defines);
    const step = differentiateGraph(stepOf(trains[0]!)).graph;
    const labels: Int32Array = labelsOf(graph);
    let given: Record<string, NdArray> = {
      ...arrays(name, graph),
      y: ndarray('i32', [labels.length], labels),
    };
    for (const v of variables(step).filter(v => !given[v])) {
      const input = step.nodes.find(n => n.kind === 'input' && n.name === v)!;
      const shape = input.outputs[0]!.type.shape.map(d => Number(d.key));
      given[v] = ndarray('f32', shape, new Float32Array(shape.reduce((a, b) => a * b, 1)));
    }
    const losses = [0, 1, 2].map(() => {
      const { outputs } = interpretGraph(step, only(step, given));
      given = { ...given, ...Object.fromEntries(outputs) };
      return outputs.get('loss')!.data[0]!;
    });
    const how = { lr: 0.02, momentum: 0.9 };
    const found = train(graph, paramsOf(graph), inputOf(graph), labels, 3, how);
    expect(distance(found, losses)).toBeLessThan(1e-6);
    expect(losses[2]).not.toBeCloseTo(losses[0]!, 3);
  });
});

test('what is no number or of another size is far from everything', () => {
  expect(distance([1, Number.NaN], [1, 2])).toBe(Number.POSITIVE_INFINITY);
  expect(distance([1], [1, 2])).toBe(Number.POSITIVE_INFINITY);
  expect(distance([1, 2.5], [1, 2])).toBe(0.25);
});

test('random layers are the same for the same seed, and each compiles', () => {
  const works = randomWorks('3');
  expect(works).toHaveLength(50);
  expect(randomWorks('3').map((w: { doc: string }) => w.doc)).toEqual(
    works.map((w: { doc: string }) => w.doc),
  );
  for (const { source, graph } of works) {
    const { nets } = moduleOf(source);
    const type = nets[0]!.predict.outputs[0]!.value.type;
    expect(type.shape.map(d => Number(d.key))).toEqual(graph().output.shape);
  }
});

describe.skipIf(!existsSync('dist/src/index.js'))('npm run bench', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dnnc-bench-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('checks, times, and writes rows', () => {
    const json = join(folder, 'rows.json');
    const script = fileURLToPath(new URL('../bench/run.mjs', import.meta.url));
    const how = ['--adapter', 'software', '--repeat', '2', '--ms', '10'];
    const args = [script, '--only', 'tiny-lenet', ...how, '--json', json];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const rows = JSON.parse(readFileSync(json, 'utf8'));
    expect(rows.map((r: { target: string }) => r.target)).toEqual(['wasm', 'webgpu']);
    for (const row of rows) {
      expect(row).toMatchObject({ work: 'tiny-lenet', who: 'dnnc', n: expect.any(Number) });
      expect(row.min_ms).toBeGreaterThan(0);
      expect(row.median_ms).toBeGreaterThanOrEqual(row.min_ms);
      expect(row.error).toBeLessThan(1e-3);
    }
  });

  test('rows for a GPU are computed, checked and left out where they cannot be', () => {
    const module = new URL('../bench/gpu.mjs', import.meta.url).href;
    const sizes = { Side: 16, Batch: 1, Size: 8, Image: 32 };
    const how = {
      adapter: 'software',
      repeat: 1,
      sizes,
      peak: { f32: 1 },
      only: 'matmul-4096,matmul-4096-f16,lenet-b1',
    };
    const code = `const { measureOnGpu } = await import(${JSON.stringify(module)});
console.log('rows ' + JSON.stringify(await measureOnGpu(${JSON.stringify(how)})));
process.exit();`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    const [plain, half, small] = JSON.parse(/^rows (.*)$/m.exec(stdout)![1]!);
    expect(plain).toMatchObject({ work: 'matmul-4096', who: 'dnnc', n: 1, peak_tflops: 1 });
    expect(plain.error).toBeLessThan(1e-6);
    expect(plain.median_ms).toBeGreaterThan(0);
    expect(half.failed).toBe('this adapter has no matrices for it');
    expect(small).toMatchObject({ work: 'lenet-b1', dispatches: expect.any(Number) });
    expect(small.error).toBeLessThan(1e-5);
    for (const row of [plain, small]) expect(row.us_per_dispatch).toBeGreaterThan(0);
  });

  test('counts and times what the examples became, beside an earlier run', () => {
    const [json, earlier] = [join(folder, 'examples.json'), join(folder, 'earlier.json')];
    const before = { work: 'mlp MLP', target: 'wasm', dispatches_per_run: 99, kernels: 5 };
    writeFileSync(earlier, JSON.stringify([{ ...before, arena_bytes: 0, bound_bytes: 0, median_ms: 0 }]));
    const script = fileURLToPath(new URL('../bench/run.mjs', import.meta.url));
    const how = ['--examples', '--only', 'mlp', '--target', 'wasm', '--repeat', '2', '--ms', '1'];
    const args = [script, ...how, '--json', json, '--against', earlier];
    const { status, stderr, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const rows = JSON.parse(readFileSync(json, 'utf8'));
    expect(rows.map((r: { work: string }) => r.work)).toEqual(['mlp digits.step', 'mlp MLP']);
    for (const row of rows) {
      expect(row).toMatchObject({
        who: 'dnnc',
        target: 'wasm',
        adapter: expect.any(String),
        sizes: { N: 32 },
      });
      expect(row.dispatches_per_run).toBeGreaterThanOrEqual(row.dispatches);
      expect(row.arena_bytes).toBeGreaterThanOrEqual(row.bound_bytes);
      expect(row.median_ms).toBeGreaterThanOrEqual(row.min_ms);
    }
    const [, step, net] = stdout.trim().split('\n');
    expect(step).toMatch(new RegExp(`digits\\.step +${rows[0].dispatches_per_run} dispatches`));
    expect(net).toMatch(new RegExp(`MLP +99 > +${rows[1].dispatches_per_run} dispatches +5 kernels`));
  }, 300_000);
});
