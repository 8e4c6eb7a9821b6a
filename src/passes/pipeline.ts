import type { Dim, DimEnv } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import type { Graph } from '../ir/graph.ts';
import type { Kernel } from '../ir/kernel.ts';
import { hasSameCode } from '../ir/kernel-key.ts';
import type { Module } from '../ir/module.ts';
import type { Plan, StateLayout } from '../ir/plan.ts';
import { printKernel } from '../ir/print/kernel.ts';
import { printPlan } from '../ir/print/plan.ts';
import { printProgram } from '../ir/print/program.ts';
import type { Program, Tensor, Work } from '../ir/program.ts';
import type { Target } from '../ir/target.ts';
import { takingFactors } from '../ir/target-matrices.ts';
import type { Tuned } from '../ir/tuning.ts';
import { printType } from '../ir/type.ts';
import { verifyKernel } from '../ir/verify/kernel.ts';
import { verifyPlan } from '../ir/verify/plan.ts';
import { verifyProgram } from '../ir/verify/program.ts';
import { DiagnosticError } from '../support/diagnostic.ts';
import { aboveMemoryLimit, openSize } from '../support/errors/shapes.ts';
import { blockBatch, blocksFit } from './block-batch.ts';
import { canonicalise } from './canonicalise.ts';
import { differentiate, differentiateScaled } from './differentiate.ts';
import { eliminate } from './eliminate.ts';
import { programTime } from './estimate.ts';
import { fold } from './fold.ts';
import { fuse } from './fuse/index.ts';
import { joinAxes } from './join-axes.ts';
import { narrow, untrained } from './narrow.ts';
import { liveBytes, orderWorks } from './order/index.ts';
import { overwrite } from './overwrite.ts';
import { pack, packGroups, stateOrder } from './pack.ts';
import { graphLevel, type Level, type Pass, type PassContext, runGraphPasses, runPass } from './pass.ts';
import { beyondReach } from './plan/reach.ts';
import { layoutState, planMemory } from './plan-memory.ts';
import { nominal } from './prices.ts';
import { fitInto } from './recompute/index.ts';
import { type KnownWorks, type Scheduled, schedule } from './schedule/index.ts';
import { stage } from './stage.ts';
import { dropUnitAxes } from './unit-axes.ts';
import { winograd } from './winograd/index.ts';

const programLevel: Level<Program> = { print: printProgram, verify: verifyProgram };

