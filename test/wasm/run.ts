import { printWasm, scratchBytes, type WasmEntry } from '../../src/codegen/wasm/module.ts';
import type { DimEnv } from '../../src/ir/dim.ts';
import { evaluate } from '../../src/ir/dim.ts';
import type { DType } from '../../src/ir/type.ts';
import { float16ToNumber, numberToFloat16 } from '../../src/support/float16.ts';

/** Elements as the interpreter holds them, one number each. */
export type Buffers = Record<string, Float64Array>;

export interface Exports {
  run(thread: number, threads: number, table: number): void;
  start(table: number): void;
  serve(thread: number, threads: number): void;
}

export const bytesOf: Readonly<Record<DType, number>> = { f32: 4, f16: 2, i32: 4, u32: 4, u8: 1, bool: 4 };

/** What the tests use of the engine, which the types of Node leave out. */
export interface Memory {
  readonly buffer: SharedArrayBuffer;
}
interface Engine {
  readonly Memory: new (size: { initial: number; maximum: number; shared: boolean }) => Memory;
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
}
export const engine = (globalThis as unknown as { WebAssembly: Engine }).WebAssembly;

type Words = Float32Array | Int32Array | Uint32Array | Uint16Array | Uint8Array;

function view(memory: SharedArrayBuffer, dtype: DType, at: number, count: number): Words {
  const Elements: Readonly<
    Record<DType, new (memory: SharedArrayBuffer, at: number, count: number) => Words>
  > = {
    f32: Float32Array,
    f16: Uint16Array,
    i32: Int32Array,
    u32: Uint32Array,
    u8: Uint8Array,
    bool: Uint32Array,
  };
  return new Elements[dtype](memory, at, count);
}

export function write(memory: SharedArrayBuffer, dtype: DType, at: number, data: Float64Array): void {
  view(memory, dtype, at, data.length).set(dtype === 'f16' ? data.map(numberToFloat16) : data);
}

export function read(memory: SharedArrayBuffer, dtype: DType, at: number, count: number): Float64Array {
  const data = Float64Array.from(view(memory, dtype, at, count));
  return dtype === 'f16' ? data.map(float16ToNumber) : data;
}

/** Kernels of one module, run one at a time in this thread. */
export class WasmKernels {
  readonly memory: Memory;
  readonly exports: Exports;
  readonly #entries: readonly WasmEntry[];

  private constructor(entries: readonly WasmEntry[], module: object) {
    this.#entries = entries;
    this.memory = new engine.Memory({ initial: 64, maximum: 64, shared: true });
    const { exports } = new engine.Instance(module, { env: { memory: this.memory } });
    this.exports = exports as Exports;
  }

  static async of(entries: readonly WasmEntry[], options = {}): Promise<WasmKernels> {
    return new WasmKernels(entries, new engine.Module(await printWasm(entries, options)));
  }

  /** Runs one kernel once, in pieces of `piece` groups; writes what it makes into the buffers. */
  run(index: number, buffers: Buffers, uniforms: Readonly<Record<string, number>> = {}): void {
    const { kernel, uniforms: words } = this.#entries[index]!;
    const { buffer } = this.memory;
    // What a kernel must not read is not a number.
    new Uint8Array(buffer).fill(0xff, 256);
    let end = 256;
    const take = (bytes: number): number => {
      const at = end;
      end = Math.ceil((end + bytes + 32) / 16) * 16;
      if (end > buffer.byteLength) throw new Error(`${kernel.name}: the test has too little memory`);
      return at;
    };
    const places = kernel.buffers.map(b => take(buffers[b.name]!.length * bytesOf[b.dtype]));
    kernel.buffers.forEach((b, i) => {
      write(buffer, b.dtype, places[i]!, buffers[b.name]!);
    });
    const block = take(4 * words.length);
    words.forEach((w, i) => {
      write(buffer, w.dtype, block + 4 * i, Float64Array.of(uniforms[w.name] ?? 0));
    });
    const args = take(4 * (1 + places.length));
    new Int32Array(buffer, args).set([block, ...places]);
    const scratch = take(scratchBytes(kernel));
    const table = take(32);
    const groups = evaluate(kernel.groups, uniforms as DimEnv);
    new Int32Array(buffer, table).set([1, scratch, 0, 0, index, groups, args, 1]);
    this.exports.run(0, 1, table);
    kernel.buffers.forEach((b, i) => {
      if (b.access !== 'read')
        buffers[b.name]!.set(read(buffer, b.dtype, places[i]!, buffers[b.name]!.length));
    });
  }
}
