// npm run bench -- [--only NAME] [--adapter auto|gpu|software] [--repeat N] [--json FILE]
// Compiles each work for the adapter found, runs it, and prints medians. `npm run bench -- --digits` trains
// LeNet on the digits with three seeds instead and prints the held-out accuracies; `-- --compiler` times the compiler.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { buildModel, compile, gpuTarget, renderDiagnostic, softwareTarget } from 'dnnc';
import { open } from 'dnnc/runtime';
import { isSoftware, release, requestDevice, wait } from 'dnnc/runtime/node';
import { digits } from './digits.mjs';
import { works } from './works.mjs';

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    adapter: { type: 'string', default: 'auto' },
    repeat: { type: 'string', default: '20' },
    json: { type: 'string' },
    digits: { type: 'boolean', default: false },
    compiler: { type: 'boolean', default: false },
  },
});

const median = list => [...list].sort((a, b) => a - b)[list.length >> 1];

async function load(work, device, target) {
  const name = work.file ?? `${work.name}.dnn`;
  const text = work.source ?? readFileSync(new URL(`../${work.file}`, import.meta.url), 'utf8');
  const { entries, compiled, diagnostics } = compile({ name, text }, { target });
  if (!compiled) throw new Error(diagnostics.map(d => renderDiagnostic(d)).join('\n'));
  const entry = entries.find(e => e.name === work.entry);
  const model = buildModel(entry, compiled.layout);
  return { model, session: await open(model, { device, seed: 1, ...(software && { wait }) }) };
}

if (flags.compiler) {
  const { compiler } = await import('./compiler.mjs');
  const rows = compiler({ repeat: Math.min(5, Number(flags.repeat)), only: flags.only });
  if (flags.json) writeFileSync(flags.json, `${JSON.stringify(rows, null, 2)}\n`);
  process.exit();
}

const device = await requestDevice({ adapter: flags.adapter });
const software = isSoftware(device.adapterInfo);
const adapter = device.adapterInfo.description || device.adapterInfo.device || device.adapterInfo.vendor;
const target = software ? softwareTarget : gpuTarget;
console.log(`${adapter}, schedules for ${target.name}`);

const rows = [];
if (flags.digits) rows.push(...(await digits(adapter, target)));
else {
  const loaded = [];
  for (const work of works.filter(w => !flags.only || w.name === flags.only)) {
    const compileStart = performance.now();
    const { model, session } = await load(work, device, target);
    const inputs = work.inputs();
    const run = () => session.run(work.program, inputs, work.scalars ?? {});
    const first = performance.now();
    await run();
    const now = performance.now();
    const dispatches = model.programs[work.program].dispatches.length;
    loaded.push({
      work,
      run,
      session,
      dispatches,
      compile: first - compileStart,
      first: now - first,
      times: [],
    });
  }
  // Interleaved, so that a slow moment of the machine hits all alike.
  for (let i = 0; i < Number(flags.repeat); i++)
    for (const item of loaded) {
      const start = performance.now();
      await item.run();
      item.times.push(performance.now() - start);
    }
  for (const { work, times, session, dispatches, compile: compiling, first } of loaded) {
    session.dispose();
    const row = {
      work: work.name,
      who: 'dnnc',
      target: target.name,
      adapter,
      median_ms: +median(times).toFixed(2),
      min_ms: +Math.min(...times).toFixed(2),
      n: times.length,
    };
    rows.push(row);
    const more = `${dispatches} dispatches, compile ${compiling.toFixed(0)} ms, first run ${first.toFixed(0)} ms`;
    console.log(
      `${work.name.padEnd(18)} ${String(row.median_ms).padStart(9)} ms  min ${row.min_ms}  ${more}  (${work.doc})`,
    );
  }
}
if (flags.json) writeFileSync(flags.json, `${JSON.stringify(rows, null, 2)}\n`);
device.destroy();
release();
