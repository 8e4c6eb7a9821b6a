import type { Dim } from '../../ir/dim.ts';
import type { Declaration, File, Ident } from '../../parser/ast.ts';
import type { Span } from '../../support/source.ts';
import type { Instance } from './instance.ts';
import type { Val } from './values.ts';

/** The names of one file. The standard library is one, made of all its files. */
export interface ModuleScope {
  readonly std: boolean;
  readonly files: readonly File[];
  readonly declarations: Map<string, Declaration>;
  /** Names from other files. */
  readonly imported: Map<string, { readonly module: ModuleScope; readonly name: Ident }>;
  /** Values of consts and nets, made when first used; `undefined` while being made. */
  readonly values: Map<Declaration, Val | undefined>;
}

export function makeModule(std: boolean, files: readonly File[]): ModuleScope {
  return { std, files, declarations: new Map(), imported: new Map(), values: new Map() };
}

/** The names inside one call of a function, block, net, or inside a training program. Flat: bodies of `repeat` share it. */
export interface Scope {
  readonly kind: 'fn' | 'block' | 'train' | 'module';
  readonly name: string;
  readonly module: ModuleScope;
  readonly values: Map<string, Val>;
  readonly dims: Map<string, Dim>;
  /** Packs by name; `...` is the unnamed one. */
  readonly packs: Map<string, readonly Dim[]>;
  /** Where layers made here get their place; absent in functions, which have none. */
  readonly instance?: Instance;
  /** Values of stages by name with indices, for `out.flatten` and `out.rest[3]`. */
  readonly stages: Map<string, Val>;
  /** States declared here: name to path. */
  readonly states: Map<string, string>;
  /** Turns of the enclosing repeats. */
  indices: readonly number[];
  /** `rest[2].` inside a labelled repeat of several stages; `group` is the same without indices. */
  prefix: string;
  group: string;
  /** In the body of a `scan`: what the turn yields. */
  readonly turn?: { yielded: readonly { readonly value: Val; readonly span: Span }[] | undefined };
  returned?: readonly Val[];
  returnSpans?: readonly Span[];
}

export function makeScope(
  kind: Scope['kind'],
  name: string,
  module: ModuleScope,
  instance?: Instance,
): Scope {
  return {
    kind,
    name,
    module,
    values: new Map(),
    dims: new Map(),
    packs: new Map(),
    stages: new Map(),
    states: new Map(),
    indices: [],
    prefix: '',
    group: '',
    ...(instance && { instance }),
  };
}
