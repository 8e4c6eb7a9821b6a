import type { KExpr, Kernel, MatrixType } from '../../ir/kernel.ts';
import type { DType } from '../../ir/type.ts';
import type { HelperName } from './helpers.ts';
import { helperText, helperUses } from './helpers.ts';
import { lanewiseText, loaderText } from './lanes.ts';
import { identifier, Namer } from './names.ts';

/** A word of the uniform block. Free dims are u32 in it. */
export interface UniformWord {
  readonly name: string;
  readonly dtype: DType;
}

/** The WGSL type of an element in memory: `bool` is a word, `u8` packed four to a word. */
export function memoryType(dtype: DType): string {
  return dtype === 'u8' || dtype === 'bool' ? 'u32' : dtype;
}

type Builtin = Extract<KExpr, { kind: 'builtin' }>['name'];

/** The name under which the kernel is dispatched. */
export function entryPoint(kernel: Kernel): string {
  return identifier(kernel.name);
}

/**
 * Names of one module, and what its body turned out to use: the printer asks for names while it writes the body,
 * and writes the top of the module afterwards.
 */
export class Scope {
  readonly kernel: Kernel;
  readonly entry: string;
  readonly uniformWords: readonly (UniformWord & { readonly field: string })[];
  /** Lines of lets for uniforms at the top of the body, by name and dtype. */
  readonly hoisted = new Map<
    string,
    { readonly identifier: string; readonly word: UniformWord; readonly dtype: DType }
  >();
  readonly builtins = new Map<Builtin, string>();
  readonly helpers = new Map<HelperName, string>();
  /** Unpacking functions by buffer. */
  readonly unpackers = new Map<string, string>();
  /** Functions that are written for this kernel: their text by name, in the order in which they are made. */
  readonly #made = new Map<string, { readonly name: string; readonly text: () => string }>();
  readonly buffersUsed = new Set<string>();
  readonly features = new Set<'f16' | 'subgroups' | 'chromium_experimental_subgroup_matrix'>();
  /** Those that can change, by name. */
  readonly matrices = new Map<string, MatrixType>();
  readonly #namer = new Namer();
  readonly #names = new Map<string, string>();

  constructor(kernel: Kernel, uniforms: readonly UniformWord[]) {
    this.kernel = kernel;
    this.entry = this.#namer.unique(kernel.name);
    for (const b of [...kernel.buffers, ...kernel.shared]) this.name(b.name);
    for (const { dtype } of [...kernel.buffers, ...kernel.shared]) this.note(dtype);
    const fields = new Namer();
    this.uniformWords = uniforms.map(u => ({ ...u, field: fields.unique(u.name) }));
  }

  /** Whether the elements of a buffer or array lie in vectors of four. */
  inVectors(memory: string): boolean {
    return [...this.kernel.buffers, ...this.kernel.shared].some(m => m.name === memory && m.vectors);
  }

  /** The identifier of a buffer, array or local of the kernel. */
  name(kernelName: string): string {
    const known = this.#names.get(kernelName);
    if (known) return known;
    const fresh = this.#namer.unique(kernelName);
    this.#names.set(kernelName, fresh);
    return fresh;
  }

  /** A name for something that only the printed code has. */
  fresh(wanted: string): string {
    return this.#namer.unique(wanted);
  }

  /** The let that holds a uniform as a value of `dtype`. Throws where the block has no such word. */
  uniform(name: string, dtype: DType): string {
    const key = `${dtype} ${name}`;
    const known = this.hoisted.get(key);
    if (known) return known.identifier;
    const word = this.uniformWords.find(w => w.name === name);
    if (!word) throw new Error(`${this.kernel.name}: the uniform block has no word ${name}`);
    const made = { identifier: this.#namer.unique(name), word, dtype };
    this.hoisted.set(key, made);
    return made.identifier;
  }

  builtin(which: Builtin): string {
    const known = this.builtins.get(which);
    if (known) return known;
    if (which === 'lane' || which === 'subgroup') this.features.add('subgroups');
    const made = this.#namer.unique(which);
    this.builtins.set(which, made);
    return made;
  }

  helper(which: HelperName): string {
    const known = this.helpers.get(which);
    if (known) return known;
    for (const inner of helperUses[which] ?? []) this.helper(inner);
    const made = this.#namer.unique(which);
    this.helpers.set(which, made);
    return made;
  }

  #make(key: string, wish: string, text: (name: string) => string): string {
    const known = this.#made.get(key);
    if (known) return known.name;
    const name = this.#namer.unique(wish);
    this.#made.set(key, { name, text: () => text(name) });
    return name;
  }

  /** A helper for vectors, which calls it for every lane. */
  lanewise(which: HelperName, dtype: DType, operands: number): string {
    const scalar = this.helper(which);
    return this.#make(`lanewise ${which}`, `${which}_lanes`, name =>
      lanewiseText(name, scalar, dtype, operands),
    );
  }

  /** A function that loads neighbours, under a mask perhaps. */
  loader(buffer: string, dtype: DType, lanes: number, masked: boolean): string {
    const read = dtype === 'u8' ? this.unpacker(buffer) : undefined;
    const key = `load ${buffer} ${dtype} ${lanes} ${masked}`;
    return this.#make(
      key,
      `load_${buffer}${lanes === 1 ? '' : `_${lanes}`}${masked ? '_masked' : ''}`,
      name =>
        loaderText(
          name,
          at => (read ? `${read}(${at})` : `${this.name(buffer)}[${at}]`),
          dtype,
          lanes,
          masked,
        ),
    );
  }

  unpacker(buffer: string): string {
    const known = this.unpackers.get(buffer);
    if (known) return known;
    const made = this.#namer.unique(`load_u8_${buffer}`);
    this.unpackers.set(buffer, made);
    return made;
  }

  helperTexts(): string[] {
    const unpack = [...this.unpackers].map(([buffer, name]) => {
      const at = this.fresh('at');
      return `fn ${name}(${at}: i32) -> u32 {
  return (${this.name(buffer)}[${at} >> 2u] >> ((u32(${at}) & 3u) * 8u)) & 255u;
}`;
    });
    const nameOf = (h: HelperName) => this.helpers.get(h)!;
    return [
      ...unpack,
      ...[...this.helpers].map(([h, name]) => helperText[h](name, nameOf).trim()),
      ...[...this.#made.values()].map(({ text }) => text()),
    ];
  }

  /** Remembers that a dtype occurs, for the `enable` lines. */
  note(dtype: DType): void {
    if (dtype === 'f16') this.features.add('f16');
  }
}
