import { gpuBackend, wasmBackend } from '../../src/cli/backend.ts';
import { type Compiled, check, compile } from '../../src/compile.ts';
import type { DimEnv } from '../../src/ir/dim.ts';
import * as D from '../../src/ir/dim.ts';
import type { Graph, OpNode } from '../../src/ir/graph.ts';
import { graphInputs } from '../../src/ir/graph.ts';
import { interpretGraph } from '../../src/ir/interpret/graph.ts';
import { interpretProgram } from '../../src/ir/interpret/program.ts';
import type { Module } from '../../src/ir/module.ts';
import { ndarray, size } from '../../src/ir/ndarray.ts';
import { type FindOp, readGraph } from '../../src/ir/parse/graph.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import { printGraph } from '../../src/ir/print/graph.ts';
import type { Precision } from '../../src/ir/scalar.ts';
import { gpuTarget, softwareTarget, subgroupTarget, type Target, wasmTarget } from '../../src/ir/target.ts';
import { isFloat } from '../../src/ir/type.ts';
import { verifyGraph } from '../../src/ir/verify/graph.ts';
import { primitive } from '../../src/ops/list.ts';
import { differentiateGraph } from '../../src/passes/differentiate.ts';
import { type CompiledProgram, graphPasses, moduleGraphs } from '../../src/passes/pipeline.ts';
import { type Counts, countCompiled, countGraph, wasmPasses } from './counts.ts';
import { onDevice } from './device.ts';
import { randomFrom } from './random.ts';
import { differenceOf, isUnsteady, type Steadiness, steadiness } from './tolerance.ts';

export type Arrays = Readonly<Record<string, NdArray>>;
/** Runs one program of a module by its name. */
type Run = (name: string, graph: Graph, inputs: Arrays) => { outputs: Arrays; state: Arrays };

/** What is checked of a text: that every level, for every target, WebAssembly, and a device if there is one, agree with its graphs. */
export interface Subject {
  readonly text: string;
  readonly sizes: readonly DimEnv[];
  readonly seed: number;
  /** From when on (as `performance.now` has it) nothing more is compared. */
  readonly until?: number;
}

/** A way in which levels disagree; `where` names it in a few words that stay the same while the case shrinks. */
export class Disagreement extends Error {
  readonly where: string;
  constructor(where: string, message: string) {
    super(`${where}: ${message}`);
    this.where = where;
  }
}

/** What pays for large works alone, for small ones too. */
export const eagerTarget: Target = { ...wasmTarget, name: 'wasm, eagerly', eager: true };
const steps = 3;
/** The seed that random numbers of programs begin with. */
export const key = 7;

/** That WebAssembly gives what the graphs do, for each of the targets; nothing in between is looked at. */
export async function agreeInWasm(
  { text, sizes, seed }: Subject,
  forWasm: readonly Target[],
  counts: Counts,
): Promise<void> {
  const source = { name: 'wasm.dnn', text };
  const compilations = forWasm.map(target => ({
    target,
    made: compiled(source, target, countRewrites(counts)),
  }));
  for (const { target, made } of compilations)
    for (const program of made.compiled.programs.values()) countCompiled(counts, program, target);
  for (const [i, dims] of sizes.entries()) {
    const scenario = scenarioOf(compilations[0]!.made.module, dims, seed);
    const compare = comparison(scenario.module, dims, scenario, counts);
    for (const [k, { target, made }] of compilations.entries()) {
      const threads = 1 + ((i + k) % 2);
      const outcome = await onDevice(wasmBackend(threads), made, scenario);
      compare(`${target.name}, ${threads} threads`, outcome, 'device');
    }
  }
}

type Compare = (where: string, outcome: Arrays, kind: 'f64' | 'device') => void;

