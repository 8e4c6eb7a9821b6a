import type { Model } from '../../runtime/plan.ts';
import type { TensorValue, TypedArray } from '../../runtime/tensor.ts';
import { arrayOf } from '../../runtime/tensor.ts';
import type { WasmModel } from '../../runtime/wasm/index.ts';
import { buildModel } from '../../src/codegen/model.ts';
import { buildWasmModel } from '../../src/codegen/wasm-model.ts';
import { GraphBuilder } from '../../src/ir/builder.ts';
import type { Graph } from '../../src/ir/graph.ts';
import type { Plan } from '../../src/ir/plan.ts';
import type { NdArray, Primitive, Sample } from '../../src/ir/primitive.ts';
import type { Target } from '../../src/ir/target.ts';
import { tensor } from '../../src/ir/type.ts';
import { verifyPlan } from '../../src/ir/verify/plan.ts';
import { fuse } from '../../src/passes/fuse/index.ts';
import { layoutState, planMemory } from '../../src/passes/plan-memory.ts';
import { schedule } from '../../src/passes/schedule/index.ts';
import { float16ToNumber, numberToFloat16 } from '../../src/support/float16.ts';

/** A graph of one op: inputs `x0`, `x1`, …, results `y0`, `y1`, …. */
export function graphOfOp(op: Primitive, sample: Sample): Graph {
  const b = new GraphBuilder(op.name);
  const values = sample.inputs.map((x, i) => b.input('input', `x${i}`, tensor(x.dtype, x.shape)));
  b.emitAll(op, values, sample.attrs).forEach((value, i) => {
    b.output({ name: `y${i}`, role: 'result', value });
  });
  return b.build();
}

const noState = layoutState([]);

/** The kernels and the memory of a graph without parameters. */
export function planGraph(graph: Graph, target: Target): Plan {
  const program = fuse(graph, target);
  const plan = planMemory(program, schedule(program, target), noState);
  const problems = verifyPlan(plan, noState);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return plan;
}

/** The same for WebAssembly: one module for all. */
export function wasmModelOf(name: string, plans: Readonly<Record<string, Plan>>): Promise<WasmModel> {
  const programs = Object.entries(plans).map(([key, plan]) => ({ name: key, plan }));
  return buildWasmModel({ kind: 'net', name, programs }, noState);
}

/** Several plans as one model, by name, so that one session runs them all. */
export function modelOf(name: string, plans: Readonly<Record<string, Plan>>): Model {
  const programs = Object.entries(plans).map(([key, plan]) => ({ name: key, plan }));
  return buildModel({ kind: 'net', name, programs }, noState);
}

/** Doubles as the host hands them to the device. */
export function toHost({ dtype, shape, data }: NdArray): { data: TypedArray; shape: readonly number[] } {
  const Data = arrayOf(dtype);
  return { data: Data.from(dtype === 'f16' ? data.map(numberToFloat16) : data), shape };
}

export function fromHost({ dtype, shape, data }: TensorValue): NdArray {
  const values = Float64Array.from(data);
  return { dtype, shape, data: dtype === 'f16' ? values.map(float16ToNumber) : values };
}
