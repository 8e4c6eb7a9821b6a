// npm run bench -- --examples: what each program of the examples became, and how long a run takes, in small sizes.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildModel, buildWasmModel, compile, renderDiagnostic, wasmTarget } from 'dnnc';
import { median } from './measure.mjs';

/**
 * Constants as `-D` sets them, free sizes as `--dim` does (N: 8, H and W: 32 where they are not given), and which
 * programs: of a training program its steps, of a net its prediction. Small copies are as deep as the originals.
 */
const examples = [
  { file: 'mlp', sizes: { N: 32 }, programs: ['digits', 'MLP'] },
  { file: 'convnet', sizes: { N: 32 }, programs: ['digits', 'ConvNet'] },
  { file: 'lenet', sizes: { N: 32 }, programs: ['mnist', 'LeNet'] },
  { file: 'autoencoder', sizes: { N: 32 }, programs: ['layer1', 'finetune', 'Stacked'] },
  { file: 'charnn', defines: { Symbols: 64, Width: 64 }, sizes: { T: 16 }, programs: ['text', 'CharRNN'] },
  { file: 'custom', programs: ['fit', 'attack', 'Toy'] },
  { file: 'alexnet', defines: { Slim: 8, Size: 67, Classes: 10 }, programs: ['imagenet', 'AlexNet'] },
  { file: 'nin', defines: { Slim: 4, Size: 32 }, programs: ['cifar', 'NIN'] },
  { file: 'vgg', defines: { Width: 8, Size: 32, Classes: 10 }, programs: ['imagenet', 'VGG16'] },
  {
    file: 'googlenet',
    defines: { Slim: 8, Size: 80, Classes: 10 },
    sizes: { N: 2 },
    programs: ['imagenet', 'GoogLeNet'],
  },
  { file: 'googlenet/inception', defines: { Size: 14 }, sizes: { N: 1 }, programs: ['Naive', 'Reduced'] },
  { file: 'resnet', defines: { Width: 8, Size: 32, Classes: 10 }, programs: ['imagenet', 'ResNet18'] },
  {
    file: 'resnext',
    defines: { Width: 8, Cardinality: 4, Size: 32, Classes: 10 },
    sizes: { N: 2 },
    programs: ['ResNeXt50'],
  },
  { file: 'densenet', defines: { Growth: 8, Size: 32, Classes: 10 }, programs: ['imagenet', 'Small'] },
  { file: 'segnet', defines: { Width: 8, Size: 32 }, sizes: { N: 2 }, programs: ['segment', 'SegNet'] },
  { file: 'unet', defines: { Width: 4, Size: 64, Pad: 1 }, sizes: { N: 2 }, programs: ['segment', 'UNet'] },
  { file: 'dcgan', defines: { Width: 8 }, programs: ['dcgan', 'G'] },
  { file: 'style', defines: { Width: 8 }, sizes: { H: 32, W: 32, Hs: 32, Ws: 32 }, programs: ['stylize'] },
  {
    file: 'transfer',
    defines: { Width: 8, Size: 32, Classes: 10 },
    sizes: { N: 2 },
    programs: ['finetune', 'Flowers'],
  },
  { file: 'yolo', defines: { S: 2, Width: 4, Classes: 3 }, sizes: { N: 2 }, programs: ['detect', 'Yolo'] },
];

const folder = new URL('../examples/', import.meta.url);
const source = path => ({ name: path, text: readFileSync(path, 'utf8') });
const pathOf = ({ file }) =>
  fileURLToPath(new URL(file.includes('/') ? `${file}.dnn` : `${file}/${file}.dnn`, folder));

/** Rows for one target; `device` where it is WebGPU. */
export async function* exampleRows(target, { device, adapter, only, ms = 200, repeat = 5 }) {
  for (const example of examples) {
    if (only && !only.split(',').includes(example.file.split('/').at(-1))) continue;
    const { defines = {}, programs } = example;
    const sizes = { N: 8, H: 32, W: 32, ...example.sizes };
    for (const name of programs) {
      const start = performance.now();
      const { entries, compiled, diagnostics } = compile(source(pathOf(example)), {
        resolve: source,
        defines,
        sizes,
        target,
        // What a training program keeps beside its steps is not timed.
        only: p => p === name || (p.startsWith(`${name}.`) && !p.endsWith('.evaluate')),
      });
      if (!compiled) throw new Error(diagnostics.map(d => renderDiagnostic(d)).join('\n'));
      const compile_ms = performance.now() - start;
      const entry = entries.find(e => e.name === name);
      const machine = await open(target, entry, compiled.layout, device);
      try {
        // What begins as data has not been filled yet.
        const [init] = machine.plansOf('init') ?? [];
        if (init?.inputs.length > 0) await machine.session.run('init', inputsOf(init, sizes), { step: 0 });
        for (const { name: program, plan, variants = [] } of entry.programs) {
          if (program === 'init' || program.startsWith('net:')) continue;
          const plans = [...variants.map(v => v.plan), plan];
          const found = await timed(machine, program, plans, sizes, { ms, repeat });
          yield {
            work: `${example.file.split('/').at(-1)} ${name}${entry.kind === 'net' ? '' : `.${program}`}`,
            who: 'dnnc',
            target: target === wasmTarget ? 'wasm' : 'webgpu',
            adapter,
            sizes: Object.fromEntries(plan.dims.map(d => [d, sizes[d]])),
            ...found,
            compile_ms: +compile_ms.toFixed(0),
          };
        }
      } finally {
        machine.session.dispose();
      }
    }
  }
}

