import type { Compute } from '../ir/compute.ts';
import * as D from '../ir/dim.ts';
import * as E from '../ir/expr.ts';
import { type Program, storageOf, type Tensor, type Work } from '../ir/program.ts';
import { elementCount } from '../ir/type.ts';
import { type Copy, copyType, copyWork, kindOf, type Load, padded, withCopy } from './copies.ts';
import { loadsOf } from './fuse/definition.ts';
import { rankLanes } from './schedule/cpu/choose.ts';
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
export function stage(program: Program): Program {
  const temporaries = new Temporaries(program);
  const stager = new Stager(program, temporaries);
  const works = program.works.flatMap(work => stager.work(work));
  return { ...program, works, tensors: [...program.tensors, ...temporaries.made] };
}

class Stager {
  readonly #temporaries: Temporaries;
  /** Copies that hold what their source does, by what they are. */
  readonly #copies = new Map<string, { readonly source: Tensor; readonly copy: Tensor }>();
  /** Tensors that depend on parameters alone, which nothing in the program changes: what is made of them is made once. */
  readonly #constant = new Set<Tensor>();

  constructor({ tensors, works }: Program, temporaries: Temporaries) {
    this.#temporaries = temporaries;
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
    if (compute?.reduce && isLarge(compute))
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
    let best: { time: number; load: Load; copy: Copy; changed: Compute } | undefined;
    for (const load of distinctLoads(compute))
      for (const copy of copiesOf(load, compute, work.inputs[load.input]!)) {
        const source = work.inputs[load.input]!;
        const type = copyType(source.type, copy);
        const changed = withCopy(compute, load, copy, compute.inputs.length, type);
        const isMade = this.#copies.has(this.#key(source, copy, load, work));
        const elements = nominalValue(elementCount(type));
        const price =
          isMade || this.#constant.has(storageOf(source))
            ? 0
            : kindOf(copy) === 'across'
              ? copyPrice.across
              : copyPrice.straight;
        const time = rankLanes(changed, false).time + elements * price;
        if (time < worthwhile * (best?.time ?? before)) best = { time, load, copy, changed };
      }
    if (!best) return undefined;
    const source = work.inputs[best.load.input]!;
    const key = this.#key(source, best.copy, best.load, work);
    const known = this.#copies.get(key);
    const tensor = known?.copy ?? this.#tensor(work, source, best.copy);
    this.#copies.set(key, { source, copy: tensor });
    const inputs = [...work.inputs, tensor];
    return {
      work: trimInputs({ ...work, inputs, region: { ...work.region, stages: [best.changed] } }),
      copies: known ? [] : [copyWork(work, source, tensor, best.copy, best.load)],
    };
  }

  #key(source: Tensor, { ranges, order, panel }: Copy, load: Load, { loop }: Work): string {
    const loops = loop ? loop.name : '';
    const places = ranges.map(r => `${r.lo}:${r.extent.key}`).join();
    return `${source.id} ${places} ${order.join()} ${panel ?? ''} ${load.fill ?? 0} ${loops}`;
  }

  #tensor(work: Work, source: Tensor, copy: Copy): Tensor {
    const name = `${source.name}_${kindOf(copy)}`;
    const tensor = this.#temporaries.make(name, copyType(source.type, copy), work.origin);
    if (this.#constant.has(storageOf(source))) this.#constant.add(tensor);
    return tensor;
  }
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
  for (const order of shape.length > 1 ? [straight, ...orders.filter(o => o !== straight)] : []) {
    const d = order.at(-1)!;
    const x = load.at[d]!;
    if (x.kind !== 'axis' || !compute.axes.includes(x.axis)) continue;
    const whole = D.divideExact(ranges[d]!.extent, D.constant(panelWidth));
    if (whole && (D.constantValue(whole) ?? 0) > 1)
      copies.push({ ranges, order, padded: padding !== undefined, panel: panelWidth });
  }
  return copies;
}
