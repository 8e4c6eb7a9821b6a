import * as A from '../ir/affine.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import type { Axis, Compute, Expr, Index, Predicate } from '../ir/compute.ts';
import { derivative, times } from '../ir/derivative.ts';
import * as D from '../ir/dim.ts';
import * as E from '../ir/expr.ts';
import type { Value } from '../ir/graph.ts';
import { interpretCompute } from '../ir/interpret/compute.ts';
import * as M from '../ir/monoid.ts';
import { inRange, simplifyPredicate } from '../ir/predicate.ts';
import type { Primitive } from '../ir/primitive.ts';
import { printCompute } from '../ir/print/compute.ts';
import { type TensorType, tensor } from '../ir/type.ts';
import * as B from './build.ts';

/**
 * An operation given in index notation, `y[n, o] = sum(k) x[n, k] * w[o, k]`: a reduction over named axes of an
 * expression of loads. Made by `op` declarations and by their own gradients, so gradients exist to any order.
 */
export interface Indexed {
  readonly name: string;
  readonly inputs: readonly TensorType[];
  readonly axes: readonly Axis[];
  readonly over: readonly Axis[];
  readonly reduction: 'sum' | 'max' | 'min' | 'prod' | 'argmax' | 'argmin';
  /** f32; loads refer to `inputs` by position. */
  readonly lift: Expr;
  /** Points where it fails do not count; there loads are guarded as well. */
  readonly guard?: Predicate;
}

export function emitIndexed(b: GraphBuilder, def: Indexed, inputs: readonly Value[]): Value {
  const compute = computeOf(def);
  const symbols = [...freeDims(compute)].sort();
  const attrs = { dims: symbols.map(D.symbol), definition: printCompute(compute) };
  return b.emit(primitiveOf(def, compute, symbols), inputs, attrs);
}

function computeOf(def: Indexed): Compute {
  const { inputs, axes, over, reduction, lift, guard } = def;
  const type = tensor(
    reduction.startsWith('arg') ? 'i32' : 'f32',
    axes.map(a => a.extent),
  );
  const place = E.indexValue(
    A.flatten(
      over.map(A.index),
      over.map(a => a.extent),
    ),
  );
  const monoid = {
    sum: () => M.sum('f32'),
    prod: () => M.product('f32'),
    max: () => M.maximum('f32'),
    min: () => M.minimum('f32'),
    argmax: () => M.argExtreme('max', 'f32'),
    argmin: () => M.argExtreme('min', 'f32'),
  }[reduction]();
  const isArg = monoid.types.length > 1;
  return {
    inputs,
    axes,
    reduce: { axes: over, lift: isArg ? [lift, place] : [lift], monoid, ...(guard?.length && { guard }) },
    outs: [{ type, value: E.reduced(isArg ? 1 : 0, monoid) }],
  };
}

function freeDims({ inputs, axes, reduce, outs }: Compute): Set<string> {
  const found = new Set<string>();
  for (const type of [...inputs, ...outs.map(o => o.type)]) for (const d of type.shape) D.symbols(d, found);
  for (const axis of [...axes, ...reduce!.axes]) D.symbols(axis.extent, found);
  return found;
}

function primitiveOf(def: Indexed, compute: Compute, symbols: readonly string[]): Primitive {
  return {
    name: def.name,
    kind: 'contraction',
    inputs: def.inputs.map((_, i) => `x${i}`),
    attrs: {
      dims: { type: 'dims', doc: 'The free dims that the definition mentions.' },
      definition: { type: 'string', doc: 'What tells two operations of one name apart.' },
    },
    doc: 'An operation in index notation.',
    example: 'y[n, o] = sum(k) x[n, k] * w[o, k]',
    infer: () => compute.outs.map(o => o.type),
    reference: (inputs, attrs, _, precision) => {
      const sizes = (attrs.dims as readonly D.Dim[]).map(d => D.evaluate(d));
      const env = Object.fromEntries(symbols.map((name, i) => [name, sizes[i]!]));
      return interpretCompute(compute, inputs, env, precision);
    },
    lower: () => compute,
    vjp: (b, [ct], inputs, [y]) => inputs.map((_, i) => inputGradient(b, def, inputs, i, ct!, y!)),
  };
}

type Load = Extract<Expr, { kind: 'load' }>;

/** The cotangent of one input: for each place where it is read, the sum over all points that read an element. */
function inputGradient(
  b: GraphBuilder,
  def: Indexed,
  inputs: readonly Value[],
  input: number,
  ct: Value,
  y: Value,
): Value | undefined {
  if (def.inputs[input]!.dtype !== 'f32' || def.reduction.startsWith('arg')) return undefined;
  const loads = new Map<string, Load>();
  E.mapExpr(def.lift, {
    load: l => {
      if (l.input === input) loads.set(E.exprKey(l), l);
      return l;
    },
  });
  let sum: Value | undefined;
  for (const [key, load] of loads) {
    const slope = derivative(def.lift, key);
    if (!slope) continue;
    const { factor, extra } = shareOfPoint(b, def, inputs, ct, y);
    const part = gather(b, def, load, times(factor, slope), [...inputs, ...extra]);
    sum = sum ? B.add(b, sum, part) : part;
  }
  return sum;
}

