import type { Axis, Compute, Expr, Index, Reduce } from '../ir/compute.ts';
import * as E from '../ir/expr.ts';
import { type Program, storageOf, type Tensor, type Work } from '../ir/program.ts';
import type { TensorType } from '../ir/type.ts';
import { toFloat16 } from '../support/float16.ts';
import { computeLoads, loadsOf, mapCompute } from './fuse/definition.ts';

/**
 * Half precision: tensors between works, and parameters that nothing trains, are kept in f16. Every load widens and
 * every store rounds, so that works compute in f32 as before and half as many bytes move.
 *
 *     x: f32 = f(a: f32, b: f32)   ->   x: f16 = f16(f(f32(a: f16), f32(b: f16)))
 *
 * These stay in f32, whatever their names are, for what they are:
 * - what the host sees: inputs, data, results, metrics;
 * - states, and parameters that a program reads and overwrites (the master weights of a training), together with
 *   all that the work which overwrites them reads beside its reduction: gradients, moments, clipped sums;
 * - results of sums that are neither products of a matrix with another nor sums over windows: losses, statistics of
 *   norms, sums of softmax; and what is computed of such results alone;
 * - what one turn of a loop hands to the next;
 * - what computes a place in memory.
 */
export function narrow(program: Program, isHalf: (path: string) => boolean): Program {
  const half = halves(program, isHalf);
  if (half.size === 0) return program;
  const made = new Map<Tensor, Tensor>();
  const tensorOf = (t: Tensor): Tensor => {
    const known = made.get(t);
    if (known) return known;
    const changed: Tensor = half.has(storageOf(t))
      ? { ...t, type: asHalf(t.type), ...(t.view && { view: tensorOf(t.view) }) }
      : t;
    made.set(t, changed);
    return changed;
  };
  return {
    ...program,
    tensors: program.tensors.map(tensorOf),
    works: program.works.map(work => narrowWork(work, half, tensorOf)),
    outputs: program.outputs.map(o => ({ ...o, tensor: tensorOf(o.tensor) })),
  };
}

/** Parameters of a module that may be kept in f16: those that no program computes out of themselves. */
export function untrained(programs: readonly Program[]): ReadonlySet<string> {
  const params = new Set(
    programs.flatMap(p => p.tensors.flatMap(t => (t.role === 'param' ? [t.path!] : []))),
  );
  for (const { works } of programs) {
    const read = new Set(works.flatMap(w => w.inputs.map(t => storageOf(t).path)));
    for (const t of works.flatMap(w => w.outputs.map(storageOf)))
      if (t.path !== undefined && read.has(t.path)) params.delete(t.path);
  }
  return params;
}

const asHalf = (type: TensorType): TensorType => ({ ...type, dtype: 'f16' });

function narrowWork(work: Work, half: ReadonlySet<Tensor>, tensorOf: (t: Tensor) => Tensor): Work {
  const isHalf = (t: Tensor): boolean => half.has(storageOf(t));
  if (![...work.inputs, ...work.outputs].some(isHalf)) return work;
  const stages = work.region.stages.map(stage => {
    const { inputs, outs, ...rest } = mapCompute(stage, {
      load: (load): Expr =>
        isHalf(work.inputs[load.input]!)
          ? E.cast('f32', {
              ...load,
              dtype: 'f16',
              ...(load.fill !== undefined && { fill: toFloat16(load.fill) }),
            })
          : load,
    });
    return {
      ...rest,
      inputs: inputs.map((type, i) => (isHalf(work.inputs[i]!) ? asHalf(type) : type)),
      outs: outs.map((out, i) =>
        isHalf(work.outputs[i]!) ? { ...out, type: asHalf(out.type), value: E.cast('f16', out.value) } : out,
      ),
    };
  });
  return {
    ...work,
    inputs: work.inputs.map(tensorOf),
    outputs: work.outputs.map(tensorOf),
    region: { ...work.region, stages },
  };
}

