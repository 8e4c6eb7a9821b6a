import type { FnDecl, Param, Result } from '../../parser/ast.ts';
import { wrongBody } from '../../support/errors/shapes.ts';
import { Onto } from '../../support/onto.ts';
import type { Span } from '../../support/source.ts';
import type { Argument } from './builtins/builtin.ts';
import { bindArguments, evaluateStatics } from './call.ts';
import type { Context } from './context.ts';
import { Poisoned } from './context.ts';
import { evaluate } from './evaluate.ts';
import type { Definition, Instance } from './instance.ts';
import type { ModuleScope, Scope } from './scope.ts';
import { makeScope } from './scope.ts';
import { runBody } from './statements.ts';
import { coerce } from './statics.ts';
import { tensor, toTensor } from './tensors.ts';
import { isDType, isTensorName, isTensorType, type Match, unify } from './types.ts';
import type { RecordVal, Val } from './values.ts';
import { watchStandard } from './warnings.ts';

/** Calls a function written in the language. */
export function callFunction(
  ctx: Context,
  decl: FnDecl,
  module: ModuleScope,
  args: readonly Argument[],
  span: Span,
): Val {
  const name = decl.name.name;
  const scope = makeScope('fn', name, module);
  const given = bindArguments(ctx, name, decl.params, args, span);
  return ctx.call(name, decl.name.span, module, () => {
    bindParameters(ctx, scope, name, decl.params, given);
    runBody(ctx, scope, decl.body);
    const outputs = results(ctx, scope, name, decl.result, decl.body.span);
    if (module.std) watchStandard(ctx, decl, scope, given, outputs[0]!.value);
    return outputs.length === 1 ? outputs[0]!.value : { kind: 'record', outputs, fields: new Map() };
  });
}

/** Applies a layer to tensors: its body runs with the instance as the owner of what it declares. */
export function applyInstance(ctx: Context, instance: Instance, args: readonly Argument[], span: Span): Val {
  const { definition, signature } = instance;
  const { name, module } = definition;
  const outer = instance.isNet ? instance.path : name;
  if (instance.isNet) {
    const { nets, trained } = ctx.session;
    nets.add(instance.path);
    if (ctx.training && !trained.has(instance.path)) trained.set(instance.path, ctx.site.span);
  }
  const given = bindArguments(ctx, outer, signature?.params ?? definition.params, args, span);
  return ctx.call(outer, definition.span, module, () => {
    const run = () => applyDefinition(ctx, instance, definition, given);
    return instance.isNet || !module.std ? ctx.at({ path: instance.path }, run) : run();
  });
}

function applyDefinition(
  ctx: Context,
  instance: Instance,
  d: Definition,
  given: ReadonlyMap<string, Argument>,
): Val {
  const { signature } = instance;
  let own = given;
  let outer: Scope | undefined;
  if (signature) {
    // A net's own signature is checked first, then its block gets the same tensors by position.
    outer = makeScope('block', instance.path, signature.module);
    bindParameters(ctx, outer, instance.path, signature.params, given);
    const values = signature.params.map(p => ({
      value: outer!.values.get(p.name.name)!,
      span: given.get(p.name.name)?.span ?? p.span,
    }));
    own = bindArguments(ctx, d.name, d.params, values, d.span);
  }
  const scope = makeScope('block', d.name, d.module, instance);
  for (const [name, value] of instance.statics) scope.values.set(name, value);
  bindParameters(ctx, scope, d.name, d.params, own);
  runBody(ctx, scope, d.body);
  const outputs = results(ctx, scope, d.name, d.result, d.body.span);
  if (signature && outer) {
    // As of any call, the first results are those that count.
    const { result } = signature;
    const wanted = result.kind === 'type' ? 1 : result.fields.length;
    outer.returned = outputs.slice(0, wanted).map(o => o.value);
    const named = results(ctx, outer, instance.path, signature.result, signature.result.span);
    return recordOf(instance, scope, named);
  }
  return recordOf(instance, scope, outputs);
}

