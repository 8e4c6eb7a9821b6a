import type { Graph, OpNode } from '../../src/ir/graph.ts';
import type { Primitive } from '../../src/ir/primitive.ts';
import type { Program } from '../../src/ir/program.ts';
import type { Target } from '../../src/ir/target.ts';
import { primitives } from '../../src/ops/list.ts';
import type { CompiledProgram } from '../../src/passes/pipeline.ts';
import { chooseLaneMap, chooseLanes } from '../../src/passes/schedule/cpu/choose.ts';
import { isInPlace, type Scheduled } from '../../src/passes/schedule/index.ts';
import { classesOf, classOf } from './classes.ts';
import { forms } from './forms.ts';
import { optimiserForms } from './training.ts';

/** What was exercised so often is left to chance. */
const enough = 3;

/** How often what was exercised, by group. */
export class Counts {
  readonly groups = new Map<string, Map<string, number>>();

  add(group: string, name: string, n = 1): void {
    let counts = this.groups.get(group);
    if (!counts) this.groups.set(group, (counts = new Map()));
    counts.set(name, (counts.get(name) ?? 0) + n);
  }

  of(group: string, name: string): number {
    return this.groups.get(group)?.get(name) ?? 0;
  }

  /** What should be exercised, and was not. */
  zeros(): string[] {
    return expected().flatMap(([group, name]) => (this.of(group, name) === 0 ? [`${group}: ${name}`] : []));
  }

  /** What was exercised least, that first; of every group in turn. */
  rarest(): string[] {
    const places = new Map<string, number>();
    return expected()
      .map(([group, name]) => ({ group, name: `${group}: ${name}`, count: this.of(group, name) }))
      .filter(({ count }) => count < enough)
      .map(item => {
        const key = `${item.group} ${item.count}`;
        places.set(key, (places.get(key) ?? 0) + 1);
        // Most ops come with their options, or with others.
        return { ...item, place: places.get(key)! * (item.group === 'op' ? 5 : 1) };
      })
      .sort((a, b) => a.count - b.count || a.place - b.place)
      .map(({ name }) => name);
  }

  print(): string {
    for (const [group, name] of expected()) this.add(group, name, 0);
    return [...this.groups]
      .map(([group, counts]) => {
        const list = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, n]) => `${name} ${n}`);
        return `${group}\n  ${list.join(', ')}`;
      })
      .join('\n');
  }
}

const graphAndGpuPasses = [
  'differentiate',
  'canonicalise',
  'fold',
  'eliminate',
  'fuse',
  'pack',
  'schedule',
  'plan-memory',
];
/** Passes for WebAssembly alone. */
export const wasmPasses: readonly string[] = [
  'drop-unit-axes',
  'block-batch',
  'winograd',
  'join-axes',
  'stage',
];
const schedules = [
  ...['map', 'tile', 'split', 'workgroup', 'workgroup, split'],
  ...['cpu: map of scalars', 'cpu: map of vectors', 'cpu: tiles of scalars'],
  ...['cpu: vectors along the outputs', 'cpu: vectors along the reduction'],
];
const fusions = ['view', 'inline', 'epilogue', 'maps side by side', 'sibling', 'in place', 'pack', 'loop'];

function expected(): [group: string, name: string][] {
  const lowered = primitives.filter(op => op.lower);
  return [
    ...primitives.map((op): [string, string] => ['op', op.name]),
    ...lowered.flatMap(op => optionNames(op).map((name): [string, string] => ['option', name])),
    ...Object.keys(forms).map((name): [string, string] => ['form', name]),
    ...['state', 'several steps', 'steps with every', 'a gradient inside a loss', 'parts of a net'].map(
      (name): [string, string] => ['form', name],
    ),
    ...['scan with lengths', 'scan in reverse', 'gradient of a net'].map((n): [string, string] => [
      'form',
      n,
    ]),
    ...optimiserForms.map((name): [string, string] => ['optimiser', name]),
    ...[...graphAndGpuPasses, ...wasmPasses].map((name): [string, string] => [
      'pass that changed something',
      name,
    ]),
    ...schedules.map((name): [string, string] => ['schedule', name]),
    ...fusions.map((name): [string, string] => ['fusion', name]),
    ...['f32', 'f16', 'i32', 'u32', 'u8', 'bool'].map((name): [string, string] => ['dtype', name]),
    ...['fixed', 'free', '1', 'odd'].map((name): [string, string] => ['size', name]),
  ];
}

