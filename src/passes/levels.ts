import type { Kernel } from '../ir/kernel.ts';
import { hasSameCode } from '../ir/kernel-key.ts';
import type { Plan, StateLayout } from '../ir/plan.ts';
import { printKernel } from '../ir/print/kernel.ts';
import { printPlan } from '../ir/print/plan.ts';
import { printProgram } from '../ir/print/program.ts';
import type { Program } from '../ir/program.ts';
import { verifyKernel } from '../ir/verify/kernel.ts';
import { verifyPlan } from '../ir/verify/plan.ts';
import { verifyProgram } from '../ir/verify/program.ts';
import type { Level } from './pass.ts';
import type { Scheduled } from './schedule/index.ts';

export const programLevel: Level<Program> = { print: printProgram, verify: verifyProgram };

export const kernelLevel: Level<readonly Scheduled[]> = {
  print: list => list.flatMap(s => s.kernels.map(printKernel)).join('\n\n'),
  verify: list =>
    list.flatMap(s =>
      s.kernels.flatMap(k => {
        const like = sound.get(k.body);
        if (like && hasSameCode(like, k) && bindsEachOnce(k)) return [];
        const problems = verifyKernel(k);
        if (problems.length === 0) sound.set(k.body, k);
        return problems.map(p => `kernel ${k.name}: ${p}`);
      }),
    ),
};

/** Kernels that are in order, by their code: works that do the same share it. */
const sound = new WeakMap<Kernel['body'], Kernel>();

const bindsEachOnce = ({ buffers }: Kernel): boolean =>
  new Set(buffers.map(b => b.tensor)).size === buffers.length;

export const planLevel = (layout: StateLayout): Level<Plan> => ({
  print: printPlan,
  verify: plan => verifyPlan(plan, layout),
});
