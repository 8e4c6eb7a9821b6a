import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readSource } from '../src/cli/files.ts';
import { stateOf } from '../src/cli/graphs.ts';
import { declaredWeights } from '../src/cli/net-weights.ts';
import { toArray } from '../src/cli/tensors.ts';
import { check } from '../src/compile.ts';
import { evaluate } from '../src/ir/dim.ts';
import type { Graph, InputNode } from '../src/ir/graph.ts';
import { graphInputs } from '../src/ir/graph.ts';
import { inferDims, interpretGraph } from '../src/ir/interpret/graph.ts';
import { interpretProgram } from '../src/ir/interpret/program.ts';
import type { Module } from '../src/ir/module.ts';
import { ndarray, size } from '../src/ir/ndarray.ts';
import type { NdArray } from '../src/ir/primitive.ts';
import { softwareTarget, type Target, wasmTarget } from '../src/ir/target.ts';
import { printType } from '../src/ir/type.ts';
import { format } from '../src/parser/format/index.ts';
import { differentiateGraph } from '../src/passes/differentiate.ts';
import {
  type CompiledModule,
  compileModule,
  moduleGraphs,
  type ProgramVariant,
} from '../src/passes/pipeline.ts';
import { renderDiagnostic } from '../src/support/render.ts';

/** Cases of the language, a folder each; `cases/features/README.md` says what `expected.json` holds. */
const folder = fileURLToPath(new URL('cases/features', import.meta.url));

type Nested = number | boolean | readonly Nested[];
type Tensors = Readonly<Record<string, Nested>>;

interface Run {
  readonly inputs: Tensors;
  readonly params?: Tensors;
  readonly seed?: number;
  readonly outputs: Tensors;
}

interface Training {
  readonly start?: Tensors;
  readonly batches: readonly {
    readonly data: Tensors;
    readonly epoch?: number;
    readonly metrics?: Tensors;
    readonly state?: Tensors;
    /** Which steps ran; all where it does not say. */
    readonly steps?: readonly string[];
  }[];
  readonly evaluate?: { readonly data: Tensors; readonly metrics: Tensors };
}

interface Expected {
  /** How the numbers are known. */
  readonly because: string;
  readonly define?: Readonly<Record<string, number | boolean | string>>;
  /** What the compiler warns of, on purpose. */
  readonly warnings?: readonly string[];
  readonly types?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly runs?: Readonly<Record<string, readonly Run[]>>;
  readonly trains?: Readonly<Record<string, Training>>;
}

type Arrays = Readonly<Record<string, NdArray>>;
/** Results and metrics by name, parameters and states by path. */
type Outcome = ReadonlyMap<string, NdArray>;
type Execute = (program: string, arrays: Arrays) => Outcome;

const leaves = (value: Nested): (number | boolean)[] =>
  typeof value === 'object' ? value.flatMap(leaves) : [value];

/** Numbers in brackets, as deep as there are axes; a program's own type says the dtype. */
function arrayOf(value: Nested, dtype: NdArray['dtype'] = 'f32'): NdArray {
  const shape: number[] = [];
  for (let v = value; typeof v === 'object'; v = v[0]!) shape.push(v.length);
  const flat = leaves(value);
  if (flat.length !== size(shape)) throw new Error(`${JSON.stringify(value)} is no tensor`);
  return ndarray(dtype, shape, flat.map(Number));
}

function arraysFor(graph: Graph, given: Arrays | Tensors, host: Record<string, number>): Arrays {
  const arrays: Record<string, NdArray> = {};
  for (const { name, role, outputs } of graphInputs(graph)) {
    const value: NdArray | Nested | undefined = given[name];
    const { dtype } = outputs[0].type;
    if (role === 'key') arrays[name] = ndarray('u32', [2], [host.seed ?? 0, host.iter ?? 0]);
    else if (role === 'scalar') arrays[name] = ndarray(dtype, [], [host[name]!]);
    else if (value === undefined) throw new Error(`${graph.name} reads ${name}, which is not given`);
    else arrays[name] = typeof value === 'object' && 'data' in value ? value : arrayOf(value, dtype);
  }
  return arrays;
}

