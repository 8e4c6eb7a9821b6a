import * as A from '../../ir/affine.ts';
import type { Axis, Compute, Expr, Index } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import * as E from '../../ir/expr.ts';
import type { KExpr } from '../../ir/kernel.ts';
import { loadsOf } from '../fuse/definition.ts';
import type { Emitter, Reduced } from './emitter.ts';
import * as K from './kexpr.ts';

type Load = Extract<Expr, { kind: 'load' }>;

/** The lanes that share loads: WebGPU has no smaller subgroups. */
export const sharers = 4;

/** Where something stands: offsets in the tile and in the unrolled part of the reduction. */
export type Offsets = ReadonlyMap<Axis, number>;

interface SharedLoad {
  readonly load: Load;
  readonly axes: ReadonlySet<Axis>;
  /** Neighbours along it are read by the lanes. */
  readonly along: Axis;
}

/** The axes that each index of a load depends on, and those of its guard. */
export function placesOf({ at, guard = [] }: Load): ReadonlySet<Axis>[] {
  const note = (visit: (visitor: E.ExprVisitor) => void): Set<Axis> => {
    const axes = new Set<Axis>();
    visit({ axis: a => void axes.add(a) });
    return axes;
  };
  return [...at.map(x => note(v => E.visitIndex(x, v))), note(v => E.visitPredicate(guard, v))];
}

/**
 * The axis along which lanes share a load: one that comes in fours in straight-line code, the latest first. None where
 * elements come again at other points, as those of a sliding window do: that saves as much.
 */
export function sharedAlong(
  places: readonly ReadonlySet<Axis>[],
  sizes: ReadonlyMap<Axis, number>,
): Axis | undefined {
  let along: Axis | undefined;
  for (const axes of places) {
    let moving = 0;
    for (const a of axes) {
      const size = sizes.get(a) ?? 1;
      if (size > 1 && ++moving > 1) return undefined;
      if (size % sharers === 0) along = a;
    }
  }
  return along;
}

/**
 * Loads that are the same in all lanes of a subgroup are shared out among them: each lane reads one of four neighbours,
 * and hands it to the others.
 *
 *     a0 = A[k]; a1 = A[k + 1]; a2 = A[k + 2]; a3 = A[k + 3]
 *  -> a = A[k + lane];  a0 = broadcast(a, 0); a1 = broadcast(a, 1); a2 = broadcast(a, 2); a3 = broadcast(a, 3)
 */
export class Sharing {
  readonly #emitter: Emitter;
  readonly #loads: readonly SharedLoad[];
  readonly #lane: Axis = { name: 'lane', extent: D.constant(sharers) };

  /** `own`: the axes of which lanes have different points; `sizes`: how many of an axis stand in straight-line code. */
  constructor(emitter: Emitter, compute: Compute, own: ReadonlySet<Axis>, sizes: ReadonlyMap<Axis, number>) {
    this.#emitter = emitter;
    const found = new Map<string, SharedLoad>();
    for (const load of loadsOf(compute.reduce!.lift)) {
      const places = placesOf(load);
      const axes = new Set(places.flatMap(p => [...p]));
      const along = sharedAlong(places, sizes);
      if (load.dtype === 'f32' && along && ![...axes].some(a => own.has(a)))
        found.set(E.exprKey(load), { load, axes, along });
    }
    this.#loads = [...found.values()];
    if (this.#loads.length === 0) return;
    const lane = K.binary('mod', K.builtin('lane'), K.int(sharers));
    emitter.setAxis(this.#lane, emitter.bind('lane', lane));
  }

  /** The expression with `reduced` in place of what is shared. */
  withoutShared(e: Expr): Expr {
    const keys = this.#loads.map(l => E.exprKey(l.load));
    return E.mapExpr(e, {
      load: load => {
        const component = keys.indexOf(E.exprKey(load));
        return component < 0 ? load : { kind: 'reduced', dtype: load.dtype, component };
      },
    });
  }

  /** What the `reduced` of `withoutShared` are, at a position; made once for a turn of the loops. */
  turn(): (position: ReadonlyMap<Axis, Index>, offsets: Offsets) => Reduced {
    const known = new Map<string, KExpr>();
    return (position, offsets) => component => {
      const { load, axes, along } = this.#loads[component]!;
      const key = `${component}:${[...axes].map(a => offsets.get(a) ?? 0).join()}`;
      const before = known.get(key);
      if (before) return before;
      const lane = (offsets.get(along) ?? 0) % sharers;
      const first = A.sub(position.get(along)!, lane);
      const axis = (a: Axis): Index | undefined => (a === along ? A.add(first, this.#lane) : position.get(a));
      const value = this.#emitter.expr(E.mapExpr(load, { axis }));
      const name = this.#emitter.name('shared');
      this.#emitter.push({ kind: 'subgroup', op: 'broadcast', name, value, lane });
      const ref = K.ref(name, load.dtype);
      known.set(key, ref);
      return ref;
    };
  }
}
