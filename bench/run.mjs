// npm run bench: see README.md in this folder.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gpuTarget, softwareTarget, subgroupTarget, wasmTarget } from 'dnnc';
import { isSoftware, release, requestDevice } from 'dnnc/runtime/node';
import { measure, measureFresh } from './measure.mjs';
import { printRatios, printRows, printSummary, rowOf } from './report.mjs';
import { compileAhead } from './who/ahead.mjs';
import { targets } from './who/index.mjs';
import { select } from './works/index.mjs';

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    who: { type: 'string' },
    target: { type: 'string' },
    adapter: { type: 'string', default: 'auto' },
    peers: { type: 'boolean', default: false },
    random: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    profile: { type: 'boolean', default: false },
    repeat: { type: 'string', default: '5' },
    ms: { type: 'string' },
    json: { type: 'string' },
    digits: { type: 'boolean', default: false },
    compiler: { type: 'boolean', default: false },
    gpu: { type: 'boolean', default: false },
    toggles: { type: 'string' },
    'peak-f32': { type: 'string' },
    'peak-f16': { type: 'string' },
    examples: { type: 'boolean', default: false },
    against: { type: 'string' },
  },
});
const repeat = Number(flags.repeat);
const rows = [];
const save = () => {
  if (flags.json) writeFileSync(flags.json, `${JSON.stringify(rows, null, 2)}\n`);
};

if (flags.compiler) {
  const { compiler } = await import('./compiler.mjs');
  rows.push(...compiler({ repeat, only: flags.only }));
} else if (flags.examples) {
  for (const target of flags.target ? [flags.target] : Object.keys(targets)) await timeExamples(target);
} else if (flags.gpu) {
  const { measureOnGpu } = await import('./gpu.mjs');
  const peak = Object.fromEntries(
    ['f32', 'f16'].flatMap(unit => (flags[`peak-${unit}`] ? [[unit, Number(flags[`peak-${unit}`])]] : [])),
  );
  const toggles = flags.toggles?.split(',');
  rows.push(...(await measureOnGpu({ only: flags.only, repeat, toggles, peak })));
} else if (flags.digits) {
  const { digits } = await import('./digits.mjs');
  const { name, software } = await adapterOf('webgpu');
  rows.push(...(await digits(name, software ? softwareTarget : gpuTarget)));
} else {
  if (flags.peers) installPeers();
  const works = select(flags);
  if (flags.target && !targets[flags.target]) throw new Error(`--target is one of ${Object.keys(targets)}`);
  for (const target of flags.target ? [flags.target] : Object.keys(targets)) await time(works, target);
}
save();

/** What WebGPU would run on; WebAssembly runs on the processor. */
async function adapterOf(target) {
  if (target === 'wasm') return { name: `${cpus()[0].model.trim()}, 2 threads` };
  const { adapterInfo } = await requestDevice({ adapter: flags.adapter });
  const { description, device, vendor } = adapterInfo;
  release();
  return { name: description || device || vendor, software: isSoftware(adapterInfo) };
}

/** A row for each program of the examples, beside that of an earlier run with `--against FILE`. */
async function timeExamples(target) {
  const { exampleRows, lineOf } = await import('./examples.mjs');
  const before = flags.against ? JSON.parse(readFileSync(flags.against, 'utf8')) : [];
  const { name, software } = await adapterOf(target);
  console.log(`${target}: ${name}`);
  const device = target === 'wasm' ? undefined : await requestDevice({ adapter: flags.adapter });
  const shaders = device?.features.has('subgroups') ? subgroupTarget : softwareTarget;
  const machine = !device ? wasmTarget : software ? shaders : gpuTarget;
  const how = { device, adapter: name, only: flags.only, ms: Number(flags.ms ?? 200), repeat };
  for await (const row of exampleRows(machine, how)) {
    const old = before.find(r => r.work === row.work && r.target === row.target);
    console.log(lineOf(row, old));
    rows.push(row);
    save();
  }
  release();
}

/** Into a folder of their own, which nothing but the bench reads. */
function installPeers() {
  const cwd = fileURLToPath(new URL('peers/', import.meta.url));
  const installed = `${cwd}node_modules/.package-lock.json`;
  if (existsSync(installed) && statSync(installed).mtimeMs > statSync(`${cwd}package-lock.json`).mtimeMs)
    return;
  // Without the variable, a package tries to fetch CUDA.
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
  execFileSync('npm', ['ci'], { cwd, env, stdio: 'inherit' });
}

async function time(works, target) {
  const { name, software } = await adapterOf(target);
  console.log(`${target}: ${name}`);
  const whos = targets[target].filter(w =>
    flags.who ? flags.who.split(',').includes(w.name) : flags.peers || !w.peer,
  );
  const adapter = software ? 'software' : flags.adapter;
  // Many small works share a process each.
  const workers = flags.random ? new Map() : undefined;
  const ms = Number(flags.ms ?? (flags.random ? 60 : 200));
  const options = { target, adapter, turns: repeat, ms, workers, profile: flags.profile };
  for (const work of works) {
    const able = whos.filter(w => !(work.training && w.infers));
    if (work.fresh) compileAhead(work, target, adapter);
    const entries = await (work.fresh ? measureFresh : measure)(work, able, options);
    const found = entries.map(e => rowOf(work, e, target, name));
    rows.push(...found);
    printRows(work, found);
    save();
  }
  for (const worker of workers?.values() ?? []) worker.end();
  if (flags.random) printRatios(works, rows, target);
  else printSummary(works, rows, target);
}