/** The storage that becomes f16. */
function halves(program: Program, isHalf: (path: string) => boolean): Set<Tensor> {
  const exact = new Set<Tensor>();
  const keep = (t: Tensor): void => void exact.add(storageOf(t));
  for (const o of program.outputs) if (o.role !== 'update') keep(o.tensor);

  const writers = new Map<Tensor, number>();
  for (const { outputs, inputs, region } of program.works) {
    const [compute] = region.stages;
    if (!compute || region.stages.length > 1) {
      [...inputs, ...outputs].forEach(keep);
      continue;
    }
    const read = new Set(inputs.map(storageOf));
    const written = [...new Set(outputs.map(storageOf))];
    for (const t of written) {
      writers.set(t, (writers.get(t) ?? 0) + 1);
      if (read.has(t)) keep(t);
    }
    const loaded = (exprs: readonly Expr[]): void => {
      for (const load of loadsOf(exprs)) keep(inputs[load.input]!);
    };
    const isKept = (t: Tensor): boolean => (t.role === 'state' || t.role === 'param') && !isHalf(t.path!);
    if (written.some(isKept)) loaded(compute.outs.map(o => o.value));
    loaded(places(compute));
    if (isStatistic(compute)) outputs.forEach(keep);
    else if (!compute.reduce) {
      const sources = computeLoads(compute).map(l => storageOf(inputs[l.input]!));
      const made = sources.filter(t => t.role === 'temporary');
      if (made.length > 0 && made.every(t => exact.has(t))) outputs.forEach(keep);
    }
  }
  for (const [t, count] of writers) if (count > 1) keep(t);

  const found = new Set<Tensor>();
  for (const t of program.tensors) {
    if (t.view || t.within || t.type.dtype !== 'f32' || exact.has(t)) continue;
    if (t.role === 'temporary') found.add(t);
    // An initialiser's graph knows what it sets as states only.
    else if ((t.role === 'param' || t.role === 'state') && isHalf(t.path!)) found.add(t);
  }
  return found;
}

/** Expressions that compute where something is loaded or stored. */
function places(compute: Compute): Expr[] {
  const found: Expr[] = [];
  const visit = (x: Index): void => {
    if (x.kind === 'value') found.push(x.value);
    if (x.kind !== 'op') return;
    visit(x.a);
    visit(x.b);
  };
  for (const load of computeLoads(compute)) load.at.forEach(visit);
  for (const out of compute.outs) out.at?.forEach(visit);
  return found;
}

/** A sum over whole axes whose terms are no products of two factors that depend on different axes of the result. */
function isStatistic({ axes, reduce }: Compute): boolean {
  if (!reduce || isWindow(axes, reduce)) return false;
  const parts = reduce.monoid.parts ?? [reduce.monoid];
  if (parts.every(m => m.name === 'max' || m.name === 'min')) return false;
  const main = reduce.lift.find(e => e.kind === 'binary' && e.op === 'mul');
  if (main?.kind !== 'binary') return true;
  const [left, right] = [outerAxes(main.a, axes), outerAxes(main.b, axes)];
  return left.size === right.size && [...left].every(a => right.has(a));
}

/** Whether every load runs over the folded axes from a place that moves with the result: `x[y * 2 + ky]`. */
function isWindow(axes: readonly Axis[], { axes: folded, lift }: Reduce): boolean {
  const coordinates = loadsOf(lift).flatMap(l => l.at.map(axesOf));
  return folded.every(r => {
    const own = coordinates.filter(c => c.has(r));
    return own.length > 0 && own.every(c => axes.some(a => c.has(a)));
  });
}

function axesOf(index: Index): Set<Axis> {
  const found = new Set<Axis>();
  E.visitIndex(index, { axis: a => void found.add(a) });
  return found;
}

function outerAxes(e: Expr, axes: readonly Axis[]): Set<Axis> {
  const found = new Set<Axis>();
  E.visitExpr(e, { axis: a => void (axes.includes(a) && found.add(a)) });
  return found;
}