function optionName({ op, attrs, inputs }: OpNode, name: string): string {
  return `${op.name}.${name}: ${classOf(op, attrs, inputs[0]?.type.shape.length ?? 0, name)}`;
}

/** Every option of an op in every way that is told apart. */
function optionNames(op: Primitive): string[] {
  return Object.keys(op.attrs).flatMap(name => classesOf(op, name).map(c => `${op.name}.${name}: ${c}`));
}

/** Ops, options, dtypes and sizes of a graph, with those of its loops. */
export function countGraph(counts: Counts, graph: Graph): void {
  for (const node of graph.nodes) {
    for (const { type } of node.outputs) {
      counts.add('dtype', type.dtype);
      for (const { key } of type.shape) {
        counts.add('size', /^\d+$/.test(key) ? 'fixed' : 'free');
        if (key === '1') counts.add('size', '1');
        else if (Number(key) % 2 === 1) counts.add('size', 'odd');
      }
    }
    if (node.kind === 'loop') countGraph(counts, node.body);
    if (node.kind !== 'op') continue;
    counts.add('op', node.op.name.startsWith('op_') ? '(index notation)' : node.op.name);
    for (const name of Object.keys(node.op.attrs))
      if (node.attrs[name] !== undefined) counts.add('option', optionName(node, name));
  }
}

/** What later passes did: fewer works than ops, tensors side by side, kernels, a plan. */
export function countCompiled(
  counts: Counts,
  { graph, program, scheduled, plan, variants = [] }: CompiledProgram,
  target: Target,
): void {
  const changed = (pass: string, holds: boolean): void => {
    if (holds) counts.add('pass that changed something', pass);
  };
  changed('fuse', program.works.length < graph.nodes.filter(n => n.kind !== 'input').length);
  changed(
    'pack',
    program.tensors.some(t => t.role === 'pack'),
  );
  changed(
    'schedule',
    scheduled.some(s => s.kernels.length > 0),
  );
  changed('plan-memory', plan.dispatches.length > 0);
  countProgram(counts, program);
  if (target.kind === 'cpu')
    for (const p of [program, ...variants.map(v => v.program)]) countLanes(counts, p);
  else countKernels(counts, program, scheduled);
}

/** What kind of fusion made the works of a program, told from the works. */
function countProgram(counts: Counts, { tensors, works }: Program): void {
  const fusion = (name: string, holds: boolean): void => {
    if (holds) counts.add('fusion', name);
  };
  for (const t of tensors) {
    fusion('view', t.view !== undefined);
    fusion('pack', t.role === 'pack');
  }
  for (const { region, absorbed, inputs, outputs, loop } of works) {
    const compute = region.stages[0]!;
    const { reduce, outs } = compute;
    fusion('loop', loop !== undefined);
    fusion('inline', !reduce && outs.length === 1 && absorbed.length > 1);
    fusion('epilogue', reduce !== undefined && outs.some(o => o.value.kind !== 'reduced'));
    fusion('maps side by side', !reduce && outs.length > 1);
    fusion('sibling', (reduce?.lift.length ?? 0) > 1 || outs.some(o => o.keep));
    fusion(
      'in place',
      outputs.some(t => inputs.includes(t)),
    );
  }
}

function countLanes(counts: Counts, { works }: Program): void {
  for (const work of works) {
    const compute = work.region.stages[0]!;
    const lane = compute.reduce ? chooseLanes(compute, isInPlace(work)).lane : chooseLaneMap(compute).lane;
    const name = !compute.reduce
      ? `map of ${lane ? 'vectors' : 'scalars'}`
      : !lane
        ? 'tiles of scalars'
        : `vectors along the ${compute.axes.includes(lane) ? 'outputs' : 'reduction'}`;
    counts.add('schedule', `cpu: ${name}`);
  }
}

function countKernels(counts: Counts, program: Program, scheduled: readonly Scheduled[]): void {
  scheduled.forEach(({ kernels, temporaries }, i) => {
    const shared = kernels.some(k => k.shared.length > 0);
    const split = temporaries.length > 0;
    const map = !program.works[i]!.region.stages[0]!.reduce;
    const name = map ? 'map' : shared ? (split ? 'workgroup, split' : 'workgroup') : split ? 'split' : 'tile';
    counts.add('schedule', name);
  });
}
