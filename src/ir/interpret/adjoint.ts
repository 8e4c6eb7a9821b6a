import type { Compute, Expr, Reduce } from '../compute.ts';
import type { DimEnv } from '../dim.ts';
import { zeros } from '../ndarray.ts';
import type { NdArray } from '../primitive.ts';
import type { BinaryOp, UnaryOp } from '../scalar.ts';
import { unaryTable } from '../scalar.ts';
import { isFloat } from '../type.ts';
import { compileMerge, compileTarget, Frame, loopNest, mergeArguments, noLeaf } from './compute.ts';
import type { ExprScope, Thunk } from './expr.ts';
import { compileExpr, compileIndex, compilePredicate } from './expr.ts';

/**
 * Exact reverse mode over one Compute, in f64: the oracle for the ops' gradient rules, so every derivative is
 * derived here a second time. A reduction is differentiated merge by merge, in order, with the earlier partial
 * result kept: no monoid needs a rule of its own. Ties: `max` and `min` of two values share the cotangent, as
 * `torch.maximum`; inside a merge the earlier point has all of it.
 */

/** Takes the cotangent of an expression and passes it on to its leaves. */
type Pullback = (cotangent: number) => void;

/** Where cotangents end. */
interface AdjointScope extends ExprScope {
  readonly tie: 'share' | 'first';
  pullLoad(input: number, at: readonly Thunk[]): Pullback;
  pullReduced(component: number): Pullback;
}

/** Partial derivative at x, given y = op(x); 0 where the function is a step. */
const unaryDerivative: Readonly<Record<UnaryOp, (x: number, y: number) => number>> = {
  neg: () => -1,
  abs: x => Math.sign(x),
  sign: () => 0,
  floor: () => 0,
  ceil: () => 0,
  round: () => 0,
  exp: x => Math.exp(x),
  log: x => 1 / x,
  sqrt: x => 0.5 / Math.sqrt(x),
  sin: x => Math.cos(x),
  cos: x => -Math.sin(x),
  atan: x => 1 / (1 + x * x),
  tanh: x => 1 / Math.cosh(x) ** 2,
  erf: x => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x),
  // s'(x) = e^-|x| / (1 + e^-|x|)^2, an even function
  sigmoid: x => Math.exp(-Math.abs(x)) / (1 + Math.exp(-Math.abs(x))) ** 2,
  not: () => 0,
};

type Slope = (a: number, b: number) => number;
const none: Slope = () => 0;

/** Partial derivatives with respect to both sides. */
function binaryDerivatives(op: BinaryOp, tie: AdjointScope['tie']): readonly [Slope, Slope] {
  const atTie = tie === 'share' ? 0.5 : 1;
  const rules: Partial<Record<BinaryOp, readonly [Slope, Slope]>> = {
    add: [() => 1, () => 1],
    sub: [() => 1, () => -1],
    mul: [(_, b) => b, a => a],
    div: [(_, b) => 1 / b, (a, b) => -a / (b * b)],
    mod: [() => 1, (a, b) => -Math.floor(a / b)],
    // 0 by convention: x^0 has no slope, and the slope in the exponent is not real for a base <= 0.
    pow: [(a, b) => (b === 0 ? 0 : b * a ** (b - 1)), (a, b) => (a > 0 ? a ** b * Math.log(a) : 0)],
    max: [(a, b) => (a > b ? 1 : a === b ? atTie : 0), (a, b) => (b > a ? 1 : a === b ? 1 - atTie : 0)],
    min: [(a, b) => (a < b ? 1 : a === b ? atTie : 0), (a, b) => (b < a ? 1 : a === b ? 1 - atTie : 0)],
  };
  return rules[op] ?? [none, none];
}

function compilePullback(e: Expr, scope: AdjointScope): Pullback | undefined {
  if (!isFloat(e.dtype)) return undefined;
  switch (e.kind) {
    case 'const':
    case 'dim':
    case 'index':
    case 'random':
      return undefined;
    case 'load': {
      const pull = scope.pullLoad(
        e.input,
        e.at.map(i => compileIndex(i, scope)),
      );
      if (!e.guard || e.guard.length === 0) return pull;
      const holds = compilePredicate(e.guard, scope);
      return ct => {
        if (holds()) pull(ct);
      };
    }
    case 'unary': {
      const pull = compilePullback(e.a, scope);
      if (!pull) return undefined;
      const x = compileExpr(e.a, scope);
      const { op } = e;
      const slope = unaryDerivative[op];
      return ct => {
        const at = x();
        pull(ct * slope(at, unaryTable[op](at)));
      };
    }
    case 'binary': {
      const pullA = compilePullback(e.a, scope);
      const pullB = compilePullback(e.b, scope);
      if (!pullA && !pullB) return undefined;
      const a = compileExpr(e.a, scope);
      const b = compileExpr(e.b, scope);
      const [slopeA, slopeB] = binaryDerivatives(e.op, scope.tie);
      return ct => {
        const x = a();
        const y = b();
        pullA?.(ct * slopeA(x, y));
        pullB?.(ct * slopeB(x, y));
      };
    }
    case 'select': {
      const pullA = compilePullback(e.a, scope);
      const pullB = compilePullback(e.b, scope);
      if (!pullA && !pullB) return undefined;
      const condition = compileExpr(e.condition, scope);
      return ct => (condition() !== 0 ? pullA : pullB)?.(ct);
    }
    case 'cast':
      return compilePullback(e.a, scope);
    case 'reduced':
      return scope.pullReduced(e.component);
  }
}

