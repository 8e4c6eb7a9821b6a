import { primitive, primitives } from '../../ops/list.ts';
import type { Declaration } from '../../parser/ast.ts';
import { misplaced, recursion, unknownName } from '../../support/errors/names.ts';
import type { Span } from '../../support/source.ts';
import { builtins } from './builtins/list.ts';
import { constantValue } from './constants.ts';
import type { Context } from './context.ts';
import { Poisoned } from './context.ts';
import { netInstance } from './nets.ts';
import type { ModuleScope, Scope } from './scope.ts';
import { tensor } from './tensors.ts';
import { isDType } from './types.ts';
import type { Val } from './values.ts';
import { bool, isCallable, list, size } from './values.ts';

/** The value of a name: from the innermost outwards, the standard library and the compiler's own last. */
export function lookup(ctx: Context, scope: Scope, name: string, span: Span): Val {
  const local = lookupLocal(scope, name);
  if (local) return unpoisoned(local);
  const global = lookupGlobal(ctx, scope.module, name, span);
  if (global) return unpoisoned(global);
  const stage = stageInstance(scope, name);
  if (stage) return stage;
  ctx.fail(unknownName(span, 'name', name, localNames(ctx, scope)));
}

/** The same for what is called: a tensor `size` does not hide the function `size`. */
export function lookupCallable(ctx: Context, scope: Scope, name: string, span: Span): Val {
  const local = lookupLocal(scope, name);
  if (local && (local.kind === 'poison' || isCallable(local))) return unpoisoned(local);
  const global = lookupGlobal(ctx, scope.module, name, span);
  if (global && isCallable(global)) return global;
  const other = local ?? global;
  if (other) return unpoisoned(other);
  ctx.fail(unknownName(span, 'layer or function', name, localNames(ctx, scope)));
}

/** A value for use: no other error is raised by a faulty one, and what is only declared comes into being. */
export function unpoisoned(v: Val): Val {
  if (v.kind === 'poison') throw new Poisoned();
  return v.kind === 'declared' ? v.read() : v;
}

export function lookupLocal(scope: Scope, name: string): Val | undefined {
  const value = scope.values.get(name);
  if (value) return value;
  const dim = scope.dims.get(name);
  if (dim) return size(dim);
  const pack = scope.packs.get(name);
  return pack && list(pack.map(size));
}

/** A layer made by a stage of this body, by its label or name: `head` in `head.weight`. A callee is never one. */
export function stageInstance(scope: Scope, name: string): Val | undefined {
  if (lookupLocal(scope, name)) return undefined;
  const instance = scope.instance?.children.get(name);
  return instance && { kind: 'instance', instance };
}

function lookupGlobal(ctx: Context, module: ModuleScope, name: string, span: Span): Val | undefined {
  const own = module.declarations.get(name);
  if (own) return declared(ctx, module, own, span);
  const imported = module.imported.get(name);
  if (imported) {
    const decl = imported.module.declarations.get(imported.name.name);
    if (!decl) throw new Poisoned();
    return declared(ctx, imported.module, decl, span);
  }
  const builtIn = special(ctx, name, span);
  if (builtIn) return builtIn;
  const std = ctx.std.declarations.get(name);
  if (std) return declared(ctx, ctx.std, std, span);
  const builtin = builtins.get(name);
  if (builtin) return { kind: 'builtin', builtin };
  const op = primitive(name);
  return op && { kind: 'primitive', op };
}

function declared(ctx: Context, module: ModuleScope, decl: Declaration, span: Span): Val {
  switch (decl.kind) {
    case 'fn':
      return { kind: 'fn', decl, module };
    case 'block':
      return { kind: 'block', decl, module };
    case 'op':
      return { kind: 'op', decl, module };
    case 'train':
      ctx.fail(misplaced(span, `\`${decl.name.name}\` is a training program, not a value`));
      break;
    case 'const':
    case 'net': {
      if (module.values.has(decl)) {
        const value = module.values.get(decl);
        if (!value) ctx.fail(recursion(span, `\`${decl.name.name}\` is defined by itself`));
        return value;
      }
      module.values.set(decl, undefined);
      // Whatever goes wrong is reported once, at the declaration.
      const value = ctx.attempt(() =>
        decl.kind === 'const' ? constantValue(ctx, module, decl) : netInstance(ctx, module, decl),
      );
      module.values.set(decl, value ?? { kind: 'poison' });
      return value ?? { kind: 'poison' };
    }
  }
}

function special(ctx: Context, name: string, span: Span): Val | undefined {
  if (isDType(name)) return { kind: 'dtype', dtype: name };
  switch (name) {
    case 'true':
    case 'false':
      return bool(name === 'true');
    case 'all':
      return { kind: 'all' };
    case 'training':
      return bool(ctx.training);
    case 'primitive':
      return { kind: 'primitives' };
    case 'epoch':
    case 'iter':
      if (ctx.session.purpose !== 'step' && ctx.session.purpose !== 'evaluate')
        ctx.fail(misplaced(span, `\`${name}\` has a value only in training programs`));
      return tensor(ctx, ctx.b.input('scalar', name, { dtype: 'f32', shape: [] }));
    default:
      return undefined;
  }
}

/** Names that the compiler itself gives a meaning. */
const specialNames = ['true', 'false', 'all', 'training', 'primitive', 'epoch', 'iter'];

/** Whether a name means something outside all bodies. */
export function isGlobalName(ctx: Context, module: ModuleScope, name: string): boolean {
  if (module.declarations.has(name) || module.imported.has(name) || ctx.std.declarations.has(name))
    return true;
  return specialNames.includes(name) || isDType(name) || builtins.has(name) || primitive(name) !== undefined;
}

/** For "did you mean". */
export function* namesInSight(ctx: Context, module: ModuleScope): Iterable<string> {
  yield* module.declarations.keys();
  yield* module.imported.keys();
  yield* ctx.std.declarations.keys();
  yield* builtins.keys();
  for (const op of primitives) yield op.name;
  yield* specialNames;
}

function* localNames(ctx: Context, scope: Scope): Iterable<string> {
  yield* scope.values.keys();
  yield* scope.dims.keys();
  yield* namesInSight(ctx, scope.module);
}
