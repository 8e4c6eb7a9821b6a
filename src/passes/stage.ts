import * as A from '../ir/affine.ts';
import type { Compute, Index } from '../ir/compute.ts';
import { computeKey } from '../ir/compute-key.ts';
import * as D from '../ir/dim.ts';
import * as E from '../ir/expr.ts';
import { type Program, storageOf, type Tensor, type Work } from '../ir/program.ts';
import type { Target } from '../ir/target.ts';
import { elementCount } from '../ir/type.ts';
import { Recent } from '../support/recent.ts';
import { type Copy, copyType, copyWork, kindOf, type Load, padded, withCopy } from './copies.ts';
import { loadsOf } from './fuse/definition.ts';
import { rankLanes, rankLanesAnew } from './schedule/cpu/choose.ts';
import { nominalValue } from './schedule/grid.ts';
import { trimInputs } from './schedule/split.ts';
import { Temporaries } from './temporaries.ts';

/** Nanoseconds to copy an element as it lies, and into another order. */
const copyPrice = { straight: 0.3, across: 0.9 };

/** Elements of a row of a panel: two vectors. */
const panelWidth = 8;

/** A copy must save this part of the time at least. */
const worthwhile = 0.93;

/**
 * Copies an operand of a reduction where the loops then run so much faster that it pays: with the border around it that
 * guards stand for (`pad`), so that vectors need no masks, or with another dim innermost (`across`), so that they are read
 * whole. What several works want the same way is copied once.
 */
export function stage(program: Program, { eager = false }: Pick<Target, 'eager'> = {}): Program {
  const temporaries = new Temporaries(program);
  const stager = new Stager(program, temporaries, eager);
  const works = program.works.flatMap(work => stager.work(work));
  return { ...program, works, tensors: [...program.tensors, ...temporaries.made] };
}

/** A copy that a work could read, and the work's time then. */
interface Candidate {
  /** Which of the work's distinct loads reads it. */
  readonly load: number;
  readonly copy: Copy;
  readonly time: number;
  /** Nanoseconds to make it. */
  readonly price: number;
}

/** Equal works have the same candidates. */
const candidates = new Recent<readonly Candidate[]>(500);

function candidatesOf(compute: Compute, inputs: readonly Tensor[]): readonly Candidate[] {
  const key = `${inputs.map(t => t.role === 'scalar')} ${computeKey(compute)}`;
  return candidates.of(key, () =>
    distinctLoads(compute).flatMap((load, i) =>
      copiesOf(load, compute, inputs[load.input]!).map((copy): Candidate => {
        const type = copyType(inputs[load.input]!.type, copy);
        const changed = withCopy(compute, load, copy, compute.inputs.length, type);
        const rate = kindOf(copy) === 'across' || copy.phases ? copyPrice.across : copyPrice.straight;
        const price = nominalValue(elementCount(type)) * rate;
        return { load: i, copy, time: rankLanesAnew(changed, false).time, price };
      }),
    ),
  );
}

class Stager {
  readonly #temporaries: Temporaries;
  readonly #eager: boolean;
  /** Copies that hold what their source does, by what they are. */
  readonly #copies = new Map<string, { readonly source: Tensor; readonly copy: Tensor }>();
  #turn = 0;
  /** Tensors that depend on parameters alone, which nothing in the program changes: what is made of them is made once. */
  readonly #constant = new Set<Tensor>();