/** Adds to the gradients of the inputs, and collects what reaches the reduction. */
class AdjointFrame extends Frame implements AdjointScope {
  readonly tie = 'share';
  readonly gradients: readonly (NdArray | undefined)[];
  componentCotangents: number[] = [];

  constructor(inputs: readonly NdArray[], dims: DimEnv) {
    super(inputs, dims, 'f64');
    this.gradients = inputs.map(x => (isFloat(x.dtype) ? zeros(x.dtype, x.shape) : undefined));
  }

  pullLoad(input: number, at: readonly Thunk[]): Pullback {
    const offset = this.locate(input, at);
    const into = this.gradients[input]!.data;
    return ct => {
      into[offset()]! += ct;
    };
  }

  pullReduced(component: number): Pullback {
    return ct => {
      this.componentCotangents[component]! += ct;
    };
  }
}

/** Steps back through acc' = merge(acc, point): replaces the cotangent of acc' by those of acc and point. */
function compileMergePullback(
  reduce: Reduce,
  state: { earlier: number[]; point: number[]; cotangent: number[] },
) {
  const { monoid } = reduce;
  const count = monoid.types.length;
  const ofEarlier = new Array<number>(count).fill(0);
  const ofPoint = new Array<number>(count).fill(0);
  const scope: AdjointScope = {
    dims: {},
    precision: 'f64',
    tie: 'first',
    axis: noLeaf,
    load: noLeaf,
    pullLoad: noLeaf,
    reduced: c => (c < count ? () => state.earlier[c]! : () => state.point[c - count]!),
    pullReduced: c => ct => {
      if (c < count) ofEarlier[c]! += ct;
      else ofPoint[c - count]! += ct;
    },
  };
  const { a, b } = mergeArguments(monoid);
  const pulls = monoid.merge(a, b).map(e => compilePullback(e, scope));
  return (): readonly number[] => {
    ofEarlier.fill(0);
    ofPoint.fill(0);
    for (let i = 0; i < count; i++) if (state.cotangent[i] !== 0) pulls[i]?.(state.cotangent[i]!);
    for (let i = 0; i < count; i++) state.cotangent[i] = ofEarlier[i]!;
    return ofPoint;
  };
}

/** Forward over the reduction keeping every partial result, and the way back. */
function compileReduceAdjoint(reduce: Reduce, frame: AdjointFrame) {
  const count = reduce.monoid.types.length;
  const accumulator = new Array<number>(count).fill(0);
  const point = new Array<number>(count).fill(0);
  const zero = reduce.monoid.zero.map(e => compileExpr(e, frame));
  const merge = compileMerge(reduce.monoid, frame, accumulator, point);
  const state = { earlier: point, point, cotangent: new Array<number>(count).fill(0) };
  const unmerge = compileMergePullback(reduce, state);
  let tape: { earlier: number[]; point: number[]; axes: number[] }[] = [];
  let pulls: (Pullback | undefined)[] = [];
  const run = loopNest(frame, reduce.axes, () => {
    const holds = reduce.guard ? compilePredicate(reduce.guard, frame) : undefined;
    const lift = reduce.lift.map(e => compileExpr(e, frame));
    pulls = reduce.lift.map(e => compilePullback(e, frame));
    return () => {
      if (holds && !holds()) return;
      for (let i = 0; i < count; i++) point[i] = lift[i]!();
      tape.push({ earlier: [...accumulator], point: [...point], axes: [...frame.values] });
      merge();
    };
  });
  const forward = () => {
    tape = [];
    for (let i = 0; i < count; i++) accumulator[i] = zero[i]!();
    run();
  };
  const backward = () => {
    const here = [...frame.values];
    state.cotangent = [...frame.componentCotangents];
    for (const step of tape.reverse()) {
      state.earlier = step.earlier;
      state.point = step.point;
      frame.values.splice(0, step.axes.length, ...step.axes);
      unmerge().forEach((ct, i) => {
        if (ct !== 0) pulls[i]?.(ct);
      });
    }
    frame.values.splice(0, here.length, ...here);
  };
  frame.components = accumulator;
  return { forward, backward };
}

/**
 * Cotangents of the inputs from those of the outputs (undefined = zero). Undefined for inputs that are not float.
 */
export function adjointCompute(
  compute: Compute,
  inputs: readonly NdArray[],
  cotangents: readonly (NdArray | undefined)[],
  dims: DimEnv = {},
): (NdArray | undefined)[] {
  const frame = new AdjointFrame(inputs, dims);
  const run = loopNest(frame, compute.axes, () => {
    const fold = compute.reduce ? compileReduceAdjoint(compute.reduce, frame) : undefined;
    const pulls = compute.outs.map((out, i) => {
      const ct = cotangents[i];
      const pull = ct && compilePullback(out.value, frame);
      if (!pull) return undefined;
      const target = compileTarget(compute, out, ct.shape, frame);
      return () => {
        const flat = target();
        if (flat >= 0) pull(ct.data[flat]!);
      };
    });
    return () => {
      fold?.forward();
      frame.componentCotangents = compute.reduce ? compute.reduce.monoid.types.map(() => 0) : [];
      for (const pull of pulls) pull?.();
      fold?.backward();
    };
  });
  run();
  return [...frame.gradients];
}
