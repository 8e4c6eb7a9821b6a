import type { KExpr, Kernel, KernelBuffer, SharedArray } from '../../ir/kernel.ts';
import { isFloat } from '../../ir/type.ts';
import type { UniformWord } from '../wgsl/scope.ts';
import { cast } from './cast.ts';
import type { Code, Get, Local, Ref, Type } from './code.ts';
import type { Helpers } from './helpers.ts';
import { fourLanes, type Lanes, oneLane } from './lanes.ts';
import { isNotNegative } from './sign.ts';

export interface PrintOptions {
  /** Products and sums of vectors may be joined without rounding in between: for engines with relaxed SIMD. */
  readonly relaxed?: boolean;
}

/** Where the elements of a buffer or a shared array lie. */
export interface Memory {
  readonly base: Get;
  /** Bytes that are added to every address. */
  readonly offset: number;
  readonly dtype: KernelBuffer['dtype'];
  readonly elementBytes: number;
}

/** Names of one kernel and where their values are. */
export class Scope {
  readonly kernel: Kernel;
  readonly code: Code;
  readonly helpers: Helpers;
  readonly options: PrintOptions;
  readonly one: Lanes;
  readonly four: Lanes;
  /** The number of the group that runs. */
  readonly group: Local;
  /** Statements that come before the first group. */
  readonly prologue: Ref[] = [];
  readonly #uniforms = new Map<string, Get>();
  readonly #words: readonly UniformWord[];
  readonly #memories = new Map<string, Memory>();
  /** A local for a value of one lane, several for those of more than four. */
  readonly #locals = new Map<string, readonly Local[]>();
  readonly #notNegative = new Set<string>();

  constructor(
    kernel: Kernel,
    code: Code,
    words: readonly UniformWord[],
    helpers: Helpers,
    options: PrintOptions,
  ) {
    this.kernel = kernel;
    this.code = code;
    this.helpers = helpers;
    this.options = options;
    this.#words = words;
    this.one = oneLane(code);
    this.four = fourLanes(code);
    this.group = code.local(code.b.i32, 'group');
    const scratch = code.params[3]!.get;
    const { offsets } = layoutScratch(kernel.shared);
    kernel.shared.forEach((s, i) => {
      const { dtype, name } = s;
      this.#memories.set(name, {
        base: scratch,
        offset: offsets[i]!,
        dtype,
        elementBytes: elementBytes(dtype),
      });
    });
  }

  memory(name: string): Memory {
    const known = this.#memories.get(name);
    if (known) return known;
    const index = this.kernel.buffers.findIndex(b => b.name === name);
    if (index < 0) throw new Error(`${this.kernel.name}: no buffer ${name}`);
    const { dtype } = this.kernel.buffers[index]!;
    const base = this.#once(name, this.code.b.i32, () => this.#argument(index + 1));
    const made = { base, offset: 0, dtype, elementBytes: elementBytes(dtype) };
    this.#memories.set(name, made);
    return made;
  }

  /** A word of the uniform block, whose address is the first of the arguments. Dims are u32 there and i32 in kernels. */
  uniform({ name, dtype }: Extract<KExpr, { kind: 'uniform' }>): Ref {
    const key = `${name} ${dtype}`;
    const known = this.#uniforms.get(key);
    if (known) return known();
    const { m, b } = this.code;
    const { offset, dtype: from } = this.#word(name);
    const made = this.#once(name, isFloat(dtype) ? b.f32 : b.i32, () => {
      const block = this.#argument(0);
      if (isFloat(from)) return cast(this.one, m.f32.load(offset, 4, block), from, dtype);
      const word = m.i32.load(offset, 4, block);
      if (from === 'u32' && dtype === 'i32') return word;
      return cast(this.one, from === 'bool' ? m.i32.ne(word, m.i32.const(0)) : word, from, dtype);
    });
    this.#uniforms.set(key, made);
    return made();
  }

  #argument(index: number): Ref {
    return this.code.m.i32.load(4 * index, 4, this.code.params[2]!.get());
  }

  #word(name: string): { readonly offset: number; readonly dtype: UniformWord['dtype'] } {
    const index = this.#words.findIndex(w => w.name === name);
    if (index < 0) throw new Error(`${this.kernel.name}: the uniform block has no word ${name}`);
    return { offset: 4 * index, dtype: this.#words[index]!.dtype };
  }

  /** A value that is the same for all groups, computed before the first. */
  #once(name: string, type: Type, value: () => Ref): Get {
    const local = this.code.local(type, name);
    this.prologue.push(this.code.block(() => this.code.push(local.set(value()))));
    return local.get;
  }

  define(name: string, locals: readonly Local[], value?: KExpr): void {
    this.#locals.set(name, locals);
    if (value && this.isNotNegative(value)) this.#notNegative.add(name);
  }

  locals(name: string): readonly Local[] {
    const found = this.#locals.get(name);
    if (!found) throw new Error(`${this.kernel.name}: ${name} is used and not defined before`);
    return found;
  }

  isNotNegative(e: KExpr): boolean {
    return isNotNegative(e, leaf =>
      leaf.kind === 'ref' ? this.#notNegative.has(leaf.name) : this.#word(leaf.name).dtype === 'u32',
    );
  }
}

/** Bytes of an element in memory; a bool is a word. */
export function elementBytes(dtype: KernelBuffer['dtype']): number {
  return dtype === 'u8' ? 1 : dtype === 'f16' ? 2 : 4;
}

/** Places of shared arrays in the scratch memory of a thread, in bytes. */
export function layoutScratch(shared: readonly SharedArray[]): { offsets: number[]; bytes: number } {
  let bytes = 0;
  const offsets = shared.map(({ dtype, size }) => {
    const offset = bytes;
    bytes += Math.ceil((size * elementBytes(dtype)) / 16) * 16;
    return offset;
  });
  return { offsets, bytes };
}