/**
 * d y / d (value of one point), times the cotangent: for a sum the cotangent itself; for max and min only the first
 * winner's; for a product the product of the others, exact where some are zero.
 */
function shareOfPoint(
  b: GraphBuilder,
  def: Indexed,
  inputs: readonly Value[],
  ct: Value,
  y: Value,
): { factor: Expr; extra: Value[] } {
  const at = def.axes.map(A.index);
  const base = inputs.length;
  const load = (offset: number, v: Value): Expr => E.load(base + offset, v.type, at);
  const zero = E.constant(0);
  switch (def.reduction) {
    case 'max':
    case 'min': {
      const winner = emitIndexed(
        b,
        { ...def, name: `${def.name}_winner`, reduction: `arg${def.reduction}` },
        inputs,
      );
      const place = E.indexValue(
        A.flatten(
          def.over.map(A.index),
          def.over.map(a => a.extent),
        ),
      );
      const isWinner = E.binary('eq', load(1, winner), place);
      return { factor: E.select(isWinner, load(0, ct), zero), extra: [ct, winner] };
    }
    case 'prod': {
      const isZero = E.binary('eq', def.lift, zero);
      const safe: Indexed = {
        ...def,
        name: `${def.name}_nonzero`,
        lift: E.select(isZero, E.constant(1), def.lift),
      };
      const count: Indexed = {
        ...def,
        name: `${def.name}_zeros`,
        reduction: 'sum',
        lift: E.cast('f32', isZero),
      };
      const extra = [ct, y, emitIndexed(b, safe, inputs), emitIndexed(b, count, inputs)];
      const zeros = load(3, extra[3]!);
      const alone = E.binary('and', E.binary('eq', zeros, E.constant(1)), isZero);
      const others = E.select(
        E.binary('eq', zeros, zero),
        E.binary('div', load(1, y), E.select(isZero, E.constant(1), def.lift)),
        E.select(alone, load(2, extra[2]!), zero),
      );
      return { factor: E.mul(load(0, ct), others), extra };
    }
    default:
      return { factor: load(0, ct), extra: [ct] };
  }
}

/**
 * result[e] = sum of `value` over the points with load.at = e. Every coordinate that is linear in some axis is solved
 * for it; what remains becomes the reduction, coordinates that cannot be solved become comparisons.
 */
function gather(b: GraphBuilder, def: Indexed, load: Load, value: Expr, inputs: readonly Value[]): Value {
  const { shape } = def.inputs[load.input]!;
  const elements = shape.map((extent, i): Axis => ({ name: `e${i}`, extent }));
  const solved = new Map<Axis, Index>();
  const conditions: { op: 'lt' | 'le' | 'eq'; a: Index; b: Index }[] = [];
  const now = (x: Index): Index => E.mapIndex(x, { axis: a => solved.get(a) });
  const all = [...def.axes, ...def.over];
  const pending = load.at.map((x, i) => ({ x, e: A.index(elements[i]!) }));
  // Unit steps first: they need no division.
  for (const unit of [true, false])
    for (const item of [...pending]) {
      const form = A.axisCoefficients(now(item.x));
      const choice = all.find(axis => {
        const step = form.axes.get(axis);
        const n = step && D.constantValue(step);
        return n !== undefined && n !== 0 && (!unit || Math.abs(n) === 1) && !mentions(form.rest, axis);
      });
      if (!choice) continue;
      const step = D.constantValue(form.axes.get(choice)!)!;
      const rest = A.sub(now(item.x), A.mul(choice, step));
      const distance = step > 0 ? A.sub(item.e, rest) : A.sub(rest, item.e);
      const size = Math.abs(step);
      if (size > 1) conditions.push({ op: 'eq', a: A.mod(distance, size), b: A.index(0) });
      const position = A.floordiv(distance, size);
      for (const [axis, old] of solved)
        solved.set(axis, E.mapIndex(old, { axis: a => (a === choice ? position : undefined) }));
      solved.set(choice, position);
      pending.splice(pending.indexOf(item), 1);
    }
  for (const { x, e } of pending) conditions.push({ op: 'eq', a: now(x), b: e });
  for (const [axis, x] of solved) conditions.push(...inRange(x, axis.extent));

  const map: E.ExprMap = { axis: a => solved.get(a) };
  const old = [...(def.guard ?? []), ...(load.guard ?? [])];
  const guard = simplifyPredicate([
    ...conditions.map(c => ({ ...c, a: now(c.a), b: now(c.b) })),
    ...E.mapPredicate(old, map),
  ]);
  const lift = E.mapExpr(value, {
    ...map,
    load: l =>
      E.load(l.input, { dtype: l.dtype, shape: [] }, l.at, [...guard, ...(l.guard ?? [])], l.fill ?? 0),
  });
  const over = all.filter(a => !solved.has(a));
  return emitIndexed(
    b,
    {
      name: `${def.name}_gradient`,
      inputs: inputs.map(v => v.type),
      axes: elements,
      over: over.length > 0 ? over : [{ name: 'one', extent: D.constant(1) }],
      reduction: 'sum',
      lift,
      guard,
    },
    inputs,
  );
}

function mentions(x: Index, axis: Axis): boolean {
  return A.indexKey(x).includes(A.indexKey(A.index(axis)));
}