/** Programs by name on the graph's interpreter, and on that of the kernels of the compiled program. */
function executors(module: Module): Record<string, Execute> {
  const graphs = new Map(moduleGraphs(module));
  return {
    'as written': (name, arrays) => {
      const graph = graphs.get(name)!;
      const { outputs } = interpretGraph(differentiateGraph(graph).graph, arrays);
      return new Map(graph.outputs.map(o => [o.target ?? o.name, outputs.get(o.name)!]));
    },
    compiled: kernelsOf(module, graphs, softwareTarget),
    'compiled for WebAssembly': kernelsOf(module, graphs, wasmTarget),
  };
}

/** The kernels for a target, interpreted: in doubles, so that numbers are those of hand. */
function kernelsOf(module: Module, graphs: ReadonlyMap<string, Graph>, target: Target): Execute {
  let compiled: CompiledModule | undefined;
  return (name, arrays) => {
    compiled ??= compileModule(module, { target, diagnostics: [] });
    const made = compiled.programs.get(name)!;
    const dims = inferDims(graphs.get(name)!, arrays);
    const fits = (v: ProgramVariant): boolean => v.fits.every(d => evaluate(d, dims) >= 1);
    const { program, scheduled } = made.variants?.find(fits) ?? made;
    const { outputs, state } = interpretProgram(program, arrays, { dims, kernels: scheduled });
    return new Map([...outputs, ...state]);
  };
}

function compare(what: string, actual: NdArray | undefined, expected: Nested): void {
  if (!actual) throw new Error(`${what} is missing`);
  const wanted = arrayOf(expected, actual.dtype);
  const near = (x: number): number => Number(x.toPrecision(7));
  expect({
    what,
    shape: actual.shape,
    data: [...actual.data].map(x => (Math.abs(x) < 1e-9 ? 0 : near(x))),
  }).toEqual({
    what,
    shape: wanted.shape,
    data: [...wanted.data].map(x => near(x) + 0),
  });
}

function runNet(module: Module, execute: Execute, name: string, run: Run, loaded: Arrays): void {
  const net = module.nets.find(n => n.name === name);
  if (!net) throw new Error(`there is no net ${name}`);
  const host = { seed: run.seed ?? 0 };
  const first = Object.fromEntries(execute(`${name}.init`, arraysFor(net.init, {}, host)));
  const params = Object.fromEntries(Object.entries(run.params ?? {}).map(([path, v]) => [path, arrayOf(v)]));
  const inputs = arraysFor(
    net.predict,
    { ...first, ...loaded, ...params, ...typed(net.predict, run.inputs) },
    host,
  );
  const outcome = execute(name, inputs);
  expect([...outcome.keys()]).toEqual(Object.keys(run.outputs));
  for (const [output, value] of Object.entries(run.outputs))
    compare(`${name}: ${output}`, outcome.get(output), value);
}

function typed(graph: Graph, tensors: Tensors): Record<string, NdArray> {
  const types = new Map(graphInputs(graph).map((n: InputNode) => [n.name, n.outputs[0].type.dtype]));
  return Object.fromEntries(Object.entries(tensors).map(([name, v]) => [name, arrayOf(v, types.get(name))]));
}

