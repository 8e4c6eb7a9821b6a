import type { Attr, Primitive } from '../../ir/primitive.ts';
import type { Arg, Expr, Param } from '../../parser/ast.ts';
import { duplicateName, unknownArgument } from '../../support/errors/names.ts';
import { wrongArguments, wrongKind } from '../../support/errors/shapes.ts';
import type { Span } from '../../support/source.ts';
import { place } from '../../support/source.ts';
import { applyInstance, callFunction } from './apply.ts';
import type { Argument, Builtin } from './builtins/builtin.ts';
import type { Context } from './context.ts';
import { evaluate } from './evaluate.ts';
import { lookupCallable } from './lookup.ts';
import { callOp } from './notation.ts';
import { placeUnlabelled } from './place.ts';
import type { Scope } from './scope.ts';
import { makeScope } from './scope.ts';
import { coerce } from './statics.ts';
import { tensor, toTensor } from './tensors.ts';
import type { BlockVal, Callable, Val } from './values.ts';
import { asDim, describe, isCallable } from './values.ts';

type CallExpr = Extract<Expr, { kind: 'call' }>;

/** `f(a, b)` outside a pipe. */
export function evaluateCall(ctx: Context, scope: Scope, expr: CallExpr): Val {
  const callee = evaluateCallee(ctx, scope, expr.callee);
  const args = evaluateArgs(ctx, scope, expr.args);
  return ctx.within(scope.module, { span: expr.span }, () => {
    if (callee.kind === 'block' && !callee.statics) return bindStatics(ctx, callee, args, expr.span);
    return applyCallable(ctx, scope, callee, args, expr.span, expr.callee);
  });
}

/** What stands in front of the parentheses. */
export function evaluateCallee(ctx: Context, scope: Scope, expr: Expr): Callable {
  const value =
    expr.kind === 'name' ? lookupCallable(ctx, scope, expr.name, expr.span) : evaluate(ctx, scope, expr);
  if (isCallable(value)) return value;
  ctx.fail(wrongKind(expr.span, `${describe(value)} cannot be called`));
}

export function evaluateArgs(ctx: Context, scope: Scope, args: readonly Arg[]): Argument[] {
  return args.map((arg): Argument => {
    const value = evaluate(ctx, scope, arg.value);
    const { span } = arg.value;
    return arg.name ? { name: arg.name.name, value, span } : { value, span };
  });
}

/** Calls a function, or applies a layer to tensors. `callee` names a layer that is made here. */
export function applyCallable(
  ctx: Context,
  scope: Scope,
  f: Callable,
  args: readonly Argument[],
  span: Span,
  callee: Expr,
): Val {
  ctx.spend(span);
  switch (f.kind) {
    case 'fn':
      return callFunction(ctx, f.decl, f.module, args, span);
    case 'op':
      return callOp(ctx, f.decl, f.module, args, span);
    case 'builtin':
      return callBuiltin(ctx, f.builtin, args, span);
    case 'primitive':
      return callPrimitive(ctx, f.op, args, span);
    case 'instance':
      return applyInstance(ctx, f.instance, args, span);
    case 'block': {
      const bound = f.statics ? f : bindStatics(ctx, f, [], span);
      return applyInstance(ctx, placeUnlabelled(ctx, scope, bound, callee), args, span);
    }
  }
}

/** Gives a block its static arguments. */
export function bindStatics(ctx: Context, block: BlockVal, args: readonly Argument[], span: Span): BlockVal {
  const { decl, module } = block;
  const tensorGiven = args.find(
    a => a.name === undefined && (a.value.kind === 'tensor' || a.value.kind === 'record'),
  );
  const first = decl.statics[0]?.type.name.name;
  if (tensorGiven && first !== 'float')
    ctx.fail(
      wrongKind(tensorGiven.span, `\`${decl.name.name}\` takes its settings in parentheses, not tensors`, {
        label: describe(tensorGiven.value),
        hint: `apply it with an arrow: \`x -> ${decl.name.name}${decl.statics.length > 0 ? '(…)' : ''}\``,
      }),
    );
  const given = bindArguments(ctx, decl.name.name, decl.statics, args, span);
  return { ...block, statics: evaluateStatics(ctx, decl.name.name, module, decl.statics, given) };
}

/** Values of static parameters in order; a default may use those before it. */
export function evaluateStatics(
  ctx: Context,
  name: string,
  module: Scope['module'],
  params: readonly Param[],
  given: ReadonlyMap<string, Argument>,
  scope: Scope = makeScope('fn', name, module),
): Map<string, Val> {
  const values = new Map<string, Val>();
  for (const param of params) {
    const arg = given.get(param.name.name);
    const value = arg
      ? coerce(ctx, param.type, arg.value, `argument \`${param.name.name}\` of \`${name}\``, arg.span)
      : coerce(
          ctx,
          param.type,
          evaluate(ctx, scope, param.value!),
          `the default of \`${param.name.name}\``,
          param.value!.span,
        );
    values.set(param.name.name, value);
    scope.values.set(param.name.name, value);
  }
  return values;
}

