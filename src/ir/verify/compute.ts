import type { Axis, Compute, Expr, Index, Monoid, Out, Predicate } from '../compute.ts';
import * as D from '../dim.ts';
import { mergeArguments } from '../interpret/compute.ts';
import { Names } from '../print/expr.ts';
import { elementCount, printShape, printType, rank, sameShape } from '../type.ts';
import { dtypeProblem } from './dtype.ts';
import { outOfRange } from './range.ts';

/**
 * What is wrong with a Compute, one sentence each; empty where nothing is. `outer` are axes that the enclosing
 * region iterates over.
 *
 * A load without a guard must be in range: that is proved by the index' bounds, and where they do not suffice a
 * counterexample is looked for; coordinates that are computed values are the op's own responsibility.
 */
export function verifyCompute(compute: Compute, outer: readonly Axis[] = []): string[] {
  return new Verifier(compute, outer).run();
}

/** What an expression may refer to. */
interface Scope {
  readonly where: string;
  readonly axes: readonly Axis[];
  /** Holds at every point where the expression is evaluated. */
  readonly given: Predicate;
  /** Components of the finished reduction; undefined where there is none to refer to. */
  readonly monoid: Monoid | undefined;
}

class Verifier {
  readonly #compute: Compute;
  readonly #outer: readonly Axis[];
  readonly #names = new Names();
  readonly #problems = new Set<string>();

  constructor(compute: Compute, outer: readonly Axis[]) {
    this.#compute = compute;
    this.#outer = outer;
  }

  run(): string[] {
    const { axes, reduce, outs } = this.#compute;
    const outer = [...this.#outer, ...axes];
    const all = [...outer, ...(reduce?.axes ?? [])];
    for (const axis of all) this.#names.of(axis);
    all.forEach((axis, i) => {
      if (all.indexOf(axis) !== i) this.#report(`axis ${this.#names.of(axis)} is declared twice`);
    });
    if (reduce) {
      const lifting: Scope = {
        where: reduce.monoid.name,
        axes: all,
        given: reduce.guard ?? [],
        monoid: undefined,
      };
      this.#predicate(reduce.guard ?? [], { ...lifting, where: 'the guard', given: [] });
      this.#dtypes(reduce.lift, reduce.monoid, 'lift');
      for (const e of reduce.lift) this.#expr(e, lifting);
      this.#monoid(reduce.monoid);
    }
    if (outs.length === 0) this.#report('there is no output');
    outs.forEach((out, i) => {
      this.#out(out, { where: `out${i}`, axes: outer, given: [], monoid: reduce?.monoid });
    });
    return [...this.#problems];
  }

  #report(problem: string): void {
    this.#problems.add(problem);
  }

  #out(out: Out, scope: Scope): void {
    const { where } = scope;
    const { axes } = this.#compute;
    this.#expr(out.value, scope);
    if (out.value.dtype !== out.type.dtype)
      this.#report(`${where} is ${printType(out.type)}, but its value is ${out.value.dtype}`);
    for (const axis of out.keep ?? [])
      if (!axes.includes(axis))
        this.#report(`${where} keeps axis ${this.#names.of(axis)}, which is not declared`);
    const kept = out.keep ? axes.filter(a => out.keep!.includes(a)) : axes;
    const extents = kept.map(a => a.extent);
    if (!out.at) {
      if (!sameShape(out.type.shape, extents))
        this.#report(`${where} has the shape ${printShape(out.type.shape)}, its axes ${printShape(extents)}`);
      return;
    }
    if (out.at.length !== rank(out.type))
      this.#report(`${where} has rank ${rank(out.type)}, but is stored at ${out.at.length} coordinates`);
    const points = D.constantValue(D.product(extents));
    const elements = D.constantValue(elementCount(out.type));
    if (!out.partial && points !== undefined && elements !== undefined && points !== elements)
      this.#report(`${where} has ${elements} elements, but ${points} are stored`);
    for (const x of out.at) this.#index(x, scope);
    this.#range(`${where} is stored`, out.at, out.type.shape, scope.given, scope);
  }

