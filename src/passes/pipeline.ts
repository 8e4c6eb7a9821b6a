import * as D from '../ir/dim.ts';
import type { Graph } from '../ir/graph.ts';
import type { Module } from '../ir/module.ts';
import type { StateLayout } from '../ir/plan.ts';
import type { Program, Tensor } from '../ir/program.ts';
import { printType } from '../ir/type.ts';
import { DiagnosticError } from '../support/diagnostic.ts';
import { openSize } from '../support/errors/shapes.ts';
import { canonicalise } from './canonicalise.ts';
import { named, type PipelineContext } from './context.ts';
import { differentiate, differentiateScaled } from './differentiate.ts';
import { eliminate } from './eliminate.ts';
import { fold } from './fold.ts';
import { fuse } from './fuse/index.ts';
import { programLevel } from './levels.ts';
import { type Lowered, lowerBest, type Variants } from './lower.ts';
import { narrow, untrained } from './narrow.ts';
import { pack, packGroups, stateOrder } from './pack.ts';
import { graphLevel, type Pass, runGraphPasses, runPass } from './pass.ts';
import { layoutState } from './plan-memory.ts';
import type { KnownWorks } from './schedule/index.ts';

export type { PipelineContext, StoragePrecision } from './context.ts';
export type { ProgramVariant } from './lower.ts';

/** Graph passes in order; `canonicalise` runs again because folding uncovers more. */
export const graphPasses: readonly Pass<Graph>[] = [
  differentiate,
  canonicalise,
  fold,
  canonicalise,
  eliminate,
];

/** One program with what it became at every level. */
export interface CompiledProgram extends Lowered, Variants {
  readonly name: string;
  readonly graph: Graph;
}

export interface CompiledModule {
  readonly layout: StateLayout;
  /** By name: `NET`, `NET.init`, `TRAIN.step` (or `TRAIN.step:NAME`), `TRAIN.evaluate`, `TRAIN.init`. */
  readonly programs: ReadonlyMap<string, CompiledProgram>;
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
    programs.set(name, { name, graph, ...lowerBest(packed, layout, { ...context, known }, name) });
  }
  return { layout, programs };
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