/** Compares with what the graphs give, where that is steady. */
function comparison(
  module: Module,
  dims: DimEnv,
  scenario: ReturnType<typeof scenarioOf>,
  counts: Counts,
): Compare {
  const plain = new Map(moduleGraphs(module).map(([name, g]) => [name, differentiateGraph(g).graph]));
  const base = scenario.run(byGraph(plain, 'f64'));
  const steady = steadiness(
    base,
    scenario.run(byGraph(plain, 'f32')),
    scenario.moved.run(byGraph(plain, 'f64')),
  );
  count(counts, steady);
  return (where, outcome, kind) => {
    for (const [name, expected] of Object.entries(base)) {
      if (isUnsteady(steady.get(name)!)) continue;
      const wrong = differenceOf(outcome[name], expected, steady.get(name)!, kind);
      if (wrong) throw new Disagreement(where, `${name}, ${JSON.stringify(dims)}: ${wrong}`);
    }
  };
}

/** Throws `Disagreement`, or whatever a level throws. */
export async function agree(subject: Subject, counts: Counts, device?: GPUDevice): Promise<void> {
  const source = { name: 'fuzz.dnn', text: subject.text };
  const { module, diagnostics } = check(source);
  const errors = diagnostics.filter(d => d.severity === 'error');
  if (!module) throw new Disagreement(`rejected ${errors[0]?.code}`, errors.map(d => d.message).join('\n'));
  for (const [, graph] of moduleGraphs(module)) {
    countGraph(counts, graph);
    readsBack(graph);
    countPasses(graph, counts);
  }
  const forWasm = subject.seed % 3 === 0 ? wasmTarget : eagerTarget;
  // Software adapters with and without shared loads differ in little else: they take turns.
  const software = subject.seed % 2 === 0 ? softwareTarget : subgroupTarget;
  const targets: readonly Target[] = [software, gpuTarget, forWasm];
  const compilations = targets.map(target => ({
    target,
    ...compiled(source, target, target.kind === 'cpu' ? countRewrites(counts) : undefined),
  }));
  for (const {
    target,
    compiled: { programs },
  } of compilations)
    for (const made of programs.values()) countCompiled(counts, made, target);
  const late = (): boolean => {
    const cut = performance.now() > (subject.until ?? Infinity);
    if (cut) counts.add('compared', 'left out: no time');
    return cut;
  };
  for (const dims of subject.sizes) {
    if (late()) return;
    const scenario = scenarioOf(module, dims, subject.seed);
    const compare = comparison(module, dims, scenario, counts);
    for (const { target, compiled: made } of compilations) {
      if (late()) return;
      const { programs } = made;
      const graphs = new Map([...programs].map(([name, p]) => [name, p.graph]));
      if (target === software) compare('passes on the graph', scenario.run(byGraph(graphs, 'f64')), 'f64');
      const fused =
        (kernels: boolean): Run =>
        (name, graph, inputs) => {
          const { program, scheduled } = planFor(programs.get(name)!, dims);
          const own = only(graphs.get(name) ?? graph, inputs);
          const result = interpretProgram(program, own, { dims, ...(kernels && { kernels: scheduled }) });
          return { outputs: Object.fromEntries(result.outputs), state: Object.fromEntries(result.state) };
        };
      compare(`fuse for ${target.name}`, scenario.run(fused(false)), 'f64');
      if (late()) return;
      compare(`schedule for ${target.name}`, scenario.run(fused(true)), 'f64');
    }
    if (late()) return;
    const threads = 1 + (subject.seed % 2);
    counts.add('device', `${forWasm.name}, ${threads} threads`);
    compare(
      `WebAssembly, kernels for ${forWasm.name}`,
      await onDevice(wasmBackend(threads), compilations.find(c => c.target === forWasm)!, scenario),
      'device',
    );
    if (late()) return;
    if (device && !subject.text.includes('f16')) {
      const forDevice = compilations.filter(c => c.target !== forWasm);
      const { target, ...compilation } = forDevice[subject.seed % forDevice.length]!;
      counts.add('device', target.name);
      const outcome = await onDevice(gpuBackend(device), compilation, scenario);
      compare(`WebGPU, kernels for ${target.name}`, outcome, 'device');
    }
  }
}