  #expr(e: Expr, scope: Scope): void {
    const problem = dtypeProblem(e);
    if (problem) this.#report(`${scope.where}: ${problem}`);
    switch (e.kind) {
      case 'const':
      case 'dim':
        return;
      case 'index':
        this.#index(e.index, scope);
        return;
      case 'load':
        this.#load(e, scope);
        return;
      case 'unary':
      case 'cast':
        this.#expr(e.a, scope);
        return;
      case 'binary':
        this.#expr(e.a, scope);
        this.#expr(e.b, scope);
        return;
      case 'select':
        this.#expr(e.condition, scope);
        this.#expr(e.a, scope);
        this.#expr(e.b, scope);
        return;
      case 'random':
        for (const arg of e.args) this.#expr(arg, scope);
        return;
      case 'reduced':
        this.#reduced(e, scope);
        return;
    }
  }

  #reduced(e: Extract<Expr, { kind: 'reduced' }>, { where, monoid }: Scope): void {
    if (!monoid) {
      this.#report(`${where} refers to a reduction, but there is none that is finished there`);
      return;
    }
    const dtype = monoid.types[e.component];
    if (!dtype)
      this.#report(
        `${where} refers to component ${e.component} of ${monoid.name}, which has ${monoid.types.length}`,
      );
    else if (dtype !== e.dtype)
      this.#report(
        `${where} takes component ${e.component} of ${monoid.name} for ${e.dtype}, but it is ${dtype}`,
      );
  }

  #load(e: Extract<Expr, { kind: 'load' }>, scope: Scope): void {
    for (const x of e.at) this.#index(x, scope);
    if (e.guard) this.#predicate(e.guard, scope);
    const type = this.#compute.inputs[e.input];
    const what = `${scope.where} loads in${e.input}`;
    if (!type) {
      this.#report(`${what}, but there are ${this.#compute.inputs.length} inputs`);
      return;
    }
    if (type.dtype !== e.dtype) this.#report(`${what} as ${e.dtype}, but it is ${printType(type)}`);
    if (type.shape.length !== e.at.length)
      this.#report(`${what} at ${e.at.length} coordinates, but it is ${printType(type)}`);
    else this.#range(what, e.at, type.shape, [...scope.given, ...(e.guard ?? [])], scope);
  }

  #range(what: string, at: readonly Index[], shape: readonly D.Dim[], given: Predicate, scope: Scope): void {
    for (const text of outOfRange(at, shape, { axes: scope.axes, given, names: this.#names }))
      this.#report(`${what} out of range: ${text}`);
  }

  #index(x: Index, scope: Scope): void {
    switch (x.kind) {
      case 'dim':
        return;
      case 'axis':
        if (!scope.axes.includes(x.axis))
          this.#report(`${scope.where} uses axis ${this.#names.of(x.axis)}, which is not declared there`);
        return;
      case 'value':
        if (x.value.dtype !== 'i32')
          this.#report(`${scope.where} is indexed by ${x.value.dtype} instead of i32`);
        this.#expr(x.value, scope);
        return;
      case 'op':
        this.#index(x.a, scope);
        this.#index(x.b, scope);
        return;
    }
  }

  #predicate(predicate: Predicate, scope: Scope): void {
    for (const { a, b } of predicate) {
      this.#index(a, scope);
      this.#index(b, scope);
    }
  }

  /** The merge of two stand-ins must give the same components and refer to nothing else. */
  #monoid(monoid: Monoid): void {
    const count = monoid.types.length;
    const twice = { ...monoid, types: [...monoid.types, ...monoid.types] };
    const merging: Scope = { where: `the merge of ${monoid.name}`, axes: [], given: [], monoid: twice };
    const { a, b } = mergeArguments(monoid);
    const merged = monoid.merge(a, b);
    this.#dtypes(monoid.zero, monoid, 'zero');
    this.#dtypes(merged, monoid, 'merge');
    for (const e of monoid.zero) this.#expr(e, { ...merging, monoid: undefined });
    for (const e of merged) {
      if (hasLoad(e)) this.#report(`the merge of ${monoid.name} loads a tensor`);
      else this.#expr(e, merging);
    }
    if (count === 0) this.#report(`${monoid.name} has no component`);
  }

  #dtypes(parts: readonly Expr[], monoid: Monoid, what: string): void {
    const given = parts.map(e => e.dtype).join(', ');
    const wanted = monoid.types.join(', ');
    if (given !== wanted)
      this.#report(`the ${what} of ${monoid.name} gives (${given}) instead of (${wanted})`);
  }
}

function hasLoad(e: Expr): boolean {
  switch (e.kind) {
    case 'load':
      return true;
    case 'unary':
    case 'cast':
      return hasLoad(e.a);
    case 'binary':
      return hasLoad(e.a) || hasLoad(e.b);
    case 'select':
      return hasLoad(e.condition) || hasLoad(e.a) || hasLoad(e.b);
    case 'random':
      return e.args.some(hasLoad);
    default:
      return false;
  }
}