/** Every named value of a block can be reached from its result. */
function recordOf(instance: Instance, scope: Scope, outputs: RecordVal['outputs']): Val {
  if (scope.module.std && outputs.length === 1 && !instance.isNet) return outputs[0]!.value;
  const fields = new Map(scope.stages);
  for (const [name, value] of scope.values) fields.set(name, value);
  return { kind: 'record', outputs, fields, instance };
}

/** Parameters by what they take: the same lists are asked for at every call. */
class Sorted extends Onto {
  #sorted: { readonly statics: readonly Param[]; readonly tensors: readonly Param[] } | undefined;

  static of(ctx: Context, params: readonly Param[]) {
    const notes = #sorted in params ? params : (new Sorted(params) as Sorted & readonly Param[]);
    return (notes.#sorted ??= {
      statics: params.filter(p => !isTensorType(ctx, p.type)),
      tensors: params.filter(p => isTensorType(ctx, p.type)),
    });
  }
}

/** Gives the parameters of a call their values, and the sizes in their types. */
export function bindParameters(
  ctx: Context,
  scope: Scope,
  name: string,
  params: readonly Param[],
  given: ReadonlyMap<string, Argument>,
): void {
  const { statics, tensors } = Sorted.of(ctx, params);
  evaluateStatics(ctx, name, scope.module, statics, given, scope);
  const bind = (param: Param, arg: Argument) => {
    const what = `argument \`${param.name.name}\` of \`${name}\``;
    const dtype = isDType(param.type.name.name) ? param.type.name.name : 'f32';
    const value = toTensor(ctx, arg.value, arg.span, dtype);
    scope.values.set(param.name.name, tensor(ctx, value));
    return { type: param.type, actual: value.type, what, span: arg.span };
  };
  const matches: Match[] = [];
  for (const param of tensors) {
    const arg = given.get(param.name.name);
    if (arg) matches.push(bind(param, arg));
  }
  unify(ctx, scope, matches);
  for (const param of tensors) {
    if (given.has(param.name.name)) continue;
    const value = evaluate(ctx, scope, param.value!);
    unify(ctx, scope, [bind(param, { value, span: param.value!.span })]);
  }
}

/** What the body returned, checked against the declared result, with its names. */
function results(
  ctx: Context,
  scope: Scope,
  name: string,
  result: Result,
  bodySpan: Span,
): RecordVal['outputs'] {
  const declared =
    result.kind === 'type'
      ? [{ name: 'out', type: result.type }]
      : result.fields.map(f => ({ name: f.name.name, type: f.type }));
  const { returned } = scope;
  if (!returned)
    ctx.fail(wrongBody({ ...bodySpan, start: bodySpan.end - 1 }, `\`${name}\` ends without \`return\``));
  if (returned.some(v => v.kind === 'poison')) throw new Poisoned();
  const values = declared.length > 1 && returned.length === 1 ? unpack(returned[0]!) : returned;
  if (values.length !== declared.length)
    ctx.fail(
      wrongBody(result.span, `\`${name}\` declares ${declared.length} results and returns ${values.length}`),
    );
  return declared.map(({ name: field, type }, i) => {
    const what = declared.length === 1 ? `the result of \`${name}\`` : `result \`${field}\` of \`${name}\``;
    const span = scope.returnSpans?.[i] ?? scope.returnSpans?.[0] ?? result.span;
    const dtype = type.name.name;
    if (!isTensorName(dtype)) return { name: field, value: coerce(ctx, type, values[i]!, what, span) };
    const value = toTensor(ctx, values[i]!, span, isDType(dtype) ? dtype : 'f32');
    unify(ctx, scope, [{ type, actual: value.type, what, span }]);
    return { name: field, value: tensor(ctx, value) };
  });
}

function unpack(v: Val): readonly Val[] {
  if (v.kind === 'record') return v.outputs.map(o => o.value);
  return v.kind === 'list' ? v.items : [v];
}
