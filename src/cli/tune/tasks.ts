import type { UniformWord } from '../../codegen/wgsl/kernel.ts';
import type { DimEnv } from '../../ir/dim.ts';
import type { Plan } from '../../ir/plan.ts';
import { type Loop, turnsAt, type Work } from '../../ir/program.ts';
import type { Target } from '../../ir/target.ts';
import type { ShapeClass } from '../../ir/tuning.ts';
import type { CompiledProgram } from '../../passes/pipeline.ts';
import { shapeClass } from '../../passes/schedule/shape-class.ts';
import { sizesOf } from '../explain/programs.ts';

/** A work to be measured, with what its kernels need to run. */
export interface Task {
  readonly work: Work;
  readonly shape: ShapeClass;
  /** `fit.step conv1 and 3 more` */
  readonly name: string;
  /** Sizes of the program's free dims. */
  readonly sizes: DimEnv;
  /** The uniform block, and its values. */
  readonly words: readonly UniformWord[];
  readonly uniforms: Readonly<Record<string, number>>;
  /** How often one run of every program comes by, with all works of its class. */
  readonly times: number;
}

/** The works of all programs, one for each class. */
export function tasksOf(programs: Iterable<CompiledProgram>, given: DimEnv, target: Target): Task[] {
  const found = new Map<string, Task & { like: number }>();
  for (const whole of programs)
    for (const { program, plan } of [whole, ...(whole.variants ?? [])]) {
      const sizes = sizesOf(whole, given);
      const turns = (loop: Loop | undefined): number =>
        loop ? turnsAt(sizes)(loop) * turns(loop.parent) : 1;
      for (const work of program.works) {
        const shape = shapeClass(work, target);
        const known = found.get(shape.exact);
        if (known) {
          const like = known.like + 1;
          found.set(shape.exact, { ...known, like, times: known.times + turns(work.loop) });
          continue;
        }
        const name = `${whole.name} ${work.name}`;
        found.set(shape.exact, {
          work,
          shape,
          name,
          sizes,
          ...block(plan, sizes),
          times: turns(work.loop),
          like: 0,
        });
      }
    }
  return [...found.values()].map(({ like, ...task }) =>
    like === 0 ? task : { ...task, name: `${task.name} and ${like} more` },
  );
}

/** Scalars are 1, which nothing that divides by them minds. */
function block({ dims, scalars }: Plan, sizes: DimEnv): Pick<Task, 'words' | 'uniforms'> {
  return {
    words: [...dims.map(name => ({ name, dtype: 'u32' as const })), ...scalars],
    uniforms: { ...Object.fromEntries(scalars.map(s => [s.name, 1])), ...sizes },
  };
}
