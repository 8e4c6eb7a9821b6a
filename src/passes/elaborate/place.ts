import type { Expr, Ident } from '../../parser/ast.ts';
import { duplicateName } from '../../support/errors/names.ts';
import type { Context } from './context.ts';
import type { Definition, Instance } from './instance.ts';
import { claim, makeInstance, nameSite } from './instance.ts';
import type { Scope } from './scope.ts';
import type { BlockVal } from './values.ts';

/** `conv_2[0]` from `conv_2`: a name with the turns of the enclosing repeats. */
export function localKey(scope: Scope, name: string): string {
  return `${scope.prefix}${name}${scope.indices.map(i => `[${i}]`).join('')}`;
}

/** The path of a value or layer made in a scope; functions have none of their own. */
export function childPath(ctx: Context, scope: Scope, key: string): string | undefined {
  return scope.instance?.path ? `${scope.instance.path}.${key}` : ctx.site.path;
}

/** How a stage is named for want of a label: by its callee as written. */
export function calleeName(expr: Expr): string {
  switch (expr.kind) {
    case 'name':
      return expr.name;
    case 'field':
      return expr.name.name;
    case 'call':
      return calleeName(expr.callee);
    case 'index':
      return calleeName(expr.value);
    default:
      return 'stage';
  }
}

/** The local key of a stage or of a layer: labelled or numbered, and the same at every application. */
export function siteKey(ctx: Context, scope: Scope, site: object, wish: string, label?: Ident): string {
  const { instance } = scope;
  if (!instance) return localKey(scope, wish);
  if (!label) return localKey(scope, nameSite(instance, site, wish, scope.group));
  if (!claim(instance, site, label.name, scope.group))
    ctx.fail(duplicateName(label.span, 'label', label.name));
  return localKey(scope, label.name);
}

/** Puts a layer at its place: the one that is there already if this is not the first application. */
export function placeAt(scope: Scope, block: BlockVal, key: string): Instance {
  const statics = block.statics ?? new Map();
  // In a function there is no place; what has no parameters can do without.
  if (!scope.instance || scope.instance.path === '') return makeInstance(definitionOf(block), '', statics);
  const known = scope.instance.children.get(key);
  if (known && known.definition.span === block.decl.name.span) {
    known.statics = statics;
    return known;
  }
  const { parameter } = scope.instance;
  const made = makeInstance(definitionOf(block), `${scope.instance.path}.${key}`, statics, {
    ...(parameter !== undefined && { parameter }),
  });
  scope.instance.children.set(key, made);
  return made;
}

/** A layer that is applied where it is made, outside a pipe: `dense(10)(x)`. */
export function placeUnlabelled(ctx: Context, scope: Scope, block: BlockVal, callee: Expr): Instance {
  return placeAt(scope, block, siteKey(ctx, scope, callee, calleeName(callee)));
}

export function definitionOf({ decl, module }: BlockVal): Definition {
  const { statics, params, result, body, name } = decl;
  return { name: name.name, statics, params, result, body, module, span: name.span };
}
