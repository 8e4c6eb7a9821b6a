import { fromFloat16, toFloat16 } from '../../../runtime/float16.ts';
import * as D from '../../ir/dim.ts';
import type { Kernel } from '../../ir/kernel.ts';
import { storageOf, type Tensor } from '../../ir/program.ts';
import type { Task } from './tasks.ts';

/** What a measurement runs: kernels over memory of their own. */
export interface Bench {
  /** How time is taken, where that is worth a word. */
  readonly note?: string;
  /** The memory of a work. Throws an Error where there is not enough. */
  open(task: Task): Promise<Opened>;
}

export interface Opened {
  /** Compiles kernels. Throws an Error where the device refuses them. */
  prepare(kernels: readonly Kernel[]): Promise<Prepared>;
  close(): void;
}

export interface Prepared {
  /** Contents of tensors after one run, each over the same initial memory. */
  results(tensors: readonly Tensor[]): Promise<Float64Array[]>;
  /** Milliseconds of so many runs in a row. */
  time(runs: number): Promise<number>;
  close(): void;
}

type Width = 'f32' | 'f16' | 'i32' | 'u32' | 'u8';

/** What elements are in memory: see `KernelBuffer`. */
function widthOf({ type: { dtype }, role }: Tensor): Width {
  if (dtype === 'bool') return 'u32';
  return dtype === 'u8' && role === 'temporary' ? 'u32' : dtype;
}

const bytesPer: Readonly<Record<Width, number>> = { f32: 4, f16: 2, i32: 4, u32: 4, u8: 1 };

const elementsOf = (tensor: Tensor, { sizes }: Task): number =>
  tensor.type.shape.reduce((n, d) => n * D.evaluate(d, sizes), 1);

/** Bytes of a tensor's memory, whole words. */
export const bytesOf = (tensor: Tensor, task: Task): number =>
  Math.max(4, Math.ceil((elementsOf(tensor, task) * bytesPer[widthOf(tensor)]) / 4) * 4);

/** Memory that a work reads or writes. */
export function storagesOf({ work }: Task): Tensor[] {
  const all = [...work.inputs, ...work.outputs].filter(t => t.role !== 'scalar' && t.role !== 'key');
  return [...new Set(all.map(storageOf))];
}

/** How many numbers are made up; they repeat after that, at places that no tile has in common. */
const period = 65_521;

/**
 * What a tensor holds at first: numbers of both signs, states (variances are among them) positive ones, integers 0, which
 * is a label and an index everywhere.
 */
export function initial(tensor: Tensor, task: Task): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(bytesOf(tensor, task));
  const width = widthOf(tensor);
  if (width !== 'f32' && width !== 'f16') return bytes;
  const count = elementsOf(tensor, task);
  let seed = (tensor.id * 2654435761 + 1) >>> 0;
  const next = (): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const unit = seed / 2 ** 32;
    return tensor.role === 'state' ? 0.1 + 0.9 * unit : unit - 0.5;
  };
  const numbers = width === 'f32' ? new Float32Array(bytes.buffer) : new Uint16Array(bytes.buffer);
  const first = Math.min(count, period);
  for (let i = 0; i < first; i++) numbers[i] = width === 'f32' ? next() : toFloat16(next());
  for (let done = first; done < count; done *= 2) numbers.copyWithin(done, 0, Math.min(done, count - done));
  return bytes;
}

/** The numbers in a tensor's memory. */
export function numbersIn(bytes: ArrayBuffer, tensor: Tensor, task: Task): Float64Array {
  const width = widthOf(tensor);
  const count = elementsOf(tensor, task);
  if (width === 'f16') return Float64Array.from(new Uint16Array(bytes, 0, count), fromFloat16);
  const of = { f32: Float32Array, i32: Int32Array, u32: Uint32Array, u8: Uint8Array }[width];
  return Float64Array.from(new of(bytes, 0, count));
}

/** What two schedules may differ by: a part of each number, and of the largest, which cancelling leaves. */
const tolerance = { f32: { relative: 1e-3, ofLargest: 3e-5 }, f16: { relative: 2e-2, ofLargest: 5e-3 } };

/** The first difference that no rounding explains, in words; undefined where there is none. */
export function differenceOf(
  tensor: Tensor,
  expected: Float64Array,
  actual: Float64Array,
): string | undefined {
  const { dtype } = tensor.type;
  const { relative, ofLargest } = dtype === 'f16' ? tolerance.f16 : tolerance.f32;
  let largest = 0;
  for (const x of expected) if (Number.isFinite(x)) largest = Math.max(largest, Math.abs(x));
  const isFloat = dtype === 'f32' || dtype === 'f16';
  for (let i = 0; i < expected.length; i++) {
    const [x, y] = [expected[i]!, actual[i]!];
    if (Object.is(x, y) || x === y) continue;
    const most = isFloat ? relative * Math.abs(x) + ofLargest * largest : 0;
    if (!(Math.abs(x - y) <= most)) return `${tensor.name}[${i}] is ${y}, not ${x}`;
  }
  return undefined;
}