/** A session, and the plans of each of its programs, of which the first that fits runs. */
async function open(target, entry, layout, device) {
  if (target === wasmTarget) {
    const { open } = await import('dnnc/runtime/wasm');
    const model = await buildWasmModel(entry, layout);
    return { session: await open(model), plansOf: name => model.programs[name] };
  }
  const { open } = await import('dnnc/runtime');
  const model = buildModel(entry, layout);
  return { session: await open(model, { device }), plansOf: name => [model.programs[name]] };
}

/** Inputs of a program at these sizes. */
function inputsOf({ dims, inputs }, sizes) {
  const values = dims.map(d => sizes[d]);
  return Object.fromEntries(
    inputs.map(t => {
      const shape = t.shape.map(d =>
        typeof d === 'string' ? sizes[d] : typeof d === 'function' ? d(...values) : d,
      );
      return [
        t.name,
        {
          data: numbers(
            t.dtype,
            shape.reduce((n, d) => n * d, 1),
          ),
          shape,
        },
      ];
    }),
  );
}

async function timed({ session, plansOf }, name, plans, sizes, { ms, repeat }) {
  const models = plansOf(name);
  const values = models[0].dims.map(d => sizes[d]);
  const of = size => (typeof size === 'function' ? size(...values) : size);
  const at = models.findIndex(p => p.fits?.(...values) ?? true);
  const { dispatches, scalars, arenaBytes, prologue = 0, loops = [] } = models[at];
  const times = dispatches.map((_, i) =>
    loops.reduce((n, [from, to, turns]) => (from <= i && i < to ? n * of(turns) : n), 1),
  );
  const fed = inputsOf(models[at], sizes);
  const given = Object.fromEntries(scalars.map(s => [s.name, 1]));
  const run = async () => {
    const start = performance.now();
    await session.run(name, fed, given);
    return performance.now() - start;
  };
  await session.prepare(name, sizes);
  const first_ms = await run();
  const found = [];
  const began = performance.now();
  while (found.length < repeat || performance.now() - began < ms) found.push(await run());
  return {
    dispatches: dispatches.length - prologue,
    dispatches_per_run: times.reduce((n, t, i) => (i < prologue ? n : n + t), 0),
    dispatches_once: prologue,
    kernels: new Set(dispatches.map(d => d.kernel)).size,
    arena_bytes: of(arenaBytes),
    bound_bytes: plans[at].liveBytes(sizes),
    median_ms: +median(found).toFixed(3),
    min_ms: +Math.min(...found).toFixed(3),
    n: found.length,
    first_ms: +first_ms.toFixed(2),
  };
}

/** Numbers between -1 and 1; classes and bytes are 0 and 1. */
function numbers(dtype, n) {
  if (dtype === 'f32') return Float32Array.from({ length: n }, (_, i) => Math.sin(i));
  const arrays = { i32: Int32Array, u32: Uint32Array, u8: Uint8Array, bool: Uint8Array };
  return arrays[dtype].from({ length: n }, (_, i) => i % 2);
}

/** A line for a row; with one from before, what has changed since. */
export function lineOf(row, before) {
  const kib = n => (n / 1024).toFixed(0);
  const cells = [
    [r => r.dispatches_per_run, 6, 'dispatches'],
    [r => r.kernels, 4, 'kernels'],
    [r => kib(r.arena_bytes), 6, 'KiB arena'],
    [r => kib(r.bound_bytes), 6, 'bound'],
    [r => r.median_ms.toFixed(2), 8, 'ms'],
  ];
  const parts = cells.map(([of, width, unit]) => {
    const old = before && String(of(before));
    const now = String(of(row));
    return `${old && old !== now ? `${old} > ` : ''}${now.padStart(width)} ${unit}`;
  });
  return `${row.target.padEnd(6)}  ${row.work.padEnd(24)}  ${parts.join('  ')}`;
}
