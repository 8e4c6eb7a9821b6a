import type { Model, StateTensor } from './plan.ts';
import {
  accepts,
  arrayOf,
  className,
  count,
  encode,
  type TensorValue,
  type TypedArray,
  typeName,
} from './tensor.ts';
import { readWeights } from './weights.ts';

/** A safetensors file, or values by name (a bare array takes the shape that the model has for it). */
export type Weights = ArrayBuffer | Uint8Array | Readonly<Record<string, TypedArray | TensorValue>>;

export interface LoadOptions {
  /** Allow tensors of the model to be missing; they keep what they have. */
  readonly partial?: boolean;
  /** Allow tensors that the model does not have. */
  readonly extra?: boolean;
}

export interface SaveOptions {
  readonly roles?: readonly StateTensor['role'][];
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * The writes to the state buffer that replace tensors by `weights`. Throws an Error with a line for every missing,
 * unknown and misshapen tensor.
 */
export function arrange(
  { name: model, state }: Pick<Model, 'name' | 'state'>,
  weights: Weights,
  { partial, extra }: LoadOptions = {},
): [offset: number, bytes: Uint8Array<ArrayBuffer>][] {
  const given = parse(weights);
  const problems: string[] = [];
  const writes: [offset: number, bytes: Uint8Array<ArrayBuffer>][] = [];
  for (const tensor of state) {
    const value = Object.hasOwn(given, tensor.name) ? given[tensor.name] : undefined;
    if (value) {
      const problem = mismatch(tensor, value);
      if (problem) problems.push(problem);
      else {
        const data = 'data' in value ? value.data : value;
        writes.push([tensor.offset, encode(tensor.dtype, data)]);
      }
    } else if (!partial)
      problems.push(`${tensor.name}: missing, expected ${typeName(tensor.dtype, tensor.shape)}`);
  }
  const known = new Set(state.map(t => t.name));
  for (const name of Object.keys(given)) {
    if (!extra && !known.has(name)) problems.push(`${name}: the model has no such tensor`);
  }
  if (problems.length > 0) throw new Error(problems.map(p => `${model}: ${p}`).join('\n'));
  return writes;
}

function mismatch(tensor: StateTensor, value: TypedArray | TensorValue): string | undefined {
  const { name, dtype, shape } = tensor;
  const expected = `${name}: expected ${typeName(dtype, shape)}`;
  const full = 'shape' in value ? value : undefined;
  const data = full ? full.data : (value as TypedArray);
  if (full && (full.dtype !== dtype || full.shape.join() !== shape.join())) {
    return `${expected}, got ${typeName(full.dtype, full.shape)}`;
  }
  if (!accepts(dtype, data)) return `${expected} in a ${arrayOf(dtype).name}, got ${className(data)}`;
  return data.length === count(shape) ? undefined : `${expected}, got ${data.length} values`;
}

/** The tensors of a file, or the record as it is. */
export function parse(weights: Weights): Readonly<Record<string, TypedArray | TensorValue>> {
  return ['ArrayBuffer', 'Uint8Array'].includes(className(weights))
    ? readWeights(weights as Uint8Array)
    : (weights as Readonly<Record<string, TensorValue>>);
}