  constructor({ tensors, works }: Program, temporaries: Temporaries, eager: boolean) {
    this.#temporaries = temporaries;
    this.#eager = eager;
    const written = new Set(works.flatMap(w => w.outputs.map(storageOf)));
    const packs = new Set([...written].filter(t => t.role === 'pack'));
    for (const t of tensors)
      if (t.role === 'param' && !written.has(storageOf(t)) && packs.size === 0)
        this.#constant.add(storageOf(t));
    for (const { inputs, outputs, loop } of works)
      if (!loop && inputs.length > 0 && inputs.every(t => this.#constant.has(storageOf(t))))
        for (const t of outputs) if (t.role === 'temporary') this.#constant.add(t);
  }

  /** A work, after the copies that it needs. */
  work(work: Work): Work[] {
    const result: Work[] = [];
    let current = work;
    const [compute] = work.region.stages;
    if (compute?.reduce && (this.#eager || isLarge(compute)))
      for (let round = 0; round < 2; round++) {
        const better = this.#better(current);
        if (!better) break;
        result.push(...better.copies);
        current = better.work;
      }
    for (const t of work.outputs) this.#forget(storageOf(t));
    return [...result, current];
  }

  #forget(written: Tensor): void {
    for (const [key, { source }] of this.#copies) if (storageOf(source) === written) this.#copies.delete(key);
  }

  /** The copy that saves most, made; undefined where none pays. */
  #better(work: Work): { readonly work: Work; readonly copies: readonly Work[] } | undefined {
    const [compute] = work.region.stages as [Compute];
    const before = rankLanes(compute, false).time;
    const loads = distinctLoads(compute);
    const all = candidatesOf(compute, work.inputs);
    let best: { readonly candidate: Candidate; readonly time: number } | undefined;
    for (const candidate of all) {
      const load = loads[candidate.load]!;
      const source = work.inputs[load.input]!;
      const isFree =
        this.#copies.has(this.#key(source, candidate.copy, load, work)) ||
        this.#constant.has(storageOf(source));
      const time = candidate.time + (isFree ? 0 : candidate.price);
      if (time < worthwhile * (best?.time ?? before)) best = { candidate, time };
    }
    // Every kind has its turn.
    const chosen = this.#eager ? all[this.#turn++ % Math.max(1, all.length)] : best?.candidate;
    if (!chosen) return undefined;
    const { copy } = chosen;
    const load = loads[chosen.load]!;
    const source = work.inputs[load.input]!;
    const key = this.#key(source, copy, load, work);
    const known = this.#copies.get(key);
    const tensor = known?.copy ?? this.#tensor(work, source, copy);
    this.#copies.set(key, { source, copy: tensor });
    const inputs = [...work.inputs, tensor];
    const changed = withCopy(compute, load, copy, compute.inputs.length, tensor.type);
    return {
      work: trimInputs({ ...work, inputs, region: { ...work.region, stages: [changed] } }),
      copies: known ? [] : [copyWork(work, source, tensor, copy, load)],
    };
  }

  #key(source: Tensor, { ranges, order, panel, phases }: Copy, load: Load, { loop }: Work): string {
    const loops = loop ? loop.name : '';
    const places = ranges.map(r => `${r.lo}:${r.extent.key}`).join();
    return `${source.id} ${places} ${order.join()} ${panel ?? ''} ${phases ?? ''} ${load.fill ?? 0} ${loops}`;
  }

  #tensor(work: Work, source: Tensor, copy: Copy): Tensor {
    const name = `${source.name}_${kindOf(copy)}`;
    const tensor = this.#temporaries.make(name, copyType(source.type, copy), work.origin);
    if (this.#constant.has(storageOf(source))) this.#constant.add(tensor);
    return tensor;
  }
}

/** The step, of a few, in which an axis of the outputs goes along a dim. */
function strideOf(x: Index, { axes }: Compute): number | undefined {
  for (const [axis, coefficient] of A.axisCoefficients(x).axes) {
    const step = D.constantValue(coefficient);
    if (axes.includes(axis) && step !== undefined && step >= 2 && step <= 4) return step;
  }
  return undefined;
}

/** Whether a reduction takes so long that a copy may pay. */
function isLarge({ axes, reduce }: Compute): boolean {
  return [...axes, ...reduce!.axes].reduce((n, a) => n * nominalValue(a.extent), 1) > 20_000;
}

function distinctLoads({ reduce }: Compute): Load[] {
  const found = new Map<string, Load>();
  for (const load of loadsOf(reduce!.lift)) found.set(E.exprKey(load), load);
  return [...found.values()];
}

/** The ways in which a load's tensor may be copied. */
function copiesOf(load: Load, compute: Compute, source: Tensor): Copy[] {
  const { shape, dtype } = source.type;
  if (dtype !== 'f32' || shape.length === 0 || source.role === 'scalar') return [];
  const padding = load.guard ? padded(load, shape) : undefined;
  const ranges = padding ?? shape.map(extent => ({ lo: 0, extent }));
  const straight = shape.map((_, i) => i);
  const orders: number[][] = padding ? [straight] : [];
  load.at.forEach((x, d) => {
    if (d === shape.length - 1 || x.kind !== 'axis' || D.isConstant(shape[d]!, 1)) return;
    if (compute.axes.includes(x.axis) || compute.reduce!.axes.includes(x.axis))
      orders.push([...straight.filter(i => i !== d), d]);
  });
  const copies = orders.map((order): Copy => ({ ranges, order, padded: padding !== undefined }));
  for (const order of [straight, ...orders.filter(o => o !== straight)]) {
    const d = order.at(-1)!;
    const x = load.at[d]!;
    const phases = strideOf(x, compute);
    if (phases) copies.push({ ranges, order, padded: padding !== undefined, phases });
    if (shape.length === 1 || x.kind !== 'axis' || !compute.axes.includes(x.axis)) continue;
    const whole = D.divideExact(ranges[d]!.extent, D.constant(panelWidth));
    if (whole && (D.constantValue(whole) ?? 0) > 1)
      copies.push({ ranges, order, padded: padding !== undefined, panel: panelWidth });
  }
  return copies;
}
