import type { GraphBuilder } from '../../ir/builder.ts';
import type { Dim } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import type { Value } from '../../ir/graph.ts';
import type { Primitive } from '../../ir/primitive.ts';
import type { DType } from '../../ir/type.ts';
import { printType } from '../../ir/type.ts';
import type { BlockDecl, FnDecl, OpDecl } from '../../parser/ast.ts';
import type { Builtin } from './builtins/builtin.ts';
import type { Instance } from './instance.ts';
import type { ModuleScope } from './scope.ts';

/** What an expression of the language evaluates to while a file is elaborated. */
export type Val =
  | { readonly kind: 'number'; readonly value: number; readonly isFloat: boolean }
  /** A size that depends on free dims; constant sizes are numbers. */
  | { readonly kind: 'dim'; readonly dim: Dim }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'dtype'; readonly dtype: DType }
  /** `all`, the default of an `axis`. */
  | { readonly kind: 'all' }
  | { readonly kind: 'list'; readonly items: readonly Val[] }
  /** `home` tells which graph it belongs to: initialisers are evaluated into a graph of their own. */
  | { readonly kind: 'tensor'; readonly value: Value; readonly home: GraphBuilder }
  | RecordVal
  /** `out.rest` where only `out.rest[0]`, `out.rest[1]` … are values. */
  | { readonly kind: 'group'; readonly record: RecordVal; readonly key: string }
  | { readonly kind: 'fn'; readonly decl: FnDecl; readonly module: ModuleScope }
  | { readonly kind: 'op'; readonly decl: OpDecl; readonly module: ModuleScope }
  | BlockVal
  | { readonly kind: 'instance'; readonly instance: Instance }
  | { readonly kind: 'builtin'; readonly builtin: Builtin }
  | { readonly kind: 'primitive'; readonly op: Primitive }
  /** The name `primitive`, whose fields are the compiler's own operations. */
  | { readonly kind: 'primitives' }
  /** A `param` or `state` that nothing has read yet: it comes into being when something does. */
  | { readonly kind: 'declared'; readonly read: () => Val }
  /** Stands for a value whose statement had an error; using it raises no other. */
  | { readonly kind: 'poison' };

export type TensorVal = Extract<Val, { kind: 'tensor' }>;
export type Callable = Extract<Val, { kind: 'fn' | 'op' | 'block' | 'instance' | 'builtin' | 'primitive' }>;

/** Result of a call: its outputs in order, and for blocks every named value inside. Used as a tensor: its first output. */
export interface RecordVal {
  readonly kind: 'record';
  readonly outputs: readonly { readonly name: string; readonly value: Val }[];
  readonly fields: ReadonlyMap<string, Val>;
  readonly instance?: Instance;
}

/** A block, with static arguments once they are given. It has no parameters until it gets a place (`Instance`). */
export interface BlockVal {
  readonly kind: 'block';
  readonly decl: BlockDecl;
  readonly module: ModuleScope;
  readonly statics?: ReadonlyMap<string, Val>;
}

export const int = (value: number): Val => ({ kind: 'number', value, isFloat: false });
export const float = (value: number): Val => ({ kind: 'number', value, isFloat: true });
export const bool = (value: boolean): Val => ({ kind: 'bool', value });
/** Entries of the longest list, and characters of the longest string, that a program may make. */
export const MAX_LIST = 65_536;

export const list = (items: readonly Val[]): Val => ({ kind: 'list', items });

export function size(dim: Dim): Val {
  const n = D.constantValue(dim);
  return n === undefined ? { kind: 'dim', dim } : int(n);
}

export function isCallable(v: Val): v is Callable {
  return ['fn', 'op', 'block', 'instance', 'builtin', 'primitive'].includes(v.kind);
}

/** The size that a value stands for, if it is a whole number. */
export function asDim(v: Val): Dim | undefined {
  if (v.kind === 'dim') return v.dim;
  return v.kind === 'number' && Number.isInteger(v.value) ? D.constant(v.value) : undefined;
}

/** The tensor that a value is or carries, without making one of a number. */
export function tensorOf(v: Val): TensorVal | undefined {
  if (v.kind === 'tensor') return v;
  return v.kind === 'record' && v.outputs[0] ? tensorOf(v.outputs[0].value) : undefined;
}

/** For messages. */
export function describe(v: Val): string {
  switch (v.kind) {
    case 'number':
      return String(v.value);
    case 'dim':
      return `the size ${D.print(v.dim)}`;
    case 'bool':
      return String(v.value);
    case 'string':
      return JSON.stringify(v.value);
    case 'dtype':
      return `the type ${v.dtype}`;
    case 'all':
      return '`all`';
    case 'list':
      return v.items.length > 8 ? `a list of ${v.items.length}` : `[${v.items.map(describe).join(', ')}]`;
    case 'tensor':
      return printType(v.value.type);
    case 'record':
      return v.outputs.length === 1
        ? describe(v.outputs[0]!.value)
        : `(${v.outputs.map(o => `${o.name}: ${describe(o.value)}`).join(', ')})`;
    case 'group':
      return `the values \`${v.key}[…]\``;
    case 'fn':
    case 'op':
      return `the function \`${v.decl.name.name}\``;
    case 'block':
      return `the block \`${v.decl.name.name}\``;
    case 'instance':
      return `the layer \`${v.instance.path}\``;
    case 'builtin':
      return `the function \`${v.builtin.name}\``;
    case 'primitive':
      return `the function \`${v.op.name}\``;
    case 'primitives':
      return '`primitive`';
    case 'declared':
      return describe(v.read());
    case 'poison':
      return 'a faulty value';
  }
}
