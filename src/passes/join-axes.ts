import * as A from '../ir/affine.ts';
import type { Axis, Comparison, Compute, Expr, Index } from '../ir/compute.ts';
import * as D from '../ir/dim.ts';
import * as E from '../ir/expr.ts';
import type { Program, Tensor, Work } from '../ir/program.ts';
import type { TensorType } from '../ir/type.ts';
import type { Load } from './copies.ts';
import { mapCompute } from './fuse/definition.ts';
import { Temporaries } from './temporaries.ts';

/**
 * Neighbouring axes that every tensor knows as neighbours become one, and the tensors are seen in that shape: rows and
 * columns of an image are just places to a 1 x 1 convolution, and all axes one to elementwise work.
 *
 *     for y < 56, x < 56   out[o, y, x] = .. image[c, y, x]   ->   for p < 3136   out[o, p] = .. image[c, p]
 *
 * Vectors then run over the ends of rows, and loops are longer.
 */
export function joinAxes(program: Program): Program {
  const temporaries = new Temporaries(program);
  const views = new Views(temporaries);
  const works = program.works.map(work => joined(work, views));
  return { ...program, works, tensors: [...program.tensors, ...temporaries.made] };
}

/** Tensors in other shapes, each once. */
class Views {
  readonly #temporaries: Temporaries;
  readonly #made = new Map<string, Tensor>();

  constructor(temporaries: Temporaries) {
    this.#temporaries = temporaries;
  }

  of(tensor: Tensor, type: TensorType): Tensor {
    const key = `${tensor.id} ${type.shape.map(d => d.key).join()}`;
    let view = this.#made.get(key);
    if (!view) {
      view = this.#temporaries.make(`${tensor.name}_joined`, type, tensor.origin, tensor);
      this.#made.set(key, view);
    }
    return view;
  }
}

function joined(work: Work, views: Views): Work {
  let current = work;
  for (let i = 0; ; ) {
    const [compute] = current.region.stages;
    const [outer, inner] = compute!.axes.slice(i, i + 2);
    if (!outer || !inner) return current;
    const next = join(current, compute!, outer, inner, views);
    if (next) current = next;
    else i++;
  }
}

/** The work with two axes as one; undefined where some tensor tells them apart. */
function join(work: Work, compute: Compute, outer: Axis, inner: Axis, views: Views): Work | undefined {
  const { outs } = compute;
  const places = outs.map(o => o.at ?? (o.keep ?? compute.axes).map(A.index));
  let fits = outs.every(o => !o.keep || o.keep.includes(outer) === o.keep.includes(inner));

  const isKnown = (x: Index): boolean => {
    let found = false;
    E.visitIndex(x, { axis: a => void (found ||= a === outer || a === inner) });
    return found;
  };
  /** The dim that the outer axis is, if the inner one is the next; undefined: neither is used. */
  const dimOf = (at: readonly Index[], shape: readonly D.Dim[]): number | undefined => {
    const used = at.flatMap((x, d) => (isKnown(x) ? [d] : []));
    if (used.length === 0) return undefined;
    const [d, e] = used;
    fits &&=
      used.length === 2 &&
      e === d! + 1 &&
      isAxis(at[d!]!, outer) &&
      isAxis(at[e]!, inner) &&
      D.equal(shape[e]!, inner.extent);
    return d;
  };
  const dimsOf = new Map<number, number | undefined>();
  const note = (l: Load): void => {
    const tensor = work.inputs[l.input]!;
    const { shape } = compute.inputs[l.input]!;
    const d = dimOf(l.at, shape);
    fits &&= tensor.role !== 'scalar' && tensor.role !== 'key';
    fits &&= !dimsOf.has(l.input) || dimsOf.get(l.input) === d;
    fits &&= l.guard?.every(c => !knows(c, isKnown)) ?? true;
    dimsOf.set(l.input, d);
  };
  const seen = new Set<Expr>();
  for (const e of [...(compute.reduce?.lift ?? []), ...outs.map(o => o.value)]) {
    if (!fits) return undefined;
    if (seen.has(e)) continue;
    E.visitExpr(e, { seen, load: note });
    // An axis that is a number in the expression is not only a place.
    fits &&= !usesAsNumber(e, isKnown);
  }
  fits &&= compute.reduce?.guard?.every(c => !knows(c, isKnown)) ?? true;
  const outDims = places.map((at, i) => dimOf(at, outs[i]!.type.shape));
  // Each element is stored at both axes, or it is not stored once.
  fits &&= outDims.every((d, i) => d !== undefined || outs[i]!.keep !== undefined);
  if (!fits) return undefined;

  const whole: Axis = { name: inner.name, extent: D.mul(outer.extent, inner.extent) };
  const merged = (at: readonly Index[], d: number | undefined): Index[] =>
    d === undefined ? [...at] : [...at.slice(0, d), A.index(whole), ...at.slice(d + 2)];
  const type = ({ dtype, shape }: TensorType, d: number | undefined): TensorType =>
    d === undefined
      ? { dtype, shape }
      : { dtype, shape: [...shape.slice(0, d), D.mul(shape[d]!, shape[d + 1]!), ...shape.slice(d + 2)] };
  const types = compute.inputs.map((t, i) => type(t, dimsOf.get(i)));
  const changed = mapCompute(
    { ...compute, outs: outs.map(({ at: _, ...o }) => o) },
    {
      load: l => {
        const d = dimsOf.get(l.input);
        return d === undefined ? l : { ...l, at: merged(l.at, d) };
      },
    },
  );
  const both = (axes: readonly Axis[]): Axis[] =>
    axes.flatMap(a => (a === outer ? [whole] : a === inner ? [] : [a]));
  const stage: Compute = {
    ...changed,
    inputs: types,
    axes: both(compute.axes),
    outs: changed.outs.map((o, i) => ({
      ...o,
      type: type(o.type, outDims[i]),
      at: merged(places[i]!, outDims[i]),
      ...(o.keep && { keep: both(o.keep) }),
    })),
  };
  return {
    ...work,
    inputs: work.inputs.map((t, i) => (dimsOf.get(i) === undefined ? t : views.of(t, types[i]!))),
    outputs: work.outputs.map((t, i) => (outDims[i] === undefined ? t : views.of(t, stage.outs[i]!.type))),
    region: { ...work.region, stages: [stage] },
  };
}

const isAxis = (x: Index, axis: Axis): boolean => x.kind === 'axis' && x.axis === axis;

const knows = (c: Comparison, isKnown: (x: Index) => boolean): boolean => isKnown(c.a) || isKnown(c.b);

function usesAsNumber(e: Expr, isKnown: (x: Index) => boolean): boolean {
  switch (e.kind) {
    case 'index':
      return isKnown(e.index);
    case 'load':
      return e.at.some(x => valuesIn(x).some(v => usesAsNumber(v, isKnown)));
    case 'unary':
    case 'cast':
      return usesAsNumber(e.a, isKnown);
    case 'binary':
      return usesAsNumber(e.a, isKnown) || usesAsNumber(e.b, isKnown);
    case 'select':
      return [e.condition, e.a, e.b].some(x => usesAsNumber(x, isKnown));
    case 'random':
      return e.args.some(x => usesAsNumber(x, isKnown));
    default:
      return false;
  }
}

/** Computed values inside an index. */
function valuesIn(x: Index): Expr[] {
  if (x.kind === 'value') return [x.value];
  return x.kind === 'op' ? [...valuesIn(x.a), ...valuesIn(x.b)] : [];
}
