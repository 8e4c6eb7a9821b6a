import { open, type Session, type TensorInput } from '../../runtime/index.ts';
import type { Runner } from '../../runtime/loaded.ts';
import type { TensorValue } from '../../runtime/tensor.ts';
import { open as openInWasm } from '../../runtime/wasm/index.ts';
import { buildModel } from '../../src/codegen/model.ts';
import { buildWasmModel } from '../../src/codegen/wasm-model.ts';
import { type Compiled, compile } from '../../src/compile.ts';
import { graphInputs } from '../../src/ir/graph.ts';
import { inferDims, interpretGraph } from '../../src/ir/interpret/graph.ts';
import { interpretProgram } from '../../src/ir/interpret/program.ts';
import { ndarray } from '../../src/ir/ndarray.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import type { Target } from '../../src/ir/target.ts';
import { gpuTarget, wasmTarget } from '../../src/ir/target.ts';
import { Recent } from '../../src/support/recent.ts';
import { renderDiagnostic } from '../../src/support/render.ts';
import { fromHost, toHost } from '../gpu/single-op.ts';

export type Compilation = Required<Compiled>;
export type Arrays = Readonly<Record<string, NdArray>>;

/** Of a case there are a few texts, and several backends for a target. */
const known = new WeakMap<Target, Recent<Compilation>>();

/** Compiles text in which nothing may be wrong, once for a target; of an error it shows the text. */
export function compileText(name: string, text: string, target: Target = gpuTarget): Compilation {
  const recent = known.get(target) ?? new Recent(4);
  known.set(target, recent);
  return recent.of(`${name}\n${text}`, () => compileAnew(name, text, target));
}

function compileAnew(name: string, text: string, target: Target): Compilation {
  const source = { name: `${name}.dnn`, text };
  const result = compile(source, { target });
  const errors = result.diagnostics.filter(d => d.severity === 'error');
  if (errors.length > 0 || !result.compiled)
    throw new Error(`${errors.map(d => renderDiagnostic(d)).join('\n')}\n${text}`);
  return result as Compilation;
}

/** How programs of a compilation are run: `net` once, `training` step by step from given weights. */
export interface Backend {
  readonly name: string;
  readonly target: Target;
  net(compiled: Compilation, inputs: Arrays): Promise<Arrays>;
  /** A net by its name, with weights by path. */
  predict(compiled: Compilation, name: string, inputs: Arrays, weights: Arrays): Promise<Arrays>;
  training(compiled: Compilation, weights: Arrays): Promise<Training>;
}

export interface Training {
  step(data: Arrays): Promise<Arrays>;
  /** Parameters and states by path. */
  state(): Promise<Arrays>;
  close(): void;
}

type Run = (name: string, inputs: Arrays) => { outputs: Map<string, NdArray>; state: Map<string, NdArray> };

/** The graph by its ops' references, in f64. */
function runGraph({ compiled }: Compilation): Run {
  return (name, inputs) => {
    const { graph } = compiled.programs.get(name)!;
    const { outputs } = interpretGraph(graph, inputs);
    const state = graph.outputs.flatMap(o =>
      o.role === 'update' ? [[o.target!, outputs.get(o.name)!] as const] : [],
    );
    return { outputs, state: new Map(state) };
  };
}

/** The works after fusing, or the kernels, in f64. */
function runFused({ compiled }: Compilation, kernels: boolean): Run {
  return (name, inputs) => {
    const { graph, program, scheduled } = compiled.programs.get(name)!;
    const dims = inferDims(graph, inputs);
    return interpretProgram(program, inputs, { dims, ...(kernels && { kernels: scheduled }) });
  };
}

function interpreter(name: string, target: Target, runOf: (c: Compilation) => Run): Backend {
  return {
    name,
    target,
    net: async (compiled, inputs) => Object.fromEntries(runOf(compiled)('Case', inputs).outputs),
    predict: async (compiled, name, inputs, weights) => {
      const used = graphInputs(compiled.compiled.programs.get(name)!.graph).map(i => i.name);
      const all: Arrays = { ...inputs, ...weights };
      return Object.fromEntries(
        runOf(compiled)(name, Object.fromEntries(used.map(n => [n, all[n]!]))).outputs,
      );
    },
    training: async (compiled, weights) => {
      const run = runOf(compiled);
      const key = ndarray('u32', [2], [0, 0]);
      const made = run('fit.init', { key, ...weights }).state;
      let state: Arrays = { ...Object.fromEntries(made), ...weights };
      const scalar = (value: number) => ndarray('f32', [], [value]);
      let iter = 0;
      return {
        step: async data => {
          const hosts = { key, epoch: scalar(0), iter: scalar(iter++) };
          const { graph } = compiled.compiled.programs.get('fit.step')!;
          const all: Arrays = { ...state, ...data, ...hosts };
          const used = graphInputs(graph).map(i => [i.name, all[i.name]!] as const);
          const result = run('fit.step', Object.fromEntries(used));
          state = { ...state, ...Object.fromEntries(result.state) };
          return Object.fromEntries(result.outputs);
        },
        state: async () => state,
        close: () => {},
      };
    },
  };
}

