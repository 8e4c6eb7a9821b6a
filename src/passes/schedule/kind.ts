import type { Compute } from '../../ir/compute.ts';
import type { Kernel } from '../../ir/kernel.ts';
import type { Tensor, Work } from '../../ir/program.ts';
import type { Target } from '../../ir/target.ts';

/** The kernels that one work became, in order, and the tensors that only they use. */
export interface Scheduled {
  readonly kernels: readonly Kernel[];
  readonly temporaries: readonly Tensor[];
}

export type NewTensor = (name: string, type: Tensor['type'], origin: Work['origin']) => Tensor;

/** A work and what its schedule is for. */
export interface Subject {
  readonly work: Work;
  /** Its only stage. */
  readonly compute: Compute;
  readonly target: Target;
}

/** One legal schedule of a work. */
export interface Candidate {
  /** What it is called in tables and reports; axes by their positions, so that equal works have equal texts. */
  readonly text: string;
  /** Those of one family differ in what is tried last. */
  readonly family: string;
  /** Estimated nanoseconds at nominal sizes. */
  readonly time: number;
  make(temporary: NewTensor): Scheduled;
}

/** A way to make kernels of works. */
export interface ScheduleKind {
  /** The first word of its texts. */
  readonly name: string;
  /** What is taken where nothing was measured; undefined where other kinds do better. */
  best(subject: Subject): Candidate | undefined;
  /** All that is legal, in no order. */
  all(subject: Subject): Iterable<Candidate>;
}
