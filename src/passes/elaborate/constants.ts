import type { ConstDecl } from '../../parser/ast.ts';
import { wrongDefinition } from '../../support/errors/names.ts';
import { notStatic } from '../../support/errors/shapes.ts';
import type { Context } from './context.ts';
import { evaluate } from './evaluate.ts';
import type { ModuleScope } from './scope.ts';
import { makeScope } from './scope.ts';
import { coerce } from './statics.ts';
import type { Val } from './values.ts';
import { bool, describe } from './values.ts';

/** The value of a `const`; one of the compiled file may be set from outside. */
export function constantValue(ctx: Context, module: ModuleScope, decl: ConstDecl): Val {
  const name = decl.name.name;
  const set = module === ctx.root && Object.hasOwn(ctx.defines, name) ? ctx.defines[name] : undefined;
  const span = set === undefined ? decl.value.span : decl.name.span;
  const value =
    set === undefined
      ? ctx.at({ span: decl.span }, () => evaluate(ctx, makeScope('module', name, module), decl.value))
      : defined(set);
  if (value.kind === 'tensor' || value.kind === 'record')
    ctx.fail(notStatic(span, 'a const', describe(value)));
  return decl.type ? coerce(ctx, decl.type, value, `const \`${name}\``, span) : value;
}

function defined(set: number | boolean | string): Val {
  if (typeof set === 'number') return { kind: 'number', value: set, isFloat: !Number.isInteger(set) };
  return typeof set === 'boolean' ? bool(set) : { kind: 'string', value: set };
}

/** A definition from outside must set a const of the compiled file. */
export function checkDefines(ctx: Context): void {
  for (const name of Object.keys(ctx.defines)) {
    const decl = ctx.root.declarations.get(name);
    if (decl?.kind === 'const') continue;
    const names = [...ctx.root.declarations.values()].filter(d => d.kind === 'const').map(d => d.name.name);
    const hint = names.length === 0 ? 'the file has none' : `its consts are ${names.join(', ')}`;
    ctx.report(wrongDefinition(`-D ${name}: there is no const \`${name}\``, decl?.name.span, hint));
  }
}
