import * as A from '../../ir/affine.ts';
import type { Axis, Expr, Index, Predicate } from '../../ir/compute.ts';
import type { Dim } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import { exprKey, mapIndex } from '../../ir/expr.ts';
import { type KExpr, type KernelBuffer, lanesOf, type Stmt } from '../../ir/kernel.ts';
import { partsOf } from '../../ir/kernel-parts.ts';
import type { Tensor } from '../../ir/program.ts';
import { storageOf } from '../../ir/program.ts';
import type { BinaryOp } from '../../ir/scalar.ts';
import type { DType } from '../../ir/type.ts';
import { isFloat, isInteger } from '../../ir/type.ts';
import * as K from './kexpr.ts';
import { operands, withOperands } from './operands.ts';

type Division = 'div' | 'floordiv' | 'mod';
const isDivision = (op: BinaryOp): op is Division => op === 'div' || op === 'floordiv' || op === 'mod';

/** What `reduced` and the two sides of a merge stand for while an expression is emitted. */
export type Reduced = (component: number) => KExpr;

interface Scope {
  readonly statements: Stmt[];
  readonly known: Map<string, KExpr>;
  readonly isLoop: boolean;
}

/**
 * Writes statements: turns expressions over axes into kernel expressions, gives names to loads and to what is
 * used twice, and never computes the same thing again where the first result is still in scope.
 */
export class Emitter {
  readonly buffers: KernelBuffer[] = [];
  readonly #names = new Set<string>();
  /** Where counting begins for a name that is wished for again. */
  readonly #numbers = new Map<string, number>();
  readonly #scopes: Scope[] = [{ statements: [], known: new Map(), isLoop: false }];
  /** The scope in which a name has its value; those that change are not listed. */
  readonly #depths = new Map<string, number>();
  readonly #hoists: boolean;
  readonly #axes = new Map<Axis, KExpr>();
  readonly #tensors: readonly Tensor[];
  readonly #buffers = new Map<Tensor, KernelBuffer>();
  readonly #inVectors = new Set<Tensor>();
  #condition: KExpr | undefined;
  /** The axis that runs over the lanes, and the only lane that is looked at, if it is one. */
  #lanes: { readonly axis: Axis; readonly count: number } | undefined;
  #lane: number | undefined;

