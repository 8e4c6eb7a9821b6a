import type { DimEnv } from '../ir/dim.ts';
import type { Target } from '../ir/target.ts';
import type { Tuned } from '../ir/tuning.ts';
import type { PassContext } from './pass.ts';

/** What tensors are kept in between works: see `narrow`. */
export type StoragePrecision = 'f32' | 'f16';

export interface PipelineContext extends PassContext {
  readonly target: Target;
  /** `f32` where absent. */
  readonly precision?: StoragePrecision;
  /** Sizes of free dims for which memory is packed, by name or by `train.name`; nominal ones for others. */
  readonly sizes?: DimEnv;
  /** Whoever gives the sizes finds out for himself whether a device has room for them. */
  readonly sizesAreTried?: boolean;
  /** Bytes that the arena of each program may take at those sizes; as many as it wants where absent. */
  readonly memoryLimit?: number;
  /** No transforms that save products and lose digits. */
  readonly exact?: boolean;
  /** Factors in f32 may be taken as two numbers in f16. */
  readonly splitProducts?: boolean;
  /** Only these programs; all where absent. */
  readonly only?: (name: string) => boolean;
  /** Schedules that were measured. */
  readonly tuned?: Tuned;
}

/** Watchers are told which program a printed pass belongs to. */
export function named<C extends PipelineContext>(context: C, program: string): C {
  const { watch } = context;
  return watch ? { ...context, watch: (pass, text) => watch(pass, `// ${program}\n${text}`) } : context;
}
