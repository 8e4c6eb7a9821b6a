import type { Program, Tensor } from './plan.ts';
import {
  accepts,
  arrayOf,
  className,
  count,
  encode,
  evaluate,
  type TensorInput,
  type TypedArray,
  typeName,
} from './tensor.ts';

/** The arguments of a run, checked. */
export interface Arguments {
  /** Values of `program.dims`. */
  readonly dims: readonly number[];
  /** The uniform block. */
  readonly words: Uint32Array<ArrayBuffer>;
  /** As the device stores them, in the order of `program.inputs`; may be views of the caller's arrays. */
  readonly inputs: readonly Uint8Array<ArrayBuffer>[];
}

/**
 * Checks names, dtypes and shapes, and finds the free dims: from shapes where given, else from the count of values
 * where one dim of a tensor is unknown, else from `scalars`. Throws one Error with a line for each problem.
 */
export function match(
  where: string,
  program: Pick<Program, 'dims' | 'scalars' | 'inputs'>,
  inputs: Readonly<Record<string, TensorInput>>,
  scalars: Readonly<Record<string, number>>,
): Arguments {
  const problems: string[] = [];
  const dims = new Map<string, number>();
  for (const name of program.dims) if (Object.hasOwn(scalars, name)) dims.set(name, scalars[name]!);
  const values = () => program.dims.map(name => dims.get(name)!);

  const expected = ({ name, dtype, shape }: Tensor, got: string) => {
    const known = shape.filter((d, i) => dims.has(d as string) && shape.indexOf(d) === i);
    const where = known.map(d => `${d} = ${dims.get(d as string)}`).join(', ');
    problems.push(`${name}: expected ${typeName(dtype, shape)}${where && ` with ${where}`}, got ${got}`);
  };

  const given: { tensor: Tensor; data: TypedArray; shape?: readonly number[] }[] = [];
  for (const tensor of program.inputs) {
    const { name, dtype } = tensor;
    const input: unknown = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
    if (input === undefined || input === null) {
      expected(tensor, 'nothing');
      continue;
    }
    const pair = (ArrayBuffer.isView(input) ? { data: input } : input) as {
      data?: unknown;
      shape?: readonly number[];
    };
    if (!accepts(dtype, pair.data)) {
      problems.push(
        `${name}: expected ${dtype} in a ${arrayOf(dtype).name}, got ${className(pair.data ?? input)}`,
      );
    } else if (pair.shape && count(pair.shape) !== pair.data.length) {
      expected(tensor, `shape [${pair.shape.join(', ')}] with ${pair.data.length} values`);
    } else {
      given.push({ tensor, data: pair.data, shape: pair.shape });
    }
  }
  const known = program.inputs.map(t => t.name);
  for (const name of Object.keys(inputs)) {
    if (!known.includes(name)) {
      problems.push(
        `${name}: no such input; ${known.length ? `expected ${known.join(', ')}` : 'there are none'}`,
      );
    }
  }

  // Shapes bind dims by position; then counts bind what is left, as often as one count makes another solvable.
  for (const { tensor, shape } of given) {
    if (shape?.length !== tensor.shape.length) continue;
    tensor.shape.forEach((d, i) => {
      if (typeof d === 'string' && !dims.has(d)) dims.set(d, shape[i]!);
    });
  }
  for (let before = -1; before < dims.size; ) {
    before = dims.size;
    for (const { tensor, data } of given) {
      const [name, n] = solve(tensor, data.length, dims) ?? [];
      if (name === undefined) continue;
      // An impossible count is reported below, where it meets the shape.
      dims.set(name, n!);
    }
  }

  for (const name of program.dims) {
    const value = dims.get(name);
    if (value !== undefined && !(Number.isInteger(value) && value >= 1)) {
      problems.push(`${name} = ${value}: a free dim is an integer of at least 1`);
    } else if (value === undefined && problems.length === 0) {
      const user = given.find(g => g.tensor.shape.includes(name)) ?? given[0];
      if (!user) problems.push(`${name} is unknown: pass it among the scalars`);
      else {
        expected(user.tensor, `${user.data.length} values, which leaves ${name} open: pass { data, shape }`);
      }
    }
  }
  if (dims.size === program.dims.length) {
    for (const { tensor, data, shape } of given) {
      const want = tensor.shape.map(d => (typeof d === 'string' ? dims.get(d)! : evaluate(d, values())));
      if (
        shape
          ? shape.length !== want.length || shape.some((d, i) => d !== want[i])
          : data.length !== count(want)
      ) {
        expected(tensor, shape ? typeName(tensor.dtype, shape) : `${data.length} values`);
      }
    }
  }

  const words = new Uint32Array(Math.max(4, program.dims.length + program.scalars.length));
  words.set(values());
  const views = { f32: new Float32Array(words.buffer), i32: new Int32Array(words.buffer), u32: words };
  program.scalars.forEach(({ name, dtype }, i) => {
    const value = scalars[name];
    if (typeof value !== 'number') problems.push(`${name}: expected a number, got ${value}`);
    else views[dtype][program.dims.length + i] = value;
  });

  if (problems.length > 0) throw new Error(problems.map(p => `${where}: ${p}`).join('\n'));
  return { dims: values(), words, inputs: given.map(g => encode(g.tensor.dtype, g.data, true)) };
}

/** The one unknown dim of a tensor from its count of values, rounded; undefined where that is not the case. */
function solve(
  { shape }: Tensor,
  values: number,
  dims: ReadonlyMap<string, number>,
): [name: string, n: number] | undefined {
  const open = shape.filter(d => typeof d === 'string' && !dims.has(d));
  const name = open[0];
  if (typeof name !== 'string' || open.some(d => d !== name)) return undefined;
  let known = 1;
  for (const d of shape) {
    // A function may need the very dim that is sought.
    if (typeof d === 'function') return undefined;
    known *= typeof d === 'number' ? d : (dims.get(d) ?? 1);
  }
  return [name, Math.max(1, Math.round((values / known) ** (1 / open.length)))];
}