const kernelLevel: Level<readonly Scheduled[]> = {
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

const planLevel = (layout: StateLayout): Level<Plan> => ({
  print: printPlan,
  verify: plan => verifyPlan(plan, layout),
});

/** Graph passes in order; `canonicalise` runs again because folding uncovers more. */
export const graphPasses: readonly Pass<Graph>[] = [
  differentiate,
  canonicalise,
  fold,
  canonicalise,
  eliminate,
];

/** What a program became below the graph. */
interface Lowered {
  readonly program: Program;
  readonly scheduled: readonly Scheduled[];
  readonly plan: Plan;
  /** The most bytes that would live at once in the order of the source, at the sizes for which memory is packed. */
  readonly sourceBytes: number;
  /** Works that run again so that less need be kept; absent where none do. */
  readonly again?: readonly Work[];
}

/** One program with what it became at every level. */
export interface CompiledProgram extends Lowered {
  readonly name: string;
  readonly graph: Graph;
  /** The same for some sizes alone: the first that fits is taken. Absent where there is none. */
  readonly variants?: readonly ProgramVariant[];
}

/** For the sizes where each of `fits` is at least 1. */
export interface ProgramVariant extends Lowered {
  readonly fits: readonly Dim[];
}

export interface CompiledModule {
  readonly layout: StateLayout;
  /** By name: `NET`, `NET.init`, `TRAIN.step` (or `TRAIN.step:NAME`), `TRAIN.evaluate`, `TRAIN.init`. */
  readonly programs: ReadonlyMap<string, CompiledProgram>;
}

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

/** The graphs of a module by the names of their programs. */
export function moduleGraphs(module: Module): [string, Graph][] {
  return [
    ...module.trains.flatMap((t): [string, Graph][] => [
      ...t.steps.map((s): [string, Graph] => [`${t.name}.${s.name}`, s.graph]),
      [`${t.name}.evaluate`, t.evaluate],
      [`${t.name}.init`, t.init],
    ]),
    ...module.nets.flatMap((n): [string, Graph][] => [
      [n.name, n.predict],
      [`${n.name}.init`, n.init],
    ]),
  ];
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

/** From graphs to plans: every pass, each verified. All programs of a module share one layout of the state buffer. */
export function compileModule(module: Module, context: PipelineContext): CompiledModule {
  const { target, precision = 'f32' } = context;
  const before = precision === 'f16' ? graphPasses.with(0, differentiateScaled) : graphPasses;
  const graphs = moduleGraphs(module).filter(([name]) => context.only?.(name) ?? true);
  const wide = graphs.map(([name, source]) => {
    const own = named(context, name);
    const graph = runGraphPasses(before, source, own);
    const pass: Pass<Graph, Program> = {
      name: 'fuse',
      doc: 'Lowers every node to a Compute and fuses them into works.',
      run: g => fuse(g, target),
    };
    return { name, own, graph, program: runPass(pass, graph, own, graphLevel, programLevel) };
  });

  const half = precision === 'f16' ? untrained(wide.map(f => f.program)) : undefined;
  const narrowed: Pass<Program> = {
    name: 'narrow',
    doc: 'Keeps tensors between works in f16.',
    run: p => narrow(p, path => half!.has(path)),
  };
  const fused = half
    ? wide.map(f => ({ ...f, program: runPass(narrowed, f.program, f.own, programLevel, programLevel) }))
    : wide;

  const tensors = fused.flatMap(f => f.program.tensors);
  requireSizes(tensors);
  const layout = layoutState(
    stateOrder(
      fused.flatMap(f => packGroups(f.program)),
      tensors,
    ).map(t => ({ name: t.path!, role: t.role as 'param' | 'state', type: t.type })),
  );

  const programs = new Map<string, CompiledProgram>();
  const known: KnownWorks = new Map();
  for (const { name, own, graph, program } of fused) {
    const packed = runPass(
      {
        name: 'pack',
        doc: 'Joins equal elementwise works over tensors that lie side by side.',
        run: p => pack(p, layout, target.maxStorageBufferBindingSize),
      },
      program,
      own,
      programLevel,
      programLevel,
    );
    programs.set(name, { name, graph, ...planned(packed, layout, { ...context, known }, name) });
  }
  return { layout, programs };
}

/** What is known when all programs have been fused. */
interface LowerContext extends PipelineContext {
  readonly known: KnownWorks;
}

/** A program from its works to its plan; where the size of the batch decides, there is a variant for each. */
function planned(
  packed: Program,
  layout: StateLayout,
  context: LowerContext,
  name: string,
): Lowered & Pick<CompiledProgram, 'variants'> {
  const own = named(context, name);
  if (context.target.kind === 'gpu') return lowerLean(packed, layout, own, name);
  const rows = runPass(dropping, packed, own, programLevel, programLevel);
  const fitting = (made: Program, from: Program, how: LowerContext): Lowered =>
    lowerFitting(made, () => arranged(from, { ...how, exact: true }), layout, how, name);
  if (context.target.kind === 'software') return fitting(arranged(rows, own), rows, own);
  const blocks = runPass(
    blocking,
    rows,
    named(context, `${name}, batch in blocks`),
    programLevel,
    programLevel,
  );
  const inRows = arranged(rows, own);
  if (blocks === rows) return fitting(inRows, rows, own);
  const other = named(context, `${name}, batch in blocks`);
  const inBlocks = arranged(blocks, other);
  const pays = context.target.eager || programTime(inBlocks) < programTime(inRows);
  const fits = blocksFit(rows);
  if (fits.length === 0) return pays ? fitting(inBlocks, blocks, other) : fitting(inRows, rows, own);
  const whole = fitting(inRows, rows, own);
  return pays ? { ...whole, variants: [{ fits, ...fitting(inBlocks, blocks, other) }] } : whole;
}

/** What is done once it is decided how tensors lie. */
function arranged(program: Program, context: PipelineContext): Program {
  const { target } = context;
  const passes = [joining, ...(target.kind === 'cpu' ? [staging(target)] : [])];
  return passes.reduce(
    (p, pass) => runPass(pass, p, context, programLevel, programLevel),
    transformed(program, context),
  );
}

function transformed(program: Program, context: PipelineContext): Program {
  const { target, exact } = context;
  if (exact) return program;
  const pass = transforming(takingFactors(target, context));
  return runPass(pass, program, context, programLevel, programLevel);
}

/** Where transforms take more memory than there may be, the program as it is without. */
function lowerFitting(
  program: Program,
  plain: () => Program,
  layout: StateLayout,
  context: LowerContext,
  name: string,
): Lowered {
  try {
    return lower(program, layout, context, name);
  } catch (error) {
    if (context.exact || !(error instanceof DiagnosticError)) throw error;
    return lower(plain(), layout, context, name);
  }
}

/** Of the most that lives at once what an arena on a GPU may have more. */
const lean = 1.01;

/** On a GPU a transformed program is left as it was, too, where what transforms put in between leaves gaps in the arena. */
function lowerLean(plain: Program, layout: StateLayout, context: LowerContext, name: string): Lowered {
  const program = transformed(plain, context);
  const made = lowerFitting(program, () => plain, layout, context, name);
  const { arena, live } = bytesOf(made, context, name);
  if (program === plain || arena <= lean * live) return made;
  const other = lower(plain, layout, context, name);
  return bytesOf(other, context, name).arena < arena ? other : made;
}

function bytesOf({ program, plan }: Lowered, { sizes = {} }: LowerContext, name: string) {
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

/** One layout serves all runs, so what is kept between runs has a size that is known here. */
function requireSizes(tensors: readonly Tensor[]): void {
  const open = new Map<string, Tensor>();
  for (const role of ['param', 'state'])
    for (const t of tensors) {
      const names = [...t.type.shape.reduce((all, d) => D.symbols(d, all), new Set<string>())].join();
      if (t.role === role && names !== '' && !open.has(names)) open.set(names, t);
    }
  if (open.size === 0) return;
  throw new DiagnosticError(
    ...[...open].map(([names, t]) => openSize(t.origin.span, t.path!, printType(t.type), names.split(','))),
  );
}

/** Watchers are told which program a printed pass belongs to. */
function named<C extends PipelineContext>(context: C, program: string): C {
  const { watch } = context;
  return watch ? { ...context, watch: (pass, text) => watch(pass, `// ${program}\n${text}`) } : context;
}
