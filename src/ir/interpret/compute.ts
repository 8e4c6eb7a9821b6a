import type { Axis, Compute, Monoid, Out, Reduce } from '../compute.ts';
import type { DimEnv } from '../dim.ts';
import * as D from '../dim.ts';
import * as E from '../expr.ts';
import { size, zeros } from '../ndarray.ts';
import type { NdArray } from '../primitive.ts';
import type { Precision } from '../scalar.ts';
import type { ExprScope, Thunk } from './expr.ts';
import { compileExpr, compileIndex, compilePredicate } from './expr.ts';

/** The mutable state that a Compute's closures share: axis values, and the components of the reduction. */
export class Frame implements ExprScope {
  readonly dims: DimEnv;
  readonly precision: Precision;
  readonly inputs: readonly NdArray[];
  readonly values: number[] = [];
  components: number[] = [];
  readonly #slots = new Map<Axis, number>();

  constructor(inputs: readonly NdArray[], dims: DimEnv, precision: Precision) {
    this.inputs = inputs;
    this.dims = dims;
    this.precision = precision;
  }

  /** Position of the axis in `values`; only declared axes may be used. */
  declare(axis: Axis): number {
    this.values.push(0);
    this.#slots.set(axis, this.values.length - 1);
    return this.values.length - 1;
  }

  axis(axis: Axis): Thunk {
    const { values } = this;
    const slot = this.#slots.get(axis);
    if (slot === undefined) throw new Error(`axis ${axis.name} is used outside the loops that define it`);
    return () => values[slot]!;
  }

  load(input: number, at: readonly Thunk[]): Thunk {
    const offset = this.locate(input, at);
    const { data } = this.inputs[input]!;
    return () => data[offset()]!;
  }

  reduced(component: number): Thunk {
    return () => this.components[component]!;
  }

  /** Flat position of inputs[input][at]; throws where it is out of range. */
  locate(input: number, at: readonly Thunk[]): Thunk {
    const array = this.inputs[input];
    if (!array) throw new Error(`load from input ${input}, of which there are ${this.inputs.length}`);
    return flatThunk(`input ${input}`, array.shape, at);
  }
}

/** Row-major position of `at`, every coordinate checked. */
export function flatThunk(what: string, shape: readonly number[], at: readonly Thunk[]): Thunk {
  if (at.length !== shape.length)
    throw new Error(`${what} has rank ${shape.length}, indexed by ${at.length}`);
  return () => {
    let flat = 0;
    for (let i = 0; i < at.length; i++) {
      const x = at[i]!();
      const n = shape[i]!;
      if (!(x >= 0 && x < n))
        throw new RangeError(
          `${what} of shape [${shape.join(', ')}]: index ${x} on axis ${i} is out of range`,
        );
      flat = flat * n + x;
    }
    return flat;
  };
}

/** Loops over the axes, the last innermost. The body is compiled once the axes are known to the frame. */
export function loopNest(frame: Frame, axes: readonly Axis[], compile: () => () => void): () => void {
  const { values } = frame;
  const slots = axes.map(a => frame.declare(a));
  const extents = axes.map(a => D.evaluate(a.extent, frame.dims));
  return extents.reduceRight<() => void>((inner, extent, depth) => {
    const slot = slots[depth]!;
    return () => {
      for (let i = 0; i < extent; i++) {
        values[slot] = i;
        inner();
      }
      values[slot] = 0;
    };
  }, compile());
}

/** The monoid's merge as a closure: `accumulator` becomes merge(accumulator, point). */
export function compileMerge(
  monoid: Monoid,
  frame: Frame,
  accumulator: number[],
  point: number[],
): () => void {
  const { a, b } = mergeArguments(monoid);
  const count = monoid.types.length;
  const scope: ExprScope = {
    dims: frame.dims,
    precision: frame.precision,
    axis: noLeaf,
    load: noLeaf,
    reduced: component =>
      component < count ? () => accumulator[component]! : () => point[component - count]!,
  };
  const merged = monoid.merge(a, b).map(e => compileExpr(e, scope));
  if (count === 1) {
    const [only] = merged;
    return () => {
      accumulator[0] = only!();
    };
  }
  const next = new Array<number>(count).fill(0);
  return () => {
    for (let i = 0; i < count; i++) next[i] = merged[i]!();
    for (let i = 0; i < count; i++) accumulator[i] = next[i]!;
  };
}