function runTraining(
  module: Module,
  execute: Execute,
  name: string,
  { start, batches, evaluate }: Training,
): void {
  const train = module.trains.find(t => t.name === name);
  if (!train) throw new Error(`there is no training program ${name}`);
  let state: Record<string, NdArray> = Object.fromEntries(
    execute(`${name}.init`, arraysFor(train.init, {}, { seed: 0 })),
  );
  for (const path of Object.keys(start ?? {})) expect(Object.keys(state)).toContain(path);
  state = { ...state, ...Object.fromEntries(Object.entries(start ?? {}).map(([k, v]) => [k, arrayOf(v)])) };
  for (const [iter, batch] of batches.entries()) {
    const outcome = new Map<string, NdArray>();
    const ran: string[] = [];
    for (const step of train.steps) {
      if (iter % step.every !== 0) continue;
      ran.push(step.name.replace('step:', ''));
      const host = { seed: 0, iter, epoch: batch.epoch ?? 0 };
      const results = execute(
        `${name}.${step.name}`,
        arraysFor(step.graph, { ...state, ...typed(step.graph, batch.data) }, host),
      );
      for (const [key, value] of results) outcome.set(key, value);
      for (const { target } of step.graph.outputs)
        if (target !== undefined) state[target] = results.get(target)!;
    }
    if (batch.steps) expect(ran).toEqual(batch.steps);
    const where = `${name}, batch ${iter}`;
    for (const [metric, value] of Object.entries(batch.metrics ?? {}))
      compare(`${where}: ${metric}`, outcome.get(metric), value);
    for (const [path, value] of Object.entries(batch.state ?? {}))
      compare(`${where}: ${path}`, state[path], value);
  }
  if (!evaluate) return;
  const data = typed(train.evaluate, evaluate.data);
  const outcome = execute(
    `${name}.evaluate`,
    arraysFor(train.evaluate, { ...state, ...data }, { iter: 0, epoch: 0 }),
  );
  expect([...outcome.keys()].sort()).toEqual(Object.keys(evaluate.metrics).sort());
  for (const [metric, value] of Object.entries(evaluate.metrics))
    compare(`${name}, evaluate: ${metric}`, outcome.get(metric), value);
}

/** Inputs, parameters, states, results and metrics of a program, with their types. */
function typesOf(graph: Graph): Record<string, string> {
  const of: [string, string][] = [
    ...graphInputs(graph)
      .filter(n => n.role !== 'scalar' && n.role !== 'key')
      .map((n): [string, string] => [n.name, printType(n.outputs[0].type)]),
    ...graph.outputs
      .filter(o => o.role !== 'update')
      .map((o): [string, string] => [`-> ${o.name}`, printType(o.value.type)]),
  ];
  return Object.fromEntries(of);
}

describe.each(readdirSync(folder).filter(name => existsSync(join(folder, name, 'case.dnn'))))('%s', name => {
  const file = join(folder, name, 'case.dnn');
  const text = readFileSync(file, 'utf8');
  const expected: Expected = JSON.parse(readFileSync(join(folder, name, 'expected.json'), 'utf8'));
  const source = readSource(file);
  const { module, diagnostics } = check(source.source, {
    resolve: source.resolve,
    defines: expected.define ?? {},
  });

  test('is without errors and warnings, and says how its numbers are known', () => {
    const unexpected = diagnostics.filter(
      d => !(d.severity === 'warning' && expected.warnings?.includes(d.code)),
    );
    expect(unexpected.map(d => renderDiagnostic(d)).join('\n')).toBe('');
    expect(expected.warnings ?? []).toEqual(diagnostics.map(d => d.code));
    expect(expected.because.length).toBeGreaterThan(10);
    expect(text.startsWith('// ')).toBe(true);
    expect(format({ name, text }).text).toBe(text);
  });

  if (!module) return;
  if (expected.types)
    test.each(Object.entries(expected.types))('types of %s', (program, types) => {
      const graph = new Map(moduleGraphs(module)).get(program);
      if (!graph) throw new Error(`there is no program ${program}`);
      expect(typesOf(graph)).toEqual(types);
    });

  const runs = executors(module);
  const loaded = (): Arrays => {
    const specs = stateOf(module.nets.map(n => n.predict));
    return Object.fromEntries([...declaredWeights(module, source, specs)].map(([k, v]) => [k, toArray(v)]));
  };
  for (const [how, execute] of Object.entries(runs)) {
    for (const [net, list] of Object.entries(expected.runs ?? {}))
      test.each(list.map((run, i) => [i, run] as const))(`${net}, ${how}, run %i`, (_, run) => {
        runNet(module, execute, net, run, loaded());
      });
    for (const [train, what] of Object.entries(expected.trains ?? {}))
      test(`${train}, ${how}`, () => runTraining(module, execute, train, what));
  }

  test('checks something', () => {
    const parts = [expected.types, expected.runs, expected.trains].flatMap(p => Object.keys(p ?? {}));
    expect(parts.length).toBeGreaterThan(0);
  });
});
