import * as fc from 'fast-check';
import * as D from '../../src/ir/dim.ts';
import type { Attr, Attrs, NdArray, Primitive, Sample } from '../../src/ir/primitive.ts';
import { ShapeError, withDefaults } from '../../src/ir/primitive.ts';
import type { DType, TensorType } from '../../src/ir/type.ts';
import { sameShape, tensor } from '../../src/ir/type.ts';
import { primitive, primitives } from '../../src/ops/list.ts';
import type { Val } from './case.ts';
import { classesOf, classOf } from './classes.ts';
import { cast, fitted, within } from './fit.ts';
import { inferred, N, type Writer } from './writer.ts';

/** Primitives that text can call with what their samples hold; `gradient` is called as `grad`. */
export const callable: readonly Primitive[] = primitives.filter(op => op.samples !== undefined);

/** How an op is about to be called: types of its inputs and attributes, perhaps over a free size or other dtypes. */
interface Call {
  readonly types: readonly TensorType[];
  readonly attrs: Attrs;
}

/** One call of an op as a sample of it has it: the same sizes, ranges and attributes, on values of the program. */
export function callLike(w: Writer, op: Primitive, dtypes: readonly DType[]): void {
  const sample = drawn(w, op);
  const call = freed(w, op, sample) ?? { types: typesOf(sample), attrs: sample.attrs };
  const { types, attrs } = retyped(w, op, call, sample, dtypes);
  const places = op.inputs[1] === 'index' && op.attrs.kernel !== undefined;
  const inputs = types.map((type, i) =>
    places && i === 1 ? winners(w, types[0]!, attrs) : source(w, type, sample.inputs[i]!),
  );
  w.keep(...w.call(op, inputs, attrs));
}

/** Positions in windows are those that max_pool of the same geometry gives: others mean nothing. */
function winners(w: Writer, x: TensorType, { spatial, ...geometry }: Attrs): Val {
  const shape = [...x.shape.slice(0, 2), ...((spatial as readonly D.Dim[]) ?? x.shape.slice(2))];
  const from = w.find(v => v.type.dtype === 'f32')!;
  return w.call(primitive('max_pool')!, [fitted(w, from, shape.map(D.dim))], geometry)[1]!;
}

const typesOf = (sample: Sample): TensorType[] => sample.inputs.map(x => tensor(x.dtype, x.shape));

/** A sample with the options that are wished for, else with any of their classes, each as often. */
function drawn(w: Writer, op: Primitive): Sample {
  const [seed, empty] = [w.random.below(2 ** 31), w.random.chance(0.03)];
  const wanted = Object.keys(op.attrs).flatMap(name => {
    const classes = classesOf(op, name);
    if (classes.length < 2) return [];
    const wished = classes.filter(c => w.wishes.has(`option: ${op.name}.${name}: ${c}`));
    return [
      {
        name,
        value: w.random.pick(wished.length > 0 ? wished : classes),
        weight: wished.length > 0 ? 100 : 1,
      },
    ];
  });
  const some = fc.sample(op.samples!(fc), { seed, numRuns: wanted.length > 0 ? 60 : 8 });
  const full = some.filter(s => s.inputs.some(x => x.data.length === 0) === empty);
  const met = (s: Sample): number => {
    const filled = withDefaults(op, s.attrs);
    const attrs = op.prepare ? op.prepare(typesOf(s), filled) : filled;
    const rank = s.inputs[0]?.shape.length ?? 0;
    return wanted.reduce((sum, o) => sum + (classOf(op, attrs, rank, o.name) === o.value ? o.weight : 0), 0);
  };
  const best = (full.length > 0 ? full : some)
    .map(s => ({ s, met: met(s) }))
    .reduce((a, b) => (b.met > a.met ? b : a));
  for (const { name, value } of wanted) w.wishes.delete(`option: ${op.name}.${name}: ${value}`);
  return best.s;
}

/** A size of the sample becomes N in an axis of all inputs, and in the attributes where it has to. */
function freed(w: Writer, op: Primitive, { inputs, attrs }: Sample): Call | undefined {
  if (w.random.chance(0.3)) return undefined;
  const axes = w.random.shuffled([0, 1, 2]).slice(0, 2);
  for (const axis of axes) {
    const size = inputs[0]?.shape[axis];
    if (!size) continue;
    const types = inputs.map(x =>
      tensor(
        x.dtype,
        x.shape.map((d, i) => (i === axis && d === size ? N : d)),
      ),
    );
    for (const tried of [attrs, sized(op, attrs, size)])
      if (takes(op, types, tried)) return { types, attrs: tried };
  }
  return undefined;
}

/** Attributes that are sizes, with N for one of them. */
function sized(op: Primitive, attrs: Attrs, size: number): Attrs {
  let done = false;
  const change = (a: Attr): Attr => {
    const value = typeof a === 'object' && 'terms' in a ? D.constantValue(a) : a;
    if (done || value !== size) return a;
    done = true;
    return N;
  };
  return Object.fromEntries(
    Object.entries(attrs).map(([name, a]) => {
      const { type } = op.attrs[name]!;
      if (type !== 'dims' && type !== 'dim') return [name, a];
      return [name, Array.isArray(a) ? a.map(change) : change(a)];
    }),
  );
}

/** Whether the op takes them, for each number of examples. */
function takes(op: Primitive, types: readonly TensorType[], attrs: Attrs): boolean {
  try {
    return inferred(op, types, attrs).every(t =>
      // What is empty for some N alone is refused when it runs.
      t.shape.every(d => [1, 2, 3, 4].every(n => D.evaluate(d, { N: n }) >= (D.isConstant(d, 0) ? 0 : 1))),
    );
  } catch (error) {
    if (error instanceof ShapeError) return false;
    throw error;
  }
}

/** All inputs of a dtype in another one, now and then. */
function retyped(w: Writer, op: Primitive, call: Call, sample: Sample, dtypes: readonly DType[]): Call {
  if (w.random.chance(0.6)) return call;
  const from = w.random.pick(sample.inputs.length > 0 ? sample.inputs.map(x => x.dtype) : (['f32'] as const));
  const to = w.random.pick(dtypes);
  const negative = sample.inputs.some(x => x.dtype === from && x.data.some(v => v < 0));
  if (from === to || (negative && (to === 'u32' || to === 'u8'))) return call;
  const types = call.types.map(t => (t.dtype === from ? { ...t, dtype: to } : t));
  const attrs = Object.fromEntries(
    Object.entries(call.attrs).map(([name, a]) => [
      name,
      op.attrs[name]!.type === 'dtype' && a === from ? to : a,
    ]),
  );
  return takes(op, types, attrs) ? { types, attrs } : call;
}

/** A value of the type, in the range of a sample. */
export function source(w: Writer, type: TensorType, sample: NdArray): Val {
  const alike = (v: Val): boolean => v.type.dtype === type.dtype;
  const exact = w.random.chance(0.7)
    ? w.find(v => alike(v) && sameShape(v.type.shape, type.shape))
    : undefined;
  const from = exact ?? (w.random.chance(0.85) ? w.find(alike) : undefined) ?? w.find(() => true)!;
  return within(w, cast(w, fitted(w, from, type.shape), type.dtype), sample);
}
