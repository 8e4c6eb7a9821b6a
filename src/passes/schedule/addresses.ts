import * as A from '../../ir/affine.ts';
import type { Axis, Expr, Index, Predicate } from '../../ir/compute.ts';
import type { Dim } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import { mapIndex } from '../../ir/expr.ts';
import type { KExpr } from '../../ir/kernel.ts';
import type { Tensor } from '../../ir/program.ts';
import * as K from './kexpr.ts';
import { Scopes } from './scopes.ts';

/** What `reduced` and the two sides of a merge stand for while an expression is emitted. */
export type Reduced = (component: number) => KExpr;

/** A row-major position in a tensor of a shape, with its linear form. */
interface Place extends ReturnType<typeof A.axisCoefficients> {
  readonly shape: readonly Dim[];
  readonly flat: Index;
}

/** Indices and conditions in kernel expressions: what axes stand for, one of which may run over lanes. */
export abstract class Addresses extends Scopes {
  readonly #axes = new Map<Axis, KExpr>();
  readonly #places = new Map<readonly Index[], Place>();
  /** The axis that runs over the lanes, and the only lane that is looked at, if it is one. */
  protected lanes: { readonly axis: Axis; readonly count: number } | undefined;
  protected lane: number | undefined;

  abstract expr(e: Expr, reduced?: Reduced): KExpr;

  /** Makes `axis` mean `value` from here on. */
  setAxis(axis: Axis, value: KExpr): void {
    this.#axes.set(axis, value);
  }

  /**
   * Until `body` is done, `axis` stands for 0 to `count` - 1 in as many lanes: what depends on it has a value for each,
   * memory is read and written as vectors where consecutive lanes are consecutive elements, lane by lane elsewhere.
   */
  withLanes(axis: Axis, count: number, body: () => void): void {
    const before = this.lanes;
    this.lanes = { axis, count };
    body();
    this.lanes = before;
  }

  /** What `emit` makes for one lane alone. */
  protected inLane<T>(lane: number, emit: () => T): T {
    const before = this.lane;
    this.lane = lane;
    const made = emit();
    this.lane = before;
    return made;
  }

  protected inEachLane<T>(emit: (lane: number) => T): T[] {
    return Array.from({ length: this.lanes!.count }, (_, l) => this.inLane(l, () => emit(l)));
  }