export const graphBackend: Backend = interpreter('interpret', gpuTarget, runGraph);

export const fusedBackend = (target: Target): Backend =>
  interpreter(`interpret, fused for ${target.name}`, target, c => runFused(c, false));

export const kernelBackend = (target: Target): Backend =>
  interpreter(`interpret, kernels for ${target.name}`, target, c => runFused(c, true));

const toInputs = (arrays: Arrays): Record<string, TensorInput> =>
  Object.fromEntries(Object.entries(arrays).map(([name, x]) => [name, toHost(x)]));

const fromOutputs = (values: Readonly<Record<string, TensorValue>>): Arrays =>
  Object.fromEntries(Object.entries(values).map(([name, v]) => [name, fromHost(v)]));

/** The entry of a compilation on a device, as an app would open it. */
export function openEntry(
  { entries, compiled }: Compilation,
  name: string,
  device: GPUDevice,
  options: { weights?: Arrays; seed?: number } = {},
): Promise<Session> {
  const entry = entries.find(e => e.name === name);
  if (!entry) throw new Error(`nothing is called ${name}`);
  const { seed, weights } = options;
  const values = Object.entries(weights ?? {}).map(
    ([n, x]) => [n, { ...toHost(x), dtype: x.dtype }] as const,
  );
  return open(buildModel(entry, compiled.layout), {
    device,
    ...(seed !== undefined && { seed }),
    ...(weights && { weights: Object.fromEntries(values) }),
  });
}

export const deviceBackend = (device: GPUDevice, target: Target): Backend =>
  sessionBackend(`webgpu, kernels for ${target.name}`, target, (compiled, name, options) =>
    openEntry(compiled, name, device, options),
  );

/** In the calling thread, or with another one. */
export const wasmBackend = (threads: number): Backend =>
  sessionBackend('wasm', wasmTarget, async ({ entries, compiled }, name, { weights }) => {
    const entry = entries.find(e => e.name === name)!;
    const values = Object.entries(weights ?? {}).map(
      ([n, x]) => [n, { ...toHost(x), dtype: x.dtype }] as const,
    );
    return openInWasm(await buildWasmModel(entry, compiled.layout), {
      threads,
      ...(weights && { weights: Object.fromEntries(values) }),
    });
  });

function sessionBackend(
  name: string,
  target: Target,
  openProgram: (compiled: Compilation, name: string, options: { weights?: Arrays }) => Promise<Runner>,
): Backend {
  const predict: Backend['predict'] = async (compiled, entry, inputs, weights) => {
    const wanted = new Set(graphInputs(compiled.compiled.programs.get(entry)!.graph).map(i => i.name));
    const own = Object.entries(weights).filter(([n]) => wanted.has(n));
    const session = await openProgram(
      compiled,
      entry,
      own.length > 0 ? { weights: Object.fromEntries(own) } : {},
    );
    try {
      return fromOutputs(await session.run('predict', toInputs(inputs), { step: 0 }));
    } finally {
      session.dispose();
    }
  };
  return {
    name,
    target,
    net: (compiled, inputs) => predict(compiled, 'Case', inputs, {}),
    predict,
    training: async (compiled, weights) => {
      const session = await openProgram(compiled, 'fit', { weights });
      let iter = 0;
      return {
        step: async data => {
          const scalars = { epoch: 0, step: iter, iter: iter++ };
          return fromOutputs(await session.run('step', toInputs(data), scalars));
        },
        state: async () => {
          const read = session.model.state.map(async t => [t.name, fromHost(await session.read(t.name))]);
          return Object.fromEntries(await Promise.all(read)) as Arrays;
        },
        close: () => session.dispose(),
      };
    },
  };
}