/** Stand-ins for the two sides of a merge: components 0..n-1 are the earlier side, n..2n-1 the later one. */
export function mergeArguments(monoid: Monoid) {
  const n = monoid.types.length;
  const standIn = (component: number, i: number) =>
    ({ ...E.reduced(i, monoid), component }) as ReturnType<typeof E.reduced>;
  return {
    a: monoid.types.map((_, i) => standIn(i, i)),
    b: monoid.types.map((_, i) => standIn(n + i, i)),
  };
}

export function noLeaf(): never {
  throw new Error('a merge only combines its arguments: no axes, no loads');
}

/**
 * Executes one Compute. Outputs in the order of `outs`; throws on a load out of range that no guard covers. `before`
 * is what those hold that are written in part.
 */
export function interpretCompute(
  compute: Compute,
  inputs: readonly NdArray[],
  dims: DimEnv = {},
  precision: Precision = 'f64',
  before: readonly (NdArray | undefined)[] = [],
): NdArray[] {
  const frame = new Frame(inputs, dims, precision);
  const results = compute.outs.map(
    (out, i) =>
      before[i] ??
      zeros(
        out.type.dtype,
        out.type.shape.map(d => D.evaluate(d, dims)),
      ),
  );
  const run = loopNest(frame, compute.axes, () => {
    const fold = compute.reduce ? compileReduce(compute.reduce, frame) : undefined;
    const stores = compute.outs.map((out, i) => compileStore(compute, out, results[i]!, frame));
    return () => {
      fold?.();
      for (const store of stores) store();
    };
  });
  run();
  return results;
}

function compileReduce(reduce: Reduce, frame: Frame): () => void {
  const accumulator: number[] = reduce.monoid.types.map(() => 0);
  const point: number[] = reduce.monoid.types.map(() => 0);
  const zero = reduce.monoid.zero.map(e => compileExpr(e, frame));
  const merge = compileMerge(reduce.monoid, frame, accumulator, point);
  const run = loopNest(frame, reduce.axes, () => {
    const holds = reduce.guard ? compilePredicate(reduce.guard, frame) : undefined;
    const lift = reduce.lift.map(e => compileExpr(e, frame));
    return () => {
      if (holds && !holds()) return;
      for (let i = 0; i < lift.length; i++) point[i] = lift[i]!();
      merge();
    };
  });
  frame.components = accumulator;
  return () => {
    for (let i = 0; i < zero.length; i++) accumulator[i] = zero[i]!();
    run();
  };
}

/** Flat position where an output is stored at the current point; -1 where `keep` says that it is not. */
export function compileTarget(compute: Compute, out: Out, shape: readonly number[], frame: Frame): Thunk {
  const kept = out.keep ?? compute.axes;
  const at = out.at ? out.at.map(i => compileIndex(i, frame)) : kept.map(a => frame.axis(a));
  const flat = flatThunk('output', shape, at);
  if (!out.keep) return flat;
  const dropped = compute.axes.filter(a => !kept.includes(a)).map(a => frame.axis(a));
  return () => (dropped.every(a => a() === 0) ? flat() : -1);
}

function compileStore(compute: Compute, out: Out, result: NdArray, frame: Frame): () => void {
  if (size(result.shape) === 0) return () => {};
  const target = compileTarget(compute, out, result.shape, frame);
  const value = compileExpr(out.value, frame);
  return () => {
    const flat = target();
    if (flat >= 0) result.data[flat] = value();
  };
}
