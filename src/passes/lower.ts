import type { Dim, DimEnv } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import type { Plan, StateLayout } from '../ir/plan.ts';
import type { Program, Work } from '../ir/program.ts';
import type { Target } from '../ir/target.ts';
import { takingFactors } from '../ir/target-matrices.ts';
import { DiagnosticError } from '../support/diagnostic.ts';
import { aboveMemoryLimit } from '../support/errors/shapes.ts';
import { blockBatch, blocksFit } from './block-batch.ts';
import { named, type PipelineContext } from './context.ts';
import { programTime } from './estimate.ts';
import { joinAxes } from './join-axes.ts';
import { kernelLevel, planLevel, programLevel } from './levels.ts';
import { liveBytes, orderWorks } from './order/index.ts';
import { overwrite } from './overwrite.ts';
import { type Pass, runPass } from './pass.ts';
import { beyondReach } from './plan/reach.ts';
import { planMemory } from './plan-memory.ts';
import { nominal } from './prices.ts';
import { fitInto } from './recompute/index.ts';
import { type KnownWorks, type Scheduled, schedule } from './schedule/index.ts';
import { stage } from './stage.ts';
import { dropUnitAxes } from './unit-axes.ts';
import { winograd } from './winograd/index.ts';

/** What a program became below the graph. */
export interface Lowered {
  readonly program: Program;
  readonly scheduled: readonly Scheduled[];
  readonly plan: Plan;
  /** The most bytes that would live at once in the order of the source, at the sizes for which memory is packed. */
  readonly sourceBytes: number;
  /** Works that run again so that less need be kept; absent where none do. */
  readonly again?: readonly Work[];
}

/** For the sizes where each of `fits` is at least 1. */
export interface ProgramVariant extends Lowered {
  readonly fits: readonly Dim[];
}

export interface Variants {
  /** The same for some sizes alone: the first that fits is taken. Absent where there is none. */
  readonly variants?: readonly ProgramVariant[];
}

const dropping: Pass<Program> = {
  name: 'drop-unit-axes',
  doc: 'Takes axes of one point out of all indices.',
  run: dropUnitAxes,
};

const overwriting: Pass<Program> = {
  name: 'overwrite',
  doc: 'Lets elementwise works write over an input that nothing needs afterwards.',
  run: overwrite,
};

const blocking: Pass<Program> = {
  name: 'block-batch',
  doc: 'Lays tensors out so that the lanes of a vector are examples of the batch.',
  run: blockBatch,
};

const transforming = (target: Target): Pass<Program> => ({
  name: 'winograd',
  doc: 'Takes 3x3 filters of stride 1 through Winograd transforms where that saves time.',
  run: p => winograd(p, target),
});

const joining: Pass<Program> = {
  name: 'join-axes',
  doc: 'Makes one of neighbouring axes that every tensor knows as neighbours.',
  run: joinAxes,
};

const staging = (target: Target): Pass<Program> => ({
  name: 'stage',
  doc: 'Copies operands of reductions into the layout in which vectors read them.',
  run: p => stage(p, target),
});

/** What is known when all programs have been fused. */
export interface LowerContext extends PipelineContext {
  readonly known: KnownWorks;
}

/** A program from its works to its plan; where the size of the batch decides, there is a variant for each. */
export function lowerBest(
  packed: Program,
  layout: StateLayout,
  context: LowerContext,
  name: string,
): Lowered & Variants {
  const own = named(context, name);
  if (context.target.kind === 'gpu') return lowerLean(packed, layout, own, name);
  const rows = runPass(dropping, packed, own, programLevel, programLevel);
  const inRows = arranged(rows, own);
  if (context.target.kind === 'software') return lowerFitting(inRows, layout, own, name);
  const other = named(context, `${name}, batch in blocks`);
  const blocks = runPass(blocking, rows, other, programLevel, programLevel);
  if (blocks === rows) return lowerFitting(inRows, layout, own, name);
  const inBlocks = arranged(blocks, other);
  const pays = context.target.eager || programTime(inBlocks.program) < programTime(inRows.program);
  const fits = blocksFit(rows);
  if (fits.length === 0) return lowerFitting(pays ? inBlocks : inRows, layout, own, name);
  const whole = lowerFitting(inRows, layout, own, name);
  return pays ? { ...whole, variants: [{ fits, ...lowerFitting(inBlocks, layout, other, name) }] } : whole;
}

/** A program, and where it was transformed what it would be otherwise. */
interface Arranged {
  readonly program: Program;
  readonly plain?: () => Program;
}

