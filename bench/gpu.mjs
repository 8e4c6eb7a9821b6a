// npm run bench -- --gpu: what only a real GPU is measured with. Times are those of kernels, by timestamps: the tensors are
// large, and how they get to the GPU is not what is asked.
import { readFileSync } from 'node:fs';
import { buildModel, compile, gpuTarget, renderDiagnostic, withMatrices } from 'dnnc';
import { convertFloats, open } from 'dnnc/runtime';
import { halfToggles, NoAdapterError, release, requestDevice } from 'dnnc/runtime/node';
import { distance, median } from './measure.mjs';
import { watchEncoding } from './who/encode-time.mjs';
import { profileGpu } from './who/profile-gpu.mjs';
import { largeWorks } from './works/large.mjs';

/** TFLOP/s without sparsity, as their makers give them: f32 without tensor cores, f16 with them and sums in f32. */
const peaks = [
  { name: /H200|H100.*(SXM|HBM3)/, f32: 67, f16: 989 },
  { name: /A100/, f32: 19.5, f16: 312 },
  { name: /RTX 4090/, f32: 82.6, f16: 165 },
];

/** Rows for works that `--only` names, or all; none where there is no GPU. `adapter` and `sizes` are for tests. */
export async function measureOnGpu({ only, repeat, toggles = [], peak = {}, adapter: kind = 'gpu', sizes }) {
  const device = await requestDevice({ adapter: kind, toggles: [...halfToggles, ...toggles] }).catch(
    error => {
      if (!(error instanceof NoAdapterError)) throw error;
      console.log(`no GPU, nothing is measured: ${error.message.split('\n')[0]}`);
    },
  );
  if (!device) return [];
  const { description, device: model, vendor } = device.adapterInfo;
  const adapter = [model, description].filter(Boolean).join(', ') || vendor;
  const known = { ...peaks.find(p => p.name.test(adapter)), ...peak };
  const { maxStorageBufferBindingSize } = device.limits;
  const target = withMatrices({ ...gpuTarget, maxStorageBufferBindingSize }, device);
  console.log(`${adapter}: ${target.name}`);
  const rows = [];
  const seen = new Map();
  for (const work of largeWorks(sizes).filter(w => !only || only.split(',').includes(w.name))) {
    const row = { work: work.name, doc: work.doc, who: 'dnnc', target: 'webgpu', adapter };
    try {
      Object.assign(row, await measure(work, { device, target, repeat, known, seen }));
    } catch (error) {
      row.failed = error.message.split('\n')[0];
    }
    console.log(line(row));
    rows.push(row);
  }
  release();
  return rows;
}

function compiled(work, target) {
  const url = new URL(`nets/${work.file}`, import.meta.url);
  const source = path => ({ name: path, text: readFileSync(new URL(path, url), 'utf8') });
  const names = [
    `${work.entry}${work.program === 'predict' ? '' : `.${work.program}`}`,
    `${work.entry}.init`,
  ];
  const began = performance.now();
  const made = compile(source(work.file), {
    target,
    resolve: source,
    only: name => names.includes(name),
    ...work.how,
  });
  if (!made.compiled) throw new Error(made.diagnostics.map(d => renderDiagnostic(d)).join('\n'));
  const entry = made.entries.find(e => e.name === work.entry);
  return { model: buildModel(entry, made.compiled.layout), compile_ms: performance.now() - began };
}

async function measure(work, { device, target, repeat, known, seen }) {
  const { model, compile_ms } = compiled(work, target);
  if (work.matrices && !model.features.includes('chromium-experimental-subgroup-matrix'))
    return { failed: 'this adapter has no matrices for it' };
  const { inputs, weights, error: errorOf } = work.values();
  const options = { device, seed: 1, ...(weights && { weights: convertFloats(weights, model) }) };
  const session = await open(model, options);
  const run = async () => {
    const [{ data }] = Object.values(await session.run(work.program, inputs));
    return data;
  };
  try {
    // Three runs before any is timed; of a training, the losses of the first steps.
    const first = [];
    const began = performance.now();
    for (let i = 0; i < 3; i++) first.push(await run());
    const first_ms = performance.now() - began;
    const values = work.training ? first.map(loss => loss[0]) : first[0];
    const error = errorOf?.(values) ?? compare(values, seen.get(work.like));
    seen.set(work.name, values);
    if (error !== undefined && !(error <= work.tolerance)) return { failed: 'wrong', error };
    const [times, walls] = [[], []];
    const encoding = await encode(device, run, repeat);
    let kernels;
    for (let i = 0; i < repeat; i++) {
      const start = performance.now();
      await run();
      walls.push(performance.now() - start);
      kernels = await profileGpu(device, run);
      if (!kernels) throw new Error('the device has no timestamps');
      times.push(kernels.reduce((sum, k) => sum + k.ms, 0));
    }
    const median_ms = median(times);
    const tflops = work.flops / median_ms / 1e9;
    const peak = known[work.unit];
    return {
      median_ms: +median_ms.toFixed(4),
      min_ms: +Math.min(...times).toFixed(4),
      wall_ms: +median(walls).toFixed(3),
      ...encoding,
      n: times.length,
      tflops: +tflops.toFixed(2),
      ...(peak && { peak_tflops: peak, percent: +((100 * tflops) / peak).toFixed(1) }),
      ...(error !== undefined && { error: +error.toExponential(1) }),
      compile_ms: +compile_ms.toFixed(0),
      first_ms: +first_ms.toFixed(0),
      kernels: kernels.slice(0, 12),
    };
  } finally {
    session.dispose();
  }
}

/** What a run costs the processor, without the time that it waits for the GPU. */
async function encode(device, run, repeat) {
  const watch = watchEncoding(device);
  try {
    for (let i = 0; i < repeat; i++) await run();
  } finally {
    watch.stop();
  }
  const found = watch.times();
  return {
    dispatches: found.at(-1).dispatches,
    us_per_dispatch: +median(found.map(f => (1000 * f.ms) / f.dispatches)).toFixed(2),
  };
}

/** The distance from what another row gave; undefined where that was not measured. */
const compare = (values, others) => others && distance(values, others);

function line({ work, doc, failed, median_ms, wall_ms, tflops, percent, error, kernels = [], ...row }) {
  const share = percent === undefined ? '' : `, ${percent} % of peak`;
  const checked = error === undefined ? '' : `, error ${error.toExponential(0)}`;
  const cpu = `${row.dispatches} dispatches of ${row.us_per_dispatch} µs of the processor`;
  const text =
    failed ?? `${median_ms} ms, ${tflops} TFLOP/s${share}${checked}, ${wall_ms} ms with transfers, ${cpu}`;
  const slow = kernels.slice(0, 5).map(k => `\n    ${k.ms.toFixed(3).padStart(9)} ms  ${k.kernel}`);
  return `${work.padEnd(22)} ${text}   (${doc})${slow.join('')}`;
}
