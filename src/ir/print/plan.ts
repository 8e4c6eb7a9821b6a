import { place } from '../../support/source.ts';
import * as D from '../dim.ts';
import { bufferUses } from '../kernel-access.ts';
import type { Binding, Plan, PlanTensor, StateLayout } from '../plan.ts';
import { printType } from '../type.ts';

/**
 * A plan as text: what the host gives and takes, the blocks of the arena with the dispatches they live for, the
 * dispatches with what they bind.
 *
 *     plan LeNet.predict(N) {
 *       arena 22272*N bytes
 *       input x: f32[N, 1, 28, 28] at 0
 *       block conv at 3328*N, 18816*N bytes, dispatches 0..1
 *       0 conv [24*N groups of 64]: read x at 0, read LeNet_conv_weight at state 0, write conv at 3328*N   // lenet.dnn:6:8
 *     }
 */
export function printPlan(plan: Plan): string {
  const scalars = plan.scalars.map(s => `${s.name}: ${s.dtype}`);
  const lines = [
    `arena ${D.print(plan.arenaBytes)} bytes`,
    ...(plan.constantBytes ? [`constants ${D.print(plan.constantBytes)} bytes`] : []),
    ...plan.positive.map(d => `needs ${D.print(d)} >= 1`),
    ...plan.inputs.map(printTensor),
    ...plan.blocks.map(
      b =>
        `block ${b.tensor.name} at ${D.print(b.offset)}, ${D.print(b.bytes)} bytes, dispatches ${b.from}..${b.to}`,
    ),
    ...plan.dispatches.map(({ name, origin, kernel, bindings }, i) => {
      const { name: shared, groups, workgroupSize, buffers } = plan.kernels[kernel]!;
      const { reads, writes } = bufferUses(plan.kernels[kernel]!);
      const bound = bindings.map((b, j) => {
        const buffer = buffers[j]?.name ?? '';
        const use = writes.has(buffer) ? (reads.has(buffer) ? 'update' : 'write') : 'read';
        return `${use} ${printBinding(b)}`;
      });
      const by = name === shared ? '' : ` by ${shared}`;
      const from = origin.span ? `   // ${place(origin.span)}` : '';
      return `${i} ${name}${by} [${D.print(groups)} groups of ${workgroupSize}]: ${bound.join(', ')}${from}`;
    }),
    ...(plan.prologue ? [`dispatches 0..${plan.prologue - 1} where parameters have changed`] : []),
    ...plan.loops.map(l => `dispatches ${l.from}..${l.to - 1} ${D.print(l.loop.steps)} times`),
    ...plan.outputs.map(printTensor),
  ];
  return `plan ${plan.name}(${[...plan.dims, ...scalars].join(', ')}) {\n${lines.map(l => `  ${l}\n`).join('')}}`;
}

/** The state buffer, a line for each parameter and state. */
export function printLayout(layout: StateLayout): string {
  const lines = layout.tensors.map(
    t => `  ${t.role} ${JSON.stringify(t.name)}: ${t.dtype}[${t.shape.join(', ')}] at ${t.offset}\n`,
  );
  return `state of ${layout.bytes} bytes {\n${lines.join('')}}`;
}

function printTensor({ role, name, type, offset }: PlanTensor): string {
  return `${role} ${name}: ${printType(type)} at ${D.print(offset)}`;
}

function printBinding({ tensor, buffer, offset }: Binding): string {
  return `${tensor.name} at ${buffer === 'arena' ? '' : `${buffer} `}${D.print(offset)}`;
}