/** What is done once it is decided how tensors lie. */
function arranged(before: Program, context: PipelineContext): Arranged {
  const { target } = context;
  const passes = [joining, ...(target.kind === 'cpu' ? [staging(target)] : [])];
  const arrange = (program: Program): Program =>
    passes.reduce((p, pass) => runPass(pass, p, context, programLevel, programLevel), program);
  const program = transformed(before, context);
  return { program: arrange(program), ...(program !== before && { plain: () => arrange(before) }) };
}

function transformed(program: Program, context: PipelineContext): Program {
  const { target, exact } = context;
  if (exact) return program;
  const pass = transforming(takingFactors(target, context));
  return runPass(pass, program, context, programLevel, programLevel);
}

/** Where transforms take more memory than there may be, the program as it is without. */
function lowerFitting(
  { program, plain }: Arranged,
  layout: StateLayout,
  context: LowerContext,
  name: string,
): Lowered {
  try {
    return lower(program, layout, context, name);
  } catch (error) {
    if (!plain || !(error instanceof DiagnosticError)) throw error;
    return lower(plain(), layout, context, name);
  }
}

/** Of the most that lives at once what an arena on a GPU may have more. */
const lean = 1.01;

/** On a GPU a transformed program is left as it was, too, where what transforms put in between leaves gaps in the arena. */
function lowerLean(before: Program, layout: StateLayout, context: LowerContext, name: string): Lowered {
  const program = transformed(before, context);
  if (program === before) return lower(program, layout, context, name);
  const made = lowerFitting({ program, plain: () => before }, layout, context, name);
  const { arena, live } = bytesOf(made, context, name);
  if (arena <= lean * live) return made;
  const other = lower(before, layout, context, name);
  return bytesOf(other, context, name).arena < arena ? other : made;
}

/** At the sizes for which memory is packed. */
function bytesOf(
  { program, plan }: Lowered,
  { sizes = {} }: LowerContext,
  name: string,
): { readonly arena: number; readonly live: number } {
  const packed = packedFor(program, sizes, name);
  return { arena: D.evaluate(plan.arenaBytes, packed), live: plan.liveBytes(packed) };
}

/** Kernels for every work, and a place for every tensor. Where there is a limit, results are made again until they fit. */
function lower(unordered: Program, layout: StateLayout, context: LowerContext, name: string): Lowered {
  const { target, memoryLimit, known } = context;
  const machine = takingFactors(target, context);
  const sizes = packedFor(unordered, context.sizes ?? {}, name);
  const ordering: Pass<Program> = {
    name: 'order',
    doc: 'Puts works into an order in which few bytes live at once.',
    run: p => orderWorks(p, sizes),
  };
  const sourceBytes = liveBytes(unordered, sizes);
  const ordered = runPass(ordering, unordered, context, programLevel, programLevel);
  const finish = (given: Program): Lowered => {
    const program = runPass(overwriting, given, context, programLevel, programLevel);
    const scheduled = runPass(
      {
        name: 'schedule',
        doc: 'Gives every work its kernels, chosen for the target.',
        run: p => schedule(p, machine, context.tuned, known),
      },
      program,
      context,
      programLevel,
      kernelLevel,
    );
    const plan = runPass(
      {
        name: 'plan-memory',
        doc: 'Gives every tensor its place and every dispatch its bindings.',
        run: list => planMemory(program, list, layout, { sizes }),
      },
      scheduled,
      context,
      kernelLevel,
      planLevel(layout),
    );
    return { program, scheduled, plan, sourceBytes };
  };
  const made =
    memoryLimit === undefined
      ? finish(ordered)
      : fitInto(
          ordered,
          { bytes: memoryLimit, sizes },
          finish,
          bytes => new DiagnosticError(aboveMemoryLimit(name, memoryLimit, bytes, sizes)),
        );
  const given = context.sizesAreTried ? {} : givenFor(name, context.sizes ?? {}, Object.keys(sizes));
  const beyond = beyondReach(made.plan, layout, target, given);
  if (beyond.length > 0) throw new DiagnosticError(...beyond);
  return made;
}

/** Sizes of the free dims of a program: those given for it or for all, else nominal ones. */
function packedFor({ tensors }: Program, given: DimEnv, name: string): DimEnv {
  const dims = new Set<string>();
  for (const t of tensors) for (const d of t.type.shape) D.symbols(d, dims);
  const known = givenFor(name, given, [...dims]);
  return Object.fromEntries([...dims].map(d => [d, Object.hasOwn(known, d) ? known[d]! : nominal]));
}

function givenFor(name: string, given: DimEnv, dims: readonly string[]): DimEnv {
  const train = name.split('.')[0]!;
  return Object.fromEntries(
    dims.flatMap(d => {
      const key = [`${train}.${d}`, d].find(k => Object.hasOwn(given, k));
      return key === undefined ? [] : [[d, given[key]!]];
    }),
  );
}