  /**
   * `tensors` are what loads refer to by position; `written` are stored to. `hoists`: what does not change inside a loop
   * is named in front of it, for targets whose compilers do not see to that.
   */
  constructor(tensors: readonly Tensor[], written: readonly Tensor[], hoists = false) {
    this.#hoists = hoists;
    this.#tensors = tensors;
    for (const tensor of tensors)
      if (tensor.role !== 'scalar' && tensor.role !== 'key')
        this.#bind(
          tensor,
          written.some(w => root(w) === root(tensor)),
        );
    for (const tensor of written) this.#bind(tensor, true);
  }

  #bind(tensor: Tensor, isWritten: boolean): void {
    const storage = root(tensor);
    if (this.#buffers.has(storage)) return;
    const buffer: KernelBuffer = {
      name: this.name(storage.name),
      tensor: storage,
      dtype: storage.type.dtype === 'u8' && storage.role === 'temporary' ? 'u32' : storage.type.dtype,
      access: isWritten ? 'read_write' : 'read',
    };
    this.#buffers.set(storage, buffer);
    this.buffers.push(buffer);
  }

  /** From here on the elements of an input lie in vectors of four, which lanes read at multiples of 4. */
  readInVectors(input: number): void {
    this.#inVectors.add(root(this.#tensors[input]!));
  }

  /** Whether `readInVectors` was asked for. */
  isInVectors({ tensor }: KernelBuffer): boolean {
    return this.#inVectors.has(tensor);
  }

  get statements(): readonly Stmt[] {
    return this.#scopes[0]!.statements;
  }

  /** A name that nothing else in the kernel has. */
  name(wish: string): string {
    let name = wish;
    let n = this.#numbers.get(wish) ?? 2;
    while (this.#names.has(name)) name = `${wish}_${n++}`;
    this.#numbers.set(wish, n);
    this.#names.add(name);
    return name;
  }

  push(statement: Stmt): void {
    this.#scopes.at(-1)!.statements.push(statement);
  }

  /**
   * Statements made by `body` go into a block of their own; what they name is forgotten afterwards. `counter` is the
   * variable of the loop that the block is the body of.
   */
  block(body: () => void, counter?: string): Stmt[] {
    this.#scopes.push({ statements: [], known: new Map(), isLoop: counter !== undefined });
    if (counter !== undefined) this.#depths.set(counter, this.#scopes.length - 1);
    body();
    return this.#scopes.pop()!.statements;
  }

  /** Makes `axis` mean `value` from here on. */
  setAxis(axis: Axis, value: KExpr): void {
    this.#axes.set(axis, value);
  }

  /**
   * Until `body` is done, `axis` stands for 0 to `count` - 1 in as many lanes: what depends on it has a value for each,
   * memory is read and written as vectors where consecutive lanes are consecutive elements, lane by lane elsewhere.
   */
  withLanes(axis: Axis, count: number, body: () => void): void {
    const before = this.#lanes;
    this.#lanes = { axis, count };
    body();
    this.#lanes = before;
  }

  /** What `emit` makes for one lane alone. */
  #inLane<T>(lane: number, emit: () => T): T {
    const before = this.#lane;
    this.#lane = lane;
    const made = emit();
    this.#lane = before;
    return made;
  }

  #inEachLane<T>(emit: (lane: number) => T): T[] {
    return Array.from({ length: this.#lanes!.count }, (_, l) => this.#inLane(l, () => emit(l)));
  }

  /** The finished reduction as one lane sees it. */
  #reducedIn(lane: number, reduced: Reduced | undefined): Reduced | undefined {
    return (
      reduced &&
      (c => {
        const value = reduced(c);
        return lanesOf(value) > 1 ? K.lane(value, lane) : value;
      })
    );
  }

  /** How elements follow each other from lane to lane: 0: all lanes have the same, 1: the next, undefined: else. */
  #step(at: readonly Index[], tensor: Tensor): 0 | 1 | undefined {
    if (!this.#lanes || this.#lane !== undefined) return 0;
    const { axes, rest } = A.axisCoefficients(A.flatten(at, tensor.type.shape));
    if (this.#varies(rest)) return undefined;
    const coefficient = axes.get(this.#lanes.axis);
    if (!coefficient) return 0;
    return D.isConstant(coefficient, 1) ? 1 : undefined;
  }

  /** Whether an index may differ from lane to lane. What is read out of a reduction counts as if it did. */
  #varies(x: Index): boolean {
    const { axis } = this.#lanes!;
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

  /** A named value; an equal one that is in scope is used again. */
  bind(wish: string, value: KExpr): KExpr {
    if (K.isLeaf(value)) return value;
    const key = K.key(value);
    for (const scope of this.#scopes) {
      const known = scope.known.get(key);
      if (known) return known;
    }
    const name = this.name(wish);
    const depth = this.#hoists ? this.#depthOf(value) : this.#scopes.length - 1;
    const scope = this.#scopes[depth]!;
    scope.statements.push({ kind: 'let', name, value });
    this.#depths.set(name, depth);
    const ref = K.ref(name, value.dtype, lanesOf(value));
    scope.known.set(key, ref);
    return ref;
  }

  /** The outermost scope in which an expression has the value that it has here. */
  #depthOf(e: KExpr): number {
    const here = this.#scopes.length - 1;
    switch (e.kind) {
      case 'const':
      case 'uniform':
        return 0;
      case 'builtin':
        return 0;
      case 'ref':
        return this.#depths.get(e.name) ?? here;
      case 'load-shared':
        return here;
      case 'load': {
        // Not out of a condition, which may be what keeps it inside its buffer.
        if (this.buffers.find(b => b.name === e.buffer)!.access !== 'read') return here;
        const condition = this.#scopes.findLastIndex(s => !s.isLoop);
        return Math.max(condition, this.#depthOf(e.index), e.mask ? this.#depthOf(e.mask) : 0);
      }
      default:
        return partsOf(e).reduce((most, part) => Math.max(most, this.#depthOf(part)), 0);
    }
  }

  variable(wish: string, value: KExpr): Extract<KExpr, { kind: 'ref' }> {
    const name = this.name(wish);
    this.push({ kind: 'var', name, dtype: value.dtype, ...K.several(lanesOf(value)), value });
    return K.ref(name, value.dtype, lanesOf(value));
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
        if (x.axis === this.#lanes?.axis)
          return this.#lane === undefined
            ? K.lanes(Array.from({ length: this.#lanes.count }, (_, l) => K.int(l)))
            : K.int(this.#lane);
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

  /** Of integers, by any integer: by 0 it is 0, for which shaders have other answers. */
  #quotient(op: Division, dtype: DType, a: KExpr, by: KExpr): KExpr {
    const b = by.kind === 'const' ? by : this.bind('b', by);
    const zero = K.constant(0, dtype);
    if (b.kind === 'const' && b.value === 0) return zero;
    const signed = op !== 'div' && dtype === 'i32';
    const result: KExpr = signed
      ? K.floorDivision(op, a, b, (wish, value) => this.bind(wish, value))
      : K.binary(op, a, b);
    if (b.kind === 'const') return result;
    return K.select(K.binary('eq', b, zero), zero, result);
  }

  /** While `body` emits, every load reads element 0 where `condition` fails. */
  guarded(condition: KExpr, body: () => KExpr): KExpr {
    const before = this.#condition;
    this.#condition = condition;
    const value = body();
    this.#condition = before;
    return value;
  }

  /**
   * Flat element index; the part that is not constant gets a name, so that neighbours share it. A constant before the
   * first element, which WGSL refuses, stands only in code that no element runs: it becomes 0.
   */
  flat(at: readonly Index[], tensor: Tensor, reduced?: Reduced): KExpr {
    const index = this.#flat(at, tensor, reduced);
    return index.kind === 'const' && index.value < 0 ? K.int(0) : index;
  }

  #flat(at: readonly Index[], tensor: Tensor, reduced?: Reduced): KExpr {
    const flat = A.flatten(at, tensor.type.shape);
    const { rest } = A.axisCoefficients(flat);
    const offset = rest.kind === 'dim' ? D.constantValue(rest.dim) : undefined;
    if (!offset) return this.#bindSum('at', this.index(flat, reduced));
    return K.sum([this.#bindSum('at', this.index(A.sub(flat, offset), reduced)), K.int(offset)]);
  }

  /** A sum whose terms change in different loops is added up from the outermost inwards. */
  #bindSum(wish: string, value: KExpr): KExpr {
    if (!this.#hoists) return this.bind(wish, value);
    const byDepth = new Map<number, KExpr[]>();
    const all = K.terms(value);
    const constants = all.filter(t => t.kind === 'const');
    for (const term of all.filter(t => t.kind !== 'const')) {
      const depth = this.#depthOf(term);
      byDepth.set(depth, [...(byDepth.get(depth) ?? []), term]);
    }
    const levels = [...byDepth].sort(([a], [b]) => a - b).map(([, terms]) => terms);
    const [first = [], ...others] = levels;
    const changing = others.reduce(
      (sum, terms) => this.bind(wish, K.sum([sum, ...terms])),
      this.bind(wish, K.sum(first)),
    );
    return K.sum([changing, ...constants]);
  }

  predicate(predicate: Predicate, reduced?: Reduced): KExpr {
    return predicate
      .map(c => this.bind('inside', K.binary(c.op, this.index(c.a, reduced), this.index(c.b, reduced))))
      .reduce((a, b) => K.binary('and', a, b));
  }

  load(e: Extract<Expr, { kind: 'load' }>, reduced?: Reduced): KExpr {
    const tensor = this.#tensors[e.input]!;
    if (tensor.role === 'scalar') return K.uniform(tensor.type.dtype, tensor.path ?? tensor.name);
    if (tensor.role === 'key') {
      const word = e.at[0]!.kind === 'dim' ? D.constantValue(e.at[0]!.dim) : undefined;
      return K.uniform('u32', word === 0 ? 'seed' : 'step');
    }
    const buffer = this.#buffers.get(root(tensor))!;
    const dtype = buffer.dtype === 'u32' && e.dtype === 'u8' ? 'u32' : e.dtype;
    const step = this.#step(e.at, tensor);
    const conditions = [
      ...(this.#condition ? [this.#condition] : []),
      ...(e.guard ? [this.bind('inside', this.predicate(e.guard, reduced))] : []),
    ];
    const masks = conditions.filter(c => lanesOf(c) > 1);
    if (step === undefined || (step === 0 && masks.length > 0))
      return this.bind(
        buffer.name,
        K.lanes(this.#inEachLane(l => this.load(e, this.#reducedIn(l, reduced)))),
      );
    if (step === 1) return this.#loadLanes(e, tensor, buffer, dtype, conditions, reduced);
    // What is the same in all lanes is read into all of them at once.
    const isWide = this.#lanes !== undefined && this.#lane === undefined && isFloat(dtype);
    const wide = (value: KExpr): KExpr => (isWide ? K.splat(value, this.#lanes!.count) : value);
    const read = (index: KExpr): KExpr => wide({ kind: 'load', dtype, buffer: buffer.name, index });
    if (conditions.length === 0) return this.bind(buffer.name, read(this.flat(e.at, tensor, reduced)));
    const inside = this.bind(
      'inside',
      conditions.reduce((a, b) => K.binary('and', a, b)),
    );
    const index = K.select(inside, this.flat(e.at, tensor, reduced), K.int(0));
    return this.bind(buffer.name, K.select(inside, read(index), K.constant(e.fill ?? 0, dtype)));
  }

  /** Consecutive elements; those outside are not read. */
  #loadLanes(
    e: Extract<Expr, { kind: 'load' }>,
    tensor: Tensor,
    buffer: KernelBuffer,
    dtype: DType,
    conditions: readonly KExpr[],
    reduced?: Reduced,
  ): KExpr {
    const lanes = this.#lanes!.count;
    // The first lanes may be outside: below 0 the others are not.
    const first = this.#inLane(0, () => this.#flat(e.at, tensor, this.#reducedIn(0, reduced)));
    if (conditions.length === 0)
      return this.bind(buffer.name, { kind: 'load', dtype, buffer: buffer.name, index: first, lanes });
    const inside = this.bind(
      'inside',
      conditions.reduce((a, b) => K.binary('and', a, b)),
    );
    const scalars = conditions.filter(c => lanesOf(c) === 1);
    const index =
      scalars.length === 0
        ? first
        : K.select(
            scalars.reduce((a, b) => K.binary('and', a, b)),
            first,
            K.int(0),
          );
    if (scalars.length === conditions.length && this.isInVectors(buffer)) {
      const value: KExpr = { kind: 'load', dtype, buffer: buffer.name, index, lanes };
      return this.bind(buffer.name, K.select(inside, value, K.constant(e.fill ?? 0, dtype)));
    }
    const mask = K.splat(inside, lanes);
    const value: KExpr = { kind: 'load', dtype, buffer: buffer.name, index, lanes, mask };
    const fill = e.fill ?? 0;
    return this.bind(
      buffer.name,
      fill === 0 && !Object.is(fill, -0) ? value : K.select(mask, value, K.constant(fill, dtype)),
    );
  }

  expr(e: Expr, reduced?: Reduced): KExpr {
    switch (e.kind) {
      case 'const':
        return K.constant(e.value, e.dtype);
      case 'dim':
        return this.dim(e.dim);
      case 'index':
        return this.index(e.index, reduced);
      case 'load':
        return this.load(e, reduced);
      case 'unary':
        return K.unary(e.op, this.expr(e.a, reduced));
      case 'binary': {
        const a = this.expr(e.a, reduced);
        const b = this.expr(e.b, reduced);
        return isInteger(e.dtype) && isDivision(e.op)
          ? this.#quotient(e.op, e.dtype, a, b)
          : K.binary(e.op, a, b);
      }
      case 'select':
        return K.select(this.expr(e.condition, reduced), this.expr(e.a, reduced), this.expr(e.b, reduced));
      case 'cast':
        return this.#cast(e, this.expr(e.a, reduced));
      case 'random':
        return K.random(e.args.map(a => K.cast('u32', this.expr(a, reduced))));
      case 'reduced':
        if (!reduced) throw new Error('`reduced` outside of a finished reduction');
        return reduced(e.component);
    }
  }

  /** What is widened as it is loaded gets a name, like any load: it is converted once, however often it is used. */
  #cast(e: Extract<Expr, { kind: 'cast' }>, a: KExpr): KExpr {
    const value = K.cast(e.dtype, a);
    return e.a.kind === 'load' && e.a.dtype === 'f16' ? this.bind('wide', value) : value;
  }

  /** Several expressions at once: what occurs twice among them gets a name. */
  exprs(list: readonly Expr[], reduced?: Reduced): KExpr[] {
    const counts = new Map<string, number>();
    const count = (e: Expr): void => {
      if (e.kind === 'const' || e.kind === 'load' || e.kind === 'reduced' || e.kind === 'dim') return;
      const key = exprKey(e);
      const seen = (counts.get(key) ?? 0) + 1;
      counts.set(key, seen);
      if (seen > 1) return;
      for (const part of operands(e)) count(part);
    };
    for (const e of list) count(e);
    const shared = new Map<string, KExpr>();
    const emit = (e: Expr): KExpr => {
      const key = exprKey(e);
      const known = shared.get(key);
      if (known) return known;
      const parts = operands(e);
      if (parts.length === 0) return this.expr(e, reduced);
      const placed = parts.map(emit);
      let next = 0;
      const value = this.expr(withOperands(e), component =>
        component < 0 ? placed[next++]! : reduced!(component),
      );
      if ((counts.get(key) ?? 0) < 2) return value;
      const named = this.bind('t', value);
      shared.set(key, named);
      return named;
    };
    return list.map(emit);
  }

  /** buffer[at] = value */
  store(tensor: Tensor, at: readonly Index[], value: KExpr): void {
    const { name: buffer } = this.#buffers.get(root(tensor))!;
    const put = (stored: KExpr): void =>
      this.push({ kind: 'store', buffer, index: this.flat(at, tensor), value: stored });
    const step = this.#step(at, tensor);
    if (step === 0) put(value);
    else if (step === 1) {
      const lanes = K.splat(value, this.#lanes!.count);
      this.#inLane(0, () => put(lanes));
    } else this.#inEachLane(l => put(lanesOf(value) > 1 ? K.lane(value, l) : value));
  }
}

/** Where a tensor's elements lie: views share, members of a pack are bound on their own. */
function root(tensor: Tensor): Tensor {
  return storageOf(tensor);
}