  /** Lanes, and the points of a block, ask for the same one again and again. */
  #placeOf(at: readonly Index[], { type: { shape } }: Tensor): Place {
    const known = this.#places.get(at);
    if (known?.shape === shape) return known;
    const flat = A.flatten(at, shape);
    const made = { shape, flat, ...A.axisCoefficients(flat) };
    this.#places.set(at, made);
    return made;
  }

  /** How elements follow each other from lane to lane: 0: all lanes have the same, 1: the next, undefined: else. */
  protected step(at: readonly Index[], tensor: Tensor): 0 | 1 | undefined {
    if (!this.lanes || this.lane !== undefined) return 0;
    const { axes, rest } = this.#placeOf(at, tensor);
    if (this.#varies(rest)) return undefined;
    const coefficient = axes.get(this.lanes.axis);
    if (!coefficient) return 0;
    return D.isConstant(coefficient, 1) ? 1 : undefined;
  }

  /** Whether an index may differ from lane to lane. What is read out of a reduction counts as if it did. */
  #varies(x: Index): boolean {
    const { axis } = this.lanes!;
    let found = false;
    mapIndex(x, {
      axis: a => {
        found ||= a === axis;
        return undefined;
      },
      reduced: e => {
        found = true;
        return e;
      },
    });
    return found;
  }

  dim(d: Dim): KExpr {
    return K.sum(
      d.terms.map(({ coefficient, atoms }) =>
        K.scale(
          atoms
            .map(atom =>
              atom.kind === 'symbol'
                ? K.uniform('i32', atom.name)
                : atom.kind === 'max'
                  ? atom.of.map(x => this.dim(x)).reduce((a, b) => K.binary('max', a, b))
                  : K.binary('floordiv', this.dim(atom.a), this.dim(atom.b)),
            )
            .reduce<KExpr | undefined>((a, b) => (a ? K.binary('mul', a, b) : b), undefined),
          coefficient,
        ),
      ),
    );
  }

  /** `reduced` is for indices that are values made of a reduction, such as the place of a maximum. */
  index(x: Index, reduced?: Reduced): KExpr {
    switch (x.kind) {
      case 'dim':
        return this.dim(x.dim);
      case 'axis': {
        if (x.axis === this.lanes?.axis)
          return this.lane === undefined
            ? K.lanes(Array.from({ length: this.lanes.count }, (_, l) => K.int(l)))
            : K.int(this.lane);
        const value = this.#axes.get(x.axis);
        if (!value) throw new Error(`axis ${x.axis.name} has no value here`);
        return value;
      }
      case 'value':
        return this.expr(x.value, reduced);
      case 'op': {
        if (x.op === 'mul' && x.b.kind === 'dim') {
          const factor = D.constantValue(x.b.dim);
          if (factor !== undefined) return K.scale(this.index(x.a, reduced), factor);
        }
        if (x.op === 'add') return K.sum([this.index(x.a, reduced), this.index(x.b, reduced)]);
        if (x.op === 'floordiv' || x.op === 'mod') return this.#divide(x.op, x.a, x.b, reduced);
        return K.binary(x.op, this.index(x.a, reduced), this.index(x.b, reduced));
      }
    }
  }

  /** Kernel division is of non-negative numbers: a known lower bound is lifted above 0 by whole periods first. */
  #divide(op: 'floordiv' | 'mod', a: Index, b: Index, reduced?: Reduced): KExpr {
    const low = A.range(a)?.lo;
    const bound = low ? D.lowerBound(low) : Number.NEGATIVE_INFINITY;
    const period = b.kind === 'dim' ? D.constantValue(b.dim) : undefined;
    if (bound >= 0) return K.binary(op, this.bind('i', this.index(a, reduced)), this.index(b, reduced));
    if (period === undefined || bound === Number.NEGATIVE_INFINITY)
      return K.floorDivision(op, this.bind('i', this.index(a, reduced)), this.index(b, reduced), (wish, e) =>
        this.bind(wish, e),
      );
    const lift = Math.ceil(-bound / period);
    const sum = K.sum([this.index(a, reduced), K.int(lift * period)]);
    const lifted = K.binary(op, this.bind('i', sum), K.int(period));
    return op === 'mod' ? lifted : K.sum([lifted, K.int(-lift)]);
  }

  /**
   * Flat element index; the part that is not constant gets a name, so that neighbours share it. A constant before the
   * first element, which WGSL refuses, stands only in code that no element runs: it becomes 0.
   */
  flat(at: readonly Index[], tensor: Tensor, reduced?: Reduced): KExpr {
    const index = this.flatAt(at, tensor, reduced);
    return index.kind === 'const' && index.value < 0 ? K.int(0) : index;
  }

  protected flatAt(at: readonly Index[], tensor: Tensor, reduced?: Reduced): KExpr {
    const { flat, rest } = this.#placeOf(at, tensor);
    const offset = rest.kind === 'dim' ? D.constantValue(rest.dim) : undefined;
    if (!offset) return this.bindSum('at', this.index(flat, reduced));
    return K.sum([this.bindSum('at', this.index(A.sub(flat, offset), reduced)), K.int(offset)]);
  }

  predicate(predicate: Predicate, reduced?: Reduced): KExpr {
    return predicate
      .map(c => this.bind('inside', K.binary(c.op, this.index(c.a, reduced), this.index(c.b, reduced))))
      .reduce((a, b) => K.binary('and', a, b));
  }
}