/** What runs for these sizes. */
const planFor = (made: CompiledProgram, dims: DimEnv): Pick<CompiledProgram, 'program' | 'scheduled'> =>
  made.variants?.find(({ fits }) => fits.every(d => D.evaluate(d, dims) >= 1)) ?? made;

/** Counts the passes for WebAssembly that changed something: those whose text is not that of the pass before. */
function countRewrites(counts: Counts): Watch {
  const before = new Map<string, string>();
  return (pass, text) => {
    const end = text.indexOf('\n');
    const [name, body] = [text.slice(0, end), text.slice(end)];
    const known = before.get(name) ?? before.get(name.replace(blocks, ''));
    if (known !== undefined && wasmPasses.includes(pass) && known !== body)
      counts.add('pass that changed something', pass);
    before.set(name, body);
  };
}

const blocks = ', batch in blocks';
type Watch = (pass: string, text: string) => void;

function compiled(source: { name: string; text: string }, target: Target, watch?: Watch): Required<Compiled> {
  const result = compile(source, { target, ...(watch && { watch }) });
  const errors = result.diagnostics.filter(d => d.severity === 'error');
  if (!result.compiled)
    throw new Disagreement(`not compiled ${errors[0]?.code}`, errors.map(d => d.message).join('\n'));
  return result as Required<Compiled>;
}

function count(counts: Counts, steady: ReadonlyMap<string, Steadiness>): void {
  for (const s of steady.values())
    counts.add('compared', isUnsteady(s) ? 'left out: at a kink, or far from any number' : 'yes');
}

/** Each pass over a graph, in their order: whether it changed anything. */
function countPasses(graph: Graph, counts: Counts): void {
  let before = graph;
  for (const pass of graphPasses) {
    const after = pass.run(before, { diagnostics: [] });
    if (printGraph(after) !== printGraph(before)) counts.add('pass that changed something', pass.name);
    before = after;
  }
}

function readsBack(graph: Graph): void {
  const problems = verifyGraph(graph);
  if (problems.length > 0) throw new Disagreement('verify', problems.join('\n'));
  const text = printGraph(graph);
  const again = printGraph(readGraph(text, opsOf(graph)));
  if (again !== text.replace(/ {3}\/\/ .*$/gm, ''))
    throw new Disagreement('print and read', `${text}\n${again}`);
}

/** Ops in index notation are in no list: they are those of the graph itself. */
function opsOf(graph: Graph): FindOp {
  const own = new Map<string, OpNode[]>();
  const collect = (g: Graph): void => {
    for (const node of g.nodes)
      if (node.kind === 'loop') collect(node.body);
      else if (node.kind === 'op' && !primitive(node.op.name))
        own.set(node.op.name, [...(own.get(node.op.name) ?? []), node]);
  };
  collect(graph);
  return (name, attrs) => {
    const found = own.get(name);
    return primitive(name) ?? (found?.find(n => attrs?.definition === n.attrs.definition) ?? found?.[0])?.op;
  };
}

const only = (graph: Graph, all: Arrays): Arrays =>
  Object.fromEntries(graphInputs(graph).map(i => [i.name, all[i.name]!]));

function byGraph(graphs: ReadonlyMap<string, Graph>, precision: Precision): Run {
  return (name, _, inputs) => {
    const graph = graphs.get(name)!;
    const { outputs } = interpretGraph(graph, only(graph, inputs), { precision });
    const [plain, state]: Record<string, NdArray>[] = [{}, {}];
    for (const o of graph.outputs)
      (o.role === 'update' ? state! : plain!)[o.target ?? o.name] = outputs.get(o.name)!;
    return { outputs: plain!, state: state! };
  };
}

