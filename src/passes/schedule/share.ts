import * as A from '../../ir/affine.ts';
import type { Axis, Compute, Expr, Index } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import * as E from '../../ir/expr.ts';
import type { KExpr } from '../../ir/kernel.ts';
import { loadsOf } from '../fuse/definition.ts';
import type { Reduced } from './addresses.ts';
import { BlockIndex, type Extents } from './block.ts';
import type { Emitter } from './emitter.ts';
import * as K from './kexpr.ts';

type Load = Extract<Expr, { kind: 'load' }>;

/** The lanes that share loads: WebGPU has no smaller subgroups. */
export const sharers = 4;

interface SharedLoad {
  readonly load: Load;
  /** Neighbours along it are read by the lanes. */
  readonly along: Axis;
}

/**
 * The axis along which lanes share a load: one that comes in fours in straight-line code and moves an index alone, the
 * latest first.
 */
export function sharedAlong(dims: readonly BlockIndex[], sizes: Extents): Axis | undefined {
  for (const { axes, isLinear } of [...dims].reverse()) {
    const several = axes.filter(a => (sizes.get(a) ?? 1) > 1);
    if (isLinear && several.length === 1 && sizes.get(several[0]!)! % sharers === 0) return several[0];
  }
  return undefined;
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
  readonly #own: ReadonlySet<Axis>;
  readonly #loads: readonly SharedLoad[];
  readonly #lane: Axis = { name: 'lane', extent: D.constant(sharers) };

  /** `own`: what tells the lanes' tiles apart; `sizes`: how many of an axis stand in straight-line code. */
  constructor(emitter: Emitter, compute: Compute, own: ReadonlySet<Axis>, sizes: Extents) {
    this.#emitter = emitter;
    this.#own = own;
    const found = new Map<string, SharedLoad>();
    for (const load of loadsOf(compute.reduce!.lift)) {
      const along = sharedAlong(
        load.at.map(x => new BlockIndex(x)),
        sizes,
      );
      if (load.dtype === 'f32' && along) found.set(E.exprKey(load), { load, along });
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
  turn(): (position: ReadonlyMap<Axis, Index>, offsets: Extents) => Reduced {
    const known = new Map<string, KExpr>();
    return (position, offsets) => component => {
      const { load, along } = this.#loads[component]!;
      const lane = (offsets.get(along) ?? 0) % sharers;
      const first = A.sub(position.get(along)!, lane);
      const axis = (a: Axis): Index | undefined => (a === along ? A.add(first, this.#lane) : position.get(a));
      const shared = E.mapExpr(load, { axis });
      if (this.#isOwn(shared)) return this.#emitter.expr(E.mapExpr(load, { axis: a => position.get(a) }));
      const key = `${lane} ${E.exprKey(shared)}`;
      const before = known.get(key);
      if (before) return before;
      const value = this.#emitter.expr(shared);
      const name = this.#emitter.name('shared');
      this.#emitter.push({ kind: 'subgroup', op: 'broadcast', name, value, lane });
      const ref = K.ref(name, load.dtype);
      known.set(key, ref);
      return ref;
    };
  }

  /** Whether lanes want different elements. */
  #isOwn(e: Expr): boolean {
    let found = false;
    E.visitExpr(e, {
      axis: a => {
        found ||= this.#own.has(a);
      },
    });
    return found;
  }
}
