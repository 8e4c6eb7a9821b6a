import type { Body, Param, Result } from '../../parser/ast.ts';
import type { Span } from '../../support/source.ts';
import type { ModuleScope } from './scope.ts';
import type { Val } from './values.ts';

/** What a block and a net have in common once static arguments are given. */
export interface Definition {
  /** As declared, for messages. */
  readonly name: string;
  readonly statics: readonly Param[];
  readonly params: readonly Param[];
  readonly result: Result;
  readonly body: Body;
  readonly module: ModuleScope;
  readonly span: Span;
}

/** A block that has a place: it owns parameters under its path. The same instance has the same weights. */
export interface Instance {
  readonly definition: Definition;
  readonly path: string;
  /** Static arguments; refreshed when the place is reached again, since a `float` may be a value of the current graph. */
  statics: ReadonlyMap<string, Val>;
  /** Signature that a net adds to the block it is an alias of, which may be of another file. */
  readonly signature?: {
    readonly params: readonly Param[];
    readonly result: Result;
    readonly module: ModuleScope;
  };
  /** Set for a net: the root of the paths below it. */
  readonly isNet: boolean;
  /** Names given to stages, by their syntax node, so that every application finds the same parameters. */
  readonly names: Map<object, string>;
  readonly taken: Map<string, object>;
  /** By local name with indices: `rest[2]`. */
  readonly children: Map<string, Instance>;
  /** For a link of an optimiser: the parameter it belongs to, which ends the paths of its states. */
  readonly parameter?: string;
}

export function makeInstance(
  definition: Definition,
  path: string,
  statics: ReadonlyMap<string, Val>,
  extra: Pick<Partial<Instance>, 'signature' | 'isNet' | 'parameter'> = {},
): Instance {
  return {
    definition,
    path,
    statics,
    isNet: false,
    names: new Map(),
    taken: new Map(),
    children: new Map(),
    ...extra,
  };
}

/** Path of a parameter or state declared in the instance. */
export function variablePath(instance: Instance, name: string): string {
  const suffix = instance.parameter === undefined ? '' : `.${instance.parameter}`;
  return `${instance.path}.${name}${suffix}`;
}

/**
 * The local name of a syntax node: as wished, or numbered (`conv_2`) where another node has that name. `group` keeps
 * the stages of a labelled repeat apart from those outside.
 */
export function nameSite(instance: Instance, site: object, wish: string, group = ''): string {
  const known = instance.names.get(site);
  if (known !== undefined) return known;
  let name = wish;
  for (let n = 2; instance.taken.has(group + name); n++) name = `${wish}_${n}`;
  claim(instance, site, name, group);
  return name;
}

/** Gives a node the name that the program says; false where another node has it. */
export function claim(instance: Instance, site: object, name: string, group = ''): boolean {
  if (instance.names.has(site)) return true;
  if (instance.taken.has(group + name)) return false;
  instance.names.set(site, name);
  instance.taken.set(group + name, site);
  return true;
}