/** What is run with a module: its numbers, and the order of its programs. */
export interface Scenario {
  readonly module: Module;
  /** Parameters and states at the beginning, by path; found by `run`. */
  readonly weights: Arrays;
  readonly data: readonly Arrays[];
  run(run: Run): Arrays;
}

/** Numbers for a module at some sizes, and the same ones moved a little. */
function scenarioOf(module: Module, dims: DimEnv, seed: number): Scenario & { readonly moved: Scenario } {
  const random = randomFrom(seed ^ 0x51ed);
  const graphs = new Map(moduleGraphs(module));
  const inputs = new Map([...graphs.values()].flatMap(g => graphInputs(g).map(i => [i.name, i] as const)));
  const arrays = (roles: readonly string[]): Arrays =>
    Object.fromEntries(
      [...inputs.values()]
        .filter(i => roles.includes(i.role))
        .map(({ name, role, outputs: [{ type }] }) => {
          const shape = type.shape.map(d => D.evaluate(d, dims));
          const value = (): number => {
            if (role === 'state')
              return type.dtype === 'f32' ? Math.fround(0.1 + random.next()) : random.below(3);
            if (isFloat(type.dtype)) return Math.fround(random.next() * 3 - 1.5);
            if (type.dtype === 'bool') return random.below(2);
            return random.below(19) - (type.dtype === 'i32' ? 9 : 0);
          };
          return [name, ndarray(type.dtype, shape, Array.from({ length: size(shape) }, value))];
        }),
    );
  const weights = arrays(['param', 'state']);
  const data = Array.from({ length: module.trains.length > 0 ? steps : 1 }, () => arrays(['input', 'data']));
  const made = (w: Arrays, d: readonly Arrays[]): Scenario => ({
    module,
    weights: w,
    data: d,
    run: run => runAll(module, graphs, run, w, d),
  });
  const shift = (list: Arrays): Arrays =>
    Object.fromEntries(
      Object.entries(list).map(([name, x]) => [
        name,
        isFloat(x.dtype) ? { ...x, data: x.data.map(v => v * (1 + 1e-9 * (random.next() - 0.5))) } : x,
      ]),
    );
  return { ...made(weights, data), moved: made(shift(weights), data.map(shift)) };
}

const scalar = (value: number): NdArray => ndarray('f32', [], [value]);

/** Every net's prediction and first values; of a training program three steps, and the states after them. */
function runAll(
  module: Module,
  graphs: ReadonlyMap<string, Graph>,
  run: Run,
  weights: Arrays,
  data: readonly Arrays[],
): Arrays {
  const found: Record<string, NdArray> = {};
  const hosts = (step: number): Arrays => ({
    key: ndarray('u32', [2], [key, step]),
    epoch: scalar(0),
    iter: scalar(step),
  });
  const record = (prefix: string, list: Arrays): void => {
    for (const [name, x] of Object.entries(list)) found[`${prefix}${name}`] = x;
  };
  const go = (name: string, state: Arrays, step: number) =>
    run(name, graphs.get(name)!, { ...state, ...data[step]!, ...hosts(step) });
  for (const train of module.trains) {
    record('init ', go(`${train.name}.init`, weights, 0).state);
    let state = weights;
    data.forEach((_, step) => {
      for (const s of train.steps.filter(x => step % x.every === 0)) {
        const result = go(`${train.name}.${s.name}`, state, step);
        record(`step ${step} `, result.outputs);
        state = { ...state, ...result.state };
      }
    });
    record('after ', Object.fromEntries(Object.entries(state)));
    record('evaluate ', go(`${train.name}.evaluate`, weights, 0).outputs);
  }
  if (module.trains.length > 0) return found;
  for (const net of module.nets) {
    record('init ', go(`${net.name}.init`, {}, 0).state);
    record('', go(net.name, weights, 0).outputs);
  }
  return found;
}
