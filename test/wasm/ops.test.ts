import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WasmEntry } from '../../src/codegen/wasm/module.ts';
import { GraphBuilder } from '../../src/ir/builder.ts';
import * as D from '../../src/ir/dim.ts';
import { interpretKernel } from '../../src/ir/interpret/kernel.ts';
import type { Primitive, Sample } from '../../src/ir/primitive.ts';
import type { Program, Tensor } from '../../src/ir/program.ts';
import { storageOf } from '../../src/ir/program.ts';
import { applyCast } from '../../src/ir/scalar.ts';
import { wasmTarget } from '../../src/ir/target.ts';
import { elementCount, isFloat, tensor } from '../../src/ir/type.ts';
import { primitives } from '../../src/ops/list.ts';
import { fuse } from '../../src/passes/fuse/index.ts';
import { schedule } from '../../src/passes/schedule/index.ts';
import { type Buffers, WasmKernels } from './run.ts';

/** Set DNNC_SEED to repeat a failure, DNNC_RUNS to look harder. */
const seed = Number(process.env.DNNC_SEED ?? Date.now() % 2 ** 31);
const numRuns = Number(process.env.DNNC_RUNS ?? 15);

function programOf(op: Primitive, sample: Sample): Program {
  const b = new GraphBuilder(op.name);
  const values = sample.inputs.map((x, i) => b.input('input', `x${i}`, tensor(x.dtype, x.shape)));
  b.emitAll(op, values, sample.attrs).forEach((value, i) => {
    b.output({ name: `y${i}`, role: 'result', value });
  });
  return fuse(b.build(), wasmTarget);
}

/** Elements of every tensor, as on the device: an empty one has an element too. */
function memoryOf({ tensors }: Program, sample: Sample): (t: Tensor) => Float64Array {
  const storage = new Map<Tensor, Float64Array>();
  const of = (t: Tensor): Float64Array => {
    const root = storageOf(t);
    const length = D.evaluate(elementCount(root.type));
    if (root.within) return of(root.within.pack).subarray(root.within.offset, root.within.offset + length);
    const known = storage.get(root) ?? new Float64Array(Math.max(1, length));
    storage.set(root, known);
    return known;
  };
  for (const t of tensors)
    if (t.path?.startsWith('x') && t.role === 'input')
      of(t).set(sample.inputs[Number(t.path.slice(1))]!.data.map(x => stored(x, t)));
  return of;
}

const stored = (x: number, { type }: Tensor): number =>
  isFloat(type.dtype) ? applyCast(x, type.dtype, 'f32') : x;

/** All samples in one module; each kernel gets what the interpreter's kernels before it have made. */
async function check(op: Primitive, samples: readonly Sample[]): Promise<void> {
  const programs = samples.map(sample => programOf(op, sample));
  const scheduled = programs.map(p => schedule(p, wasmTarget).flatMap(s => s.kernels));
  const entries: WasmEntry[] = scheduled.flat().map(kernel => ({ kernel, uniforms: [] }));
  const kernels = await WasmKernels.of(entries);
  let index = 0;
  samples.forEach((sample, n) => {
    const memory = memoryOf(programs[n]!, sample);
    for (const kernel of scheduled[n]!) {
      const copy = (): Buffers =>
        Object.fromEntries(kernel.buffers.map(b => [b.name, memory(b.tensor).slice()]));
      const [mine, exact] = [copy(), copy()];
      kernels.run(index++, mine);
      interpretKernel(kernel, exact, {}, 'f64');
      const single = Object.fromEntries(kernel.buffers.map(b => [b.name, memory(b.tensor)]));
      interpretKernel(kernel, single, {}, 'f32');
      for (const { name, dtype } of kernel.buffers) {
        const scale = Math.max(1, ...single[name]!.map(Math.abs).filter(Number.isFinite));
        const within = dtype === 'f16' ? 2e-3 : dtype === 'f32' ? 2e-6 : 0;
        compare(`${kernel.name}: ${name}`, mine[name]!, single[name]!, within, 1);
        if (isFloat(dtype))
          compare(`${kernel.name}: ${name} in f64`, mine[name]!, exact[name]!, 20 * within, scale);
      }
    }
  });
}

function compare(what: string, got: Float64Array, want: Float64Array, within: number, scale: number): void {
  const bad = want.findIndex((w, i) => {
    const g = got[i]!;
    return !(g === w || Object.is(g, w) || Math.abs(g - w) <= within * Math.max(scale, Math.abs(w)));
  });
  if (bad >= 0) throw new Error(`${what}[${bad}] is ${got[bad]}, not ${want[bad]}`);
}

describe('kernels in WebAssembly', () => {
  const lowered = primitives.filter(op => op.lower && op.samples);
  test.each(lowered.map(op => [op.name, op] as const))('%s', async (_, op) => {
    const samples = fc.sample(op.samples!(fc), { seed, numRuns });
    try {
      await check(op, samples);
    } catch (error) {
      throw new Error(`${(error as Error).message} (DNNC_SEED=${seed})`, { cause: error });
    }
  });
  test('there are many', () => expect(lowered.length).toBeGreaterThan(50));
});
