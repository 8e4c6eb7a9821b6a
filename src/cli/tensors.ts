import type { TensorValue, TypedArray } from '../../runtime/index.ts';
import { fromNdArray, type StTensor, toNdArray } from '../interop/safetensors.ts';
import type { DimEnv } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import type { NdArray } from '../ir/primitive.ts';
import type { DType, TensorType } from '../ir/type.ts';
import { isFloat, printType } from '../ir/type.ts';
import { DiagnosticError } from '../support/diagnostic.ts';
import { tensorsDoNotFit } from '../support/errors/training.ts';
import { float16ToNumber } from '../support/float16.ts';
import { closest } from '../support/suggest.ts';

/** Tensors of a file by name. */
export type Tensors = ReadonlyMap<string, TensorValue>;

/** What a tensor is, wherever its values are. */
export type Typed = Pick<TensorValue, 'dtype' | 'shape'>;

/** A tensor that a program takes or keeps. */
export interface TensorSpec {
  readonly name: string;
  readonly type: TensorType;
}

const native: Readonly<Partial<Record<StTensor['dtype'], DType>>> = {
  F32: 'f32',
  F16: 'f16',
  I32: 'i32',
  U32: 'u32',
  U8: 'u8',
  BOOL: 'bool',
};

/** As the runtime takes it. Throws `DiagnosticError` E0408 for a 64-bit integer that does not fit. */
export function hostTensor(tensor: StTensor, name: string): TensorValue {
  const dtype = native[tensor.dtype];
  if (dtype) return { dtype, shape: tensor.shape, data: tensor.data as TypedArray };
  return fromArray(toNdArray(tensor, name));
}

/** As the interpreter takes it. */
export function toArray({ dtype, shape, data }: TensorValue): NdArray {
  return {
    dtype,
    shape,
    data: dtype === 'f16' ? Float64Array.from(data, float16ToNumber) : Float64Array.from(data),
  };
}

/** The interpreter's doubles in the dtype's own array; floats round to nearest even. */
export function fromArray(array: NdArray): TensorValue {
  return { dtype: array.dtype, shape: array.shape, data: fromNdArray(array).data as TypedArray };
}

/** Floats in the precision that is wanted; everything else as it is. */
export function withFloatsOf(wanted: readonly TensorSpec[], given: Tensors): Tensors {
  const types = new Map(wanted.map(({ name, type }) => [name, type.dtype]));
  return new Map(
    [...given].map(([name, value]) => {
      const dtype = types.get(name);
      const converts = dtype !== undefined && dtype !== value.dtype && isFloat(dtype) && isFloat(value.dtype);
      return [name, converts ? fromArray({ ...toArray(value), dtype }) : value];
    }),
  );
}

/** `f32[3, 28, 28]` */
export function describeTensor({ dtype, shape }: Typed): string {
  return shape.length === 0 ? dtype : `${dtype}[${shape.join(', ')}]`;
}

export interface MatchOptions {
  readonly dims?: DimEnv;
  /** Names that may be there though nothing takes them. */
  readonly isKnown?: (name: string) => boolean;
  /** Names that may be there where everything wanted is. */
  readonly isElsewhere?: (name: string) => boolean;
}

/**
 * Checks tensors against what is wanted, and finds the free dims. Throws one error with a line for each tensor that
 * is missing, unknown or does not fit; each names both types. `owner` says whose tensors they are ("net LeNet").
 */
export function matchTensors(
  owner: string,
  wanted: readonly TensorSpec[],
  given: ReadonlyMap<string, Typed>,
  options: MatchOptions = {},
): DimEnv {
  const problems: string[] = [];
  const present: { spec: TensorSpec; value: Typed }[] = [];
  for (const spec of wanted) {
    const value = given.get(spec.name);
    const type = printType(spec.type);
    if (!value) problems.push(`${spec.name}: missing, expected ${type}`);
    else if (value.dtype !== spec.type.dtype || value.shape.length !== spec.type.shape.length)
      problems.push(`${spec.name}: expected ${type}, got ${describeTensor(value)}`);
    else present.push({ spec, value });
  }
  const dims = bindDims(present, options.dims ?? {});
  for (const { spec, value } of present) {
    const open = [...spec.type.shape.reduce((all, d) => D.symbols(d, all), new Set<string>())];
    const unknown = open.filter(name => dims[name] === undefined);
    if (unknown.length === 0 && spec.type.shape.every((d, i) => D.evaluate(d, dims) === value.shape[i]))
      continue;
    const bound = open.filter(name => dims[name] !== undefined).map(name => `${name} = ${dims[name]}`);
    const where = [...bound, ...unknown.map(name => `${name} unknown`)].join(', ');
    problems.push(
      `${spec.name}: expected ${printType(spec.type)}${where && ` with ${where}`}, got ${describeTensor(value)}`,
    );
  }
  const names = wanted.map(w => w.name);
  // Where one is missing, it may be there under a wrong name.
  const complete = names.every(name => given.has(name));
  for (const [name, value] of given) {
    if (names.includes(name) || options.isKnown?.(name)) continue;
    if (complete && options.isElsewhere?.(name)) continue;
    const near = closest(name, names);
    const hint = near
      ? `; did you mean ${near}?`
      : names.length <= 8
        ? `; it has ${names.join(', ') || 'none'}`
        : '';
    problems.push(`${name}: ${owner} has no such tensor (${describeTensor(value)})${hint}`);
  }
  if (problems.length > 0) throw new DiagnosticError(tensorsDoNotFit(owner, problems));
  return dims;
}

/** Free dims that stand alone in a shape take the first extent that is met. Extents of 0 bind nothing: a free dim is at least 1. */
function bindDims(present: readonly { spec: TensorSpec; value: Typed }[], known: DimEnv): DimEnv {
  const dims: Record<string, number> = { ...known };
  for (const { spec, value } of present)
    spec.type.shape.forEach((d, i) => {
      const [name] = D.symbols(d);
      const extent = value.shape[i]!;
      if (name === d.key && dims[name] === undefined && extent > 0) dims[name] = extent;
    });
  return dims;
}
