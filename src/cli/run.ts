import { dirname } from 'node:path';
import { convertFloats, type TensorValue, writeWeights } from '../../runtime/index.ts';
import type { Module, Net } from '../ir/module.ts';
import { requireKernels } from './adapter.ts';
import { type BackendOptions, openBackend } from './backend.ts';
import { exitCode, onDevice, unknownName } from './errors.ts';
import { ensureFolder, readTensors, writeAtomically } from './files.ts';
import { expandGraph, initialState, inputsOf, interpret, stateOf } from './graphs.ts';
import type { Io } from './io.ts';
import { type Checked, loadCompiled, loadModule, withDiagnostics } from './load.ts';
import { declaredWeights, othersIn } from './net-weights.ts';
import type { RunTarget, SourceOptions } from './options.ts';
import { note, type OutputOptions } from './output.ts';
import { fromArray, matchTensors, type Tensors, toArray, withFloatsOf } from './tensors.ts';

export interface RunOptions extends SourceOptions, OutputOptions {
  readonly net: string;
  readonly weights?: string;
  readonly inputs: string;
  readonly outputs: string;
  readonly target: RunTarget;
  readonly threads?: number;
  readonly seed: number;
}

/** `dnnc run FILE --net NAME`: one inference, tensors in and out by name. */
export async function runCommand(path: string, options: RunOptions, io: Io): Promise<number> {
  requireKernels(options.precision, options.target);
  const { target } = options;
  const outputs = await (target === 'interpret'
    ? runInterpreted(path, options, io)
    : runCompiled(path, { ...options, target }, io));
  const file = options.outputs.endsWith('.png')
    ? (await import('./pictures.ts')).contactSheet(outputs)
    : writeWeights(outputs);
  ensureFolder(dirname(options.outputs));
  writeAtomically(options.outputs, file);
  const types = Object.entries(outputs).map(([name, { dtype, shape }]) => [name, { dtype, shape }] as const);
  io.json?.set({ net: options.net, file: options.outputs, outputs: Object.fromEntries(types) });
  for (const [name, { dtype, shape }] of types)
    note(io, `${name}: ${dtype}${shape.length === 0 ? '' : `[${shape.join(', ')}]`}\n`);
  return exitCode.fine;
}

type Outputs = Record<string, TensorValue>;

async function runInterpreted(path: string, options: RunOptions, io: Io): Promise<Outputs> {
  const checked = loadModule(path, options, io);
  const { file } = checked;
  const net = findNet(checked.module, options.net);
  const { inputs, weights, dims } = readArguments(checked, net, options);
  const predict = withDiagnostics(file, io, () => expandGraph(net.predict));
  const asArrays = (tensors: Tensors) => [...tensors].map(([name, value]) => [name, toArray(value)] as const);
  // Without a file, or where the program names one for a part of it, the rest begins as in a training.
  const complete = stateOf([net.predict, net.init]).every(s => weights.has(s.name));
  const state = [
    ...(complete ? [] : withDiagnostics(file, io, () => initialState(expandGraph(net.init), options.seed))),
    ...asArrays(weights),
  ];
  const results = interpret(
    predict,
    new Map([...asArrays(inputs), ...state]),
    { seed: options.seed, step: 0, epoch: 0 },
    dims,
  );
  return Object.fromEntries(
    net.predict.outputs.filter(o => o.role === 'result').map(o => [o.name, fromArray(results.get(o.name)!)]),
  );
}

async function runCompiled(path: string, options: RunOptions & BackendOptions, io: Io): Promise<Outputs> {
  // Wrong arguments are found before a device is looked for.
  const loaded = loadModule(path, options, io);
  const net = findNet(loaded.module, options.net);
  const { inputs, weights } = readArguments(loaded, net, options);
  const backend = await openBackend(options);
  try {
    if (!options.quiet) io.err(`adapter: ${backend.name}\n`);
    io.json?.set({ adapter: backend.name });
    const names = new Set([net.name, `${net.name}.init`]);
    const { entries, compiled } = loadCompiled(path, options, io, {
      target: backend.target,
      only: name => names.has(name),
      checked: true,
    });
    const entry = entries.find(e => e.kind === 'net' && e.name === net.name)!;
    return await onDevice(async () => {
      const { session, model } = await backend.open(entry, compiled.layout, known => ({
        seed: options.seed,
        ...(weights.size > 0 && {
          weights: convertFloats(Object.fromEntries(weights), known),
          extra: true,
          partial: true,
        }),
      }));
      try {
        const [program] = model.programs.predict!;
        const used = program!.inputs.flatMap(({ name }) => [[name, inputs.get(name)!] as const]);
        const scalars = { step: 0, iter: 0, epoch: 0 };
        const wanted = Object.entries(scalars).filter(([name]) =>
          program!.scalars.some(s => s.name === name),
        );
        return await session.run('predict', Object.fromEntries(used), Object.fromEntries(wanted));
      } finally {
        session.dispose();
      }
    });
  } finally {
    backend.close();
  }
}

function findNet(module: Module, name: string): Net {
  const found = module.nets.find(n => n.name === name);
  if (!found)
    throw unknownName(
      'net',
      name,
      module.nets.map(n => n.name),
    );
  return found;
}

interface Arguments {
  readonly inputs: Tensors;
  /** The net's own, from --weights or from the files that the program names; the others come from `init`. */
  readonly weights: Tensors;
  readonly dims: Readonly<Record<string, number>>;
}

function readArguments(
  { module, file }: Checked,
  net: Net,
  { inputs: from, weights: path }: RunOptions,
): Arguments {
  const inputs = withFloatsOf(inputsOf(net.predict, 'input'), readTensors(from));
  const dims = matchTensors(`net ${net.name}`, inputsOf(net.predict, 'input'), inputs);
  const own = stateOf([net.predict, net.init]);
  if (path === undefined) return { inputs, dims, weights: declaredWeights(module, file, own) };
  const all = withFloatsOf(own, readTensors(path));
  matchTensors(`net ${net.name}`, own, all, othersIn(module));
  return { inputs, dims, weights: new Map(own.map(({ name }) => [name, all.get(name)!])) };
}