/** Which argument goes to which parameter. Those without one have a default. */
export function bindArguments(
  ctx: Context,
  name: string,
  params: readonly Param[],
  args: readonly Argument[],
  span: Span,
): Map<string, Argument> {
  const names = params.map(p => p.name.name);
  const bound = bindNames(ctx, `\`${name}\``, names, args, span);
  for (const param of params) {
    if (bound.has(param.name.name) || param.value) continue;
    ctx.fail(
      wrongArguments(span, `\`${name}\` needs the argument \`${param.name.name}\``, {
        notes: [{ message: `declared at ${place(param.span)}`, span: param.span }],
      }),
    );
  }
  return bound;
}

function bindNames(
  ctx: Context,
  what: string,
  names: readonly string[],
  args: readonly Argument[],
  span: Span,
): Map<string, Argument> {
  const bound = new Map<string, Argument>();
  let position = 0;
  for (const arg of args) {
    if (arg.name !== undefined && !names.includes(arg.name))
      ctx.fail(unknownArgument(arg.span, what, arg.name, names));
    const name = arg.name ?? names[position++];
    if (name === undefined) {
      const count = names.length === 0 ? 'none' : `${names.length} (${names.join(', ')})`;
      const given = args.filter(a => a.name === undefined).length;
      ctx.fail(wrongArguments(span, `${what} takes ${count} arguments, given ${given}`));
    }
    if (bound.has(name)) ctx.fail(duplicateName(arg.span, 'argument', name));
    bound.set(name, arg);
  }
  return bound;
}

export function callBuiltin(ctx: Context, builtin: Builtin, args: readonly Argument[], span: Span): Val {
  const what = `\`${builtin.name}\``;
  const rest = builtin.rest ? args.filter(a => a.name === undefined) : [];
  const named = builtin.rest ? args.filter(a => a.name !== undefined) : args;
  const bound = bindNames(ctx, what, builtin.params, named, span);
  for (const name of builtin.params.slice(0, builtin.required ?? 0))
    if (!bound.has(name)) ctx.fail(wrongArguments(span, `${what} needs the argument \`${name}\``));
  return builtin.run(ctx, { span, rest, get: name => bound.get(name) });
}

/** An operation of the compiler by its own name: tensors first, then attributes. */
function callPrimitive(ctx: Context, op: Primitive, args: readonly Argument[], span: Span): Val {
  const names = Object.keys(op.attrs);
  const variadic = op.inputs.at(-1)?.endsWith('...') ?? false;
  const positional = args.filter(a => a.name === undefined);
  const inputCount = variadic ? positional.length : op.inputs.length;
  const tensors = [
    ...positional.slice(0, inputCount),
    ...(variadic ? [] : args.filter(a => a.name !== undefined && op.inputs.includes(a.name))),
  ];
  const rest = args.filter(a => !tensors.includes(a));
  if (!variadic && tensors.length !== op.inputs.length)
    ctx.fail(
      wrongArguments(
        span,
        `\`${op.name}\` takes ${op.inputs.length} tensors (${op.inputs.join(', ')}), given ${tensors.length}`,
      ),
    );
  const attrs: Record<string, Attr> = {};
  for (const [name, arg] of bindNames(ctx, `\`${op.name}\``, names, rest, span))
    attrs[name] = attribute(ctx, arg.value, name, arg.span);
  for (const name of names)
    if (!(name in attrs) && op.attrs[name]!.default === undefined && !op.prepare)
      ctx.fail(wrongArguments(span, `\`${op.name}\` needs the argument \`${name}\``));
  const floats = tensors.map(t => t.value).find(v => v.kind === 'tensor');
  const dtype = floats?.kind === 'tensor' ? floats.value.type.dtype : 'f32';
  const inputs = tensors.map(t => toTensor(ctx, t.value, t.span, dtype));
  const outputs = ctx.b.emitAll(op, inputs, attrs);
  if (outputs.length === 1) return tensor(ctx, outputs[0]!);
  return {
    kind: 'record',
    outputs: outputs.map((v, i) => ({ name: `out${i}`, value: tensor(ctx, v) })),
    fields: new Map(),
  };
}

export function attribute(ctx: Context, v: Val, name: string, span: Span): Attr {
  const dim = asDim(v);
  if (v.kind === 'number') return v.value;
  if (dim) return dim;
  switch (v.kind) {
    case 'bool':
    case 'string':
      return v.value;
    case 'dtype':
      return v.dtype;
    case 'all':
      return 'all';
    case 'list':
      return v.items.map(item => attribute(ctx, item, name, span));
    default:
      return ctx.fail(
        wrongKind(span, `\`${name}\` must be known at compile time`, { label: `this is ${describe(v)}` }),
      );
  }
}
