import type { Expr, Index } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import { exprKey } from '../../ir/expr.ts';
import { type KExpr, type KernelBuffer, lanesOf } from '../../ir/kernel.ts';
import type { Tensor } from '../../ir/program.ts';
import { storageOf } from '../../ir/program.ts';
import type { BinaryOp } from '../../ir/scalar.ts';
import type { DType } from '../../ir/type.ts';
import { isFloat, isInteger } from '../../ir/type.ts';
import { Addresses, type Reduced } from './addresses.ts';
import * as K from './kexpr.ts';
import { operands, withOperands } from './operands.ts';

type Division = 'div' | 'floordiv' | 'mod';
const isDivision = (op: BinaryOp): op is Division => op === 'div' || op === 'floordiv' || op === 'mod';

/**
 * Writes statements: turns expressions over axes into kernel expressions, gives names to loads and to what is
 * used twice, and never computes the same thing again where the first result is still in scope.
 */
export class Emitter extends Addresses {
  readonly buffers: KernelBuffer[] = [];
  readonly #tensors: readonly Tensor[];
  readonly #buffers = new Map<Tensor, KernelBuffer>();
  readonly #inVectors = new Set<Tensor>();
  #condition: KExpr | undefined;

  /** `tensors` are what loads refer to by position; `written` are stored to. `hoists`: see `Scopes`. */
  constructor(tensors: readonly Tensor[], written: readonly Tensor[], hoists = false) {
    super(hoists);
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

  protected isReadOnly(buffer: string): boolean {
    return this.buffers.find(b => b.name === buffer)!.access === 'read';
  }

  /** From here on the elements of an input lie in vectors of four, which lanes read at multiples of 4. */
  readInVectors(input: number): void {
    this.#inVectors.add(root(this.#tensors[input]!));
  }

  /** Whether `readInVectors` was asked for. */
  isInVectors({ tensor }: KernelBuffer): boolean {
    return this.#inVectors.has(tensor);
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

  /** While `body` emits, every load reads element 0 where `condition` fails. */
  guarded(condition: KExpr, body: () => KExpr): KExpr {
    const before = this.#condition;
    this.#condition = condition;
    const value = body();
    this.#condition = before;
    return value;
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
    const step = this.step(e.at, tensor);
    const conditions = [
      ...(this.#condition ? [this.#condition] : []),
      ...(e.guard ? [this.bind('inside', this.predicate(e.guard, reduced))] : []),
    ];
    const masks = conditions.filter(c => lanesOf(c) > 1);
    if (step === undefined || (step === 0 && masks.length > 0))
      return this.bind(buffer.name, K.lanes(this.inEachLane(l => this.load(e, this.#reducedIn(l, reduced)))));
    if (step === 1) return this.#loadLanes(e, tensor, buffer, dtype, conditions, reduced);
    // What is the same in all lanes is read into all of them at once.
    const isWide = this.lanes !== undefined && this.lane === undefined && isFloat(dtype);
    const wide = (value: KExpr): KExpr => (isWide ? K.splat(value, this.lanes!.count) : value);
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
    const lanes = this.lanes!.count;
    // The first lanes may be outside: below 0 the others are not.
    const first = this.inLane(0, () => this.flatAt(e.at, tensor, this.#reducedIn(0, reduced)));
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
    const step = this.step(at, tensor);
    if (step === 0) put(value);
    else if (step === 1) {
      const lanes = K.splat(value, this.lanes!.count);
      this.inLane(0, () => put(lanes));
    } else this.inEachLane(l => put(lanesOf(value) > 1 ? K.lane(value, l) : value));
  }
}

/** Where a tensor's elements lie: views share, members of a pack are bound on their own. */
function root(tensor: Tensor): Tensor {
  return storageOf(tensor);
}
