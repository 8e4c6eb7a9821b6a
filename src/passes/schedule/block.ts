import * as A from '../../ir/affine.ts';
import type { Axis, Comparison, Index } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import * as E from '../../ir/expr.ts';
import { nominalValue } from './grid.ts';

/** How many of each axis stand together in a block; 1 where absent. */
export type Extents = ReadonlyMap<Axis, number>;

/** Most points of a block at which an index is worked out one by one. */
const most = 256;

interface Values {
  readonly count: number;
  /** Axes with which the values change from block to block. */
  readonly moving: ReadonlySet<Axis>;
}

/** What an index is over blocks of different sizes: worked out once for each. */
export class BlockIndex {
  readonly axes: readonly Axis[];
  /** A sum of multiples of axes. */
  readonly isLinear: boolean;
  readonly #index: Index;
  readonly #known = new Map<string, Values>();

  constructor(index: Index) {
    this.#index = index;
    this.isLinear = A.axisCoefficients(index).rest.kind === 'dim';
    this.axes = axesOf(v => E.visitIndex(index, v));
  }

  over(extents: Extents): Values {
    const key = this.axes.map(a => extents.get(a) ?? 1).join();
    let values = this.#known.get(key);
    if (!values) this.#known.set(key, (values = this.#over(extents)));
    return values;
  }

  #over(extents: Extents): Values {
    const all = { count: pointsOf(this.axes, extents), moving: new Set(this.axes) };
    if (all.count > most) return all;
    const values = valuesAt(this.#index, this.axes, extents);
    if (values.some(Number.isNaN)) return all;
    const moving = this.axes.filter(a =>
      valuesAt(this.#index, this.axes, extents, a).some((v, i) => v !== values[i]),
    );
    return { count: new Set(values).size, moving: new Set(moving) };
  }
}

/**
 * The part of a block where none of the conditions on remainders and quotients is known to fail, as those of every other
 * tap of a stride are once tiles are multiples of it.
 */
export class BlockConditions {
  readonly #groups: { readonly axes: readonly Axis[]; readonly conditions: readonly Comparison[] }[] = [];
  readonly #known = new Map<string, number>();

  constructor(conditions: readonly Comparison[]) {
    for (const c of conditions) {
      const isLinear = [c.a, c.b].every(x => A.axisCoefficients(x).rest.kind === 'dim');
      if (isLinear) continue;
      const axes = axesOf(v => E.visitPredicate([c], v));
      const like = this.#groups.findIndex(
        g => g.axes.length === axes.length && axes.every(a => g.axes.includes(a)),
      );
      if (like < 0) this.#groups.push({ axes, conditions: [c] });
      else this.#groups[like] = { axes, conditions: [...this.#groups[like]!.conditions, c] };
    }
  }

  /** From 0 to 1. */
  alive(extents: Extents): number {
    let part = 1;
    for (const [g, { axes, conditions }] of this.#groups.entries()) {
      const key = `${g}:${axes.map(a => extents.get(a) ?? 1).join()}`;
      let own = this.#known.get(key);
      if (own === undefined) this.#known.set(key, (own = aliveIn(axes, conditions, extents)));
      part *= own;
    }
    return part;
  }
}

function aliveIn(axes: readonly Axis[], conditions: readonly Comparison[], extents: Extents): number {
  const points = pointsOf(axes, extents);
  if (points > most) return 1;
  const alive = new Set<number>();
  for (const tile of [0, 1, 2])
    for (let i = 0; i < points; i++) {
      const at = positionOf(i, axes, extents, () => tile);
      const holds = conditions.every(({ op, a, b }) => {
        const [x, y] = [indexAt(a, at), indexAt(b, at)];
        return Number.isNaN(x + y) || (op === 'lt' ? x < y : op === 'le' ? x <= y : x === y);
      });
      if (holds) alive.add(i);
    }
  return alive.size === 0 ? 1 : alive.size / points;
}

function axesOf(visit: (visitor: E.ExprVisitor) => void): Axis[] {
  const axes = new Set<Axis>();
  visit({ axis: a => void axes.add(a) });
  return [...axes];
}

const pointsOf = (axes: readonly Axis[], extents: Extents): number =>
  axes.reduce((n, a) => n * (extents.get(a) ?? 1), 1);

/** The values at all points of the second block along every axis, of the third along `moved`, as far as there are so many. */
function valuesAt(index: Index, axes: readonly Axis[], extents: Extents, moved?: Axis): number[] {
  const block = (a: Axis): number => (a === moved ? 2 : 1);
  return Array.from({ length: pointsOf(axes, extents) }, (_, i) =>
    indexAt(index, positionOf(i, axes, extents, block)),
  );
}

function positionOf(
  point: number,
  axes: readonly Axis[],
  extents: Extents,
  block: (axis: Axis) => number,
): Map<Axis, number> {
  const position = new Map<Axis, number>();
  let rest = point;
  for (const a of axes) {
    const size = extents.get(a) ?? 1;
    const blocks = Math.max(1, Math.floor(nominalValue(a.extent) / size));
    position.set(a, (block(a) % blocks) * size + (rest % size));
    rest = Math.floor(rest / size);
  }
  return position;
}

/** An index at a position; NaN where it is computed. */
function indexAt(x: Index, position: ReadonlyMap<Axis, number>): number {
  switch (x.kind) {
    case 'dim':
      return D.constantValue(x.dim) ?? nominalValue(x.dim);
    case 'axis':
      return position.get(x.axis)!;
    case 'value':
      return Number.NaN;
    case 'op': {
      const [a, b] = [indexAt(x.a, position), indexAt(x.b, position)];
      if (x.op === 'add') return a + b;
      if (x.op === 'mul') return a * b;
      if (x.op === 'floordiv') return Math.floor(a / b);
      if (x.op === 'mod') return a - b * Math.floor(a / b);
      return x.op === 'min' ? Math.min(a, b) : Math.max(a, b);
    }
  }
}
