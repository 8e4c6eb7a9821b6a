import * as fc from 'fast-check';
import type { Attr, Attrs, NdArray, Primitive, Sample } from '../src/ir/primitive.ts';
import { ShapeError } from '../src/ir/primitive.ts';
import type { DType } from '../src/ir/type.ts';
import { isFloat } from '../src/ir/type.ts';
import { cutsGradients, gradientGraph, graphOf, hasGradient, secondGradients } from './op-graphs.ts';

/**
 * What docs/ops.md says of an op, found by asking the op about its samples: the same samples, graphs and exceptions as
 * in the tests of the ops, which hold every claim. `op-facts.test.ts` runs what is claimed of dtypes.
 */
export interface OpFacts {
  /** For each input, in order. */
  readonly dtypes: readonly { readonly input: string; readonly dtypes: readonly DType[] }[];
  readonly results: readonly DType[];
  readonly gradient: string;
  readonly second: string;
  /** One for each set of input dtypes. */
  readonly samples: readonly Sample[];
}

export const allDTypes: readonly DType[] = ['f32', 'f16', 'i32', 'u32', 'u8', 'bool'];

/** Enough that every option and every dtype of the samples is among them. */
export const sampled = (op: Primitive): readonly Sample[] =>
  op.samples ? fc.sample(op.samples(fc), { seed: 1, numRuns: 60 }) : [];

const takes = (op: Primitive, sample: Sample): boolean => {
  try {
    graphOf(op, sample);
    return true;
  } catch (error) {
    if (error instanceof ShapeError) return false;
    throw error;
  }
};

/** Numbers that a dtype holds; what is not 0 stays so, since an op may divide by it. */
function converted(x: NdArray, dtype: DType): NdArray {
  if (dtype === x.dtype || (isFloat(dtype) && isFloat(x.dtype))) return { ...x, dtype };
  const value = (v: number): number => {
    if (dtype === 'bool') return v === 0 ? 0 : 1;
    const size = Math.trunc(dtype === 'i32' || isFloat(dtype) ? v : Math.abs(v));
    const whole = dtype === 'u8' ? Math.min(size, 255) : size;
    return v !== 0 && whole === 0 ? 1 : whole;
  };
  return { ...x, dtype, data: x.data.map(value) };
}

const retyped = (sample: Sample, from: DType, to: DType): Sample => ({
  ...sample,
  inputs: sample.inputs.map(x => (x.dtype === from ? converted(x, to) : x)),
  smooth: false,
});

/** One sample for each set of dtypes that the op takes: those of its samples, and others in their place. */
function eachDType(op: Primitive, samples: readonly Sample[]): Sample[] {
  const found = new Map<string, Sample>();
  const key = (s: Sample): string =>
    `${s.inputs.map(x => x.dtype).join()} ${Object.entries(s.attrs)
      .filter(([n]) => op.attrs[n]?.type === 'dtype')
      .map(([, a]) => String(a as Attr))}`;
  const full = (s: Sample): boolean => s.inputs.every(x => x.data.length > 0);
  const consider = (s: Sample): void => {
    const known = found.get(key(s));
    if ((!known || (!full(known) && full(s))) && takes(op, s)) found.set(key(s), s);
  };
  for (const s of samples) consider(s);
  const choices = Object.entries(op.attrs).flatMap(([name, { type }]) => (type === 'dtype' ? [name] : []));
  for (const s of [...found.values()])
    for (const name of choices)
      for (const dtype of allDTypes) {
        // A number that every dtype holds.
        const value: Attrs = typeof s.attrs.value === 'number' ? { value: 1 } : {};
        consider({ ...s, attrs: { ...s.attrs, ...value, [name]: dtype }, smooth: false });
      }
  for (const s of [...found.values()])
    for (const from of new Set(s.inputs.map(x => x.dtype)))
      for (const to of allDTypes)
        if (!(from === 'u32' && op.kind === 'source')) consider(retyped(s, from, to));
  return [...found.values()];
}

/** What becomes of the rule's gradients over all samples. */
function gradientOf(op: Primitive, samples: readonly Sample[]): Pick<OpFacts, 'gradient' | 'second'> {
  const none = (why: string) => ({ gradient: `none: ${why}`, second: '–' });
  if (op.kind === 'macro')
    return { gradient: 'yes: it is one itself, and may stand in another', second: 'yes' };
  if (op.inputs.length === 0) return none('it has no inputs');
  const asked = samples.filter(s => hasGradient(op, s));
  if (asked.length === 0) {
    const floats = samples.some(s => s.inputs.some(x => isFloat(x.dtype)));
    return none(floats ? 'the result holds no floats' : 'no input holds floats');
  }
  if (!op.vjp) return none('no rule');
  if (cutsGradients.includes(op)) return { gradient: 'none: cut on purpose', second: '–' };
  const made = asked.map(s => gradientGraph(op, s));
  if (made.every(g => g.wrt.every(({ i }) => !g.gradients[i]))) return { gradient: '0', second: '0' };
  const further = made.map(secondGradients);
  if (further.every(f => !f)) return { gradient: 'yes', second: 'none' };
  const some = further.some(f => f?.second.some(v => v !== undefined));
  return { gradient: 'yes', second: some ? 'yes' : '0' };
}

export function factsOf(op: Primitive): OpFacts {
  const drawn = sampled(op);
  const samples = eachDType(op, drawn);
  const names = (s: Sample): string[] =>
    s.inputs.map((_, i) => op.inputs[Math.min(i, op.inputs.length - 1)]!);
  const dtypes = op.inputs.map(input => ({
    input,
    dtypes:
      op.kind === 'macro'
        ? (['f32'] as const)
        : allDTypes.filter(d =>
            samples.some(s => s.inputs.some((x, i) => x.dtype === d && names(s)[i] === input)),
          ),
  }));
  const results =
    op.kind === 'macro'
      ? (['f32'] as const)
      : allDTypes.filter(d => samples.some(s => graphOf(op, s).outputs.some(v => v.type.dtype === d)));
  return { dtypes, results, ...gradientOf(op, drawn), samples };
}
