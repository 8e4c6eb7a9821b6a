import * as D from '../../ir/dim.ts';
import { printType, sameType } from '../../ir/type.ts';
import * as B from '../../ops/build.ts';
import type { Statement } from '../../parser/ast.ts';
import { duplicateName, misplaced, unknownName } from '../../support/errors/names.ts';
import { undetermined, wrongBody, wrongDType, wrongKind, wrongShape } from '../../support/errors/shapes.ts';
import type { Context } from './context.ts';
import { evaluate } from './evaluate.ts';
import { variablePath } from './instance.ts';
import { localKey } from './place.ts';
import type { Scope } from './scope.ts';
import type { Variable } from './session.ts';
import { tensor, toTensor } from './tensors.ts';
import { resolveType } from './types.ts';
import type { Val } from './values.ts';

type Declare = Extract<Statement, { kind: 'declare' }>;
type Update = Extract<Statement, { kind: 'update' }>;

/** Names of graph inputs that are not data. */
const reserved = ['key', 'epoch', 'iter'];

/** `data x: …`: what the host feeds. */
export function declareData(ctx: Context, scope: Scope, s: Declare): void {
  const name = s.name.name;
  if (scope.kind !== 'train') ctx.fail(misplaced(s.span, '`data` stands only in training programs'));
  if (s.value) ctx.fail(wrongKind(s.value.span, '`data` has no initial value: the host feeds it'));
  if (reserved.includes(name))
    ctx.fail(misplaced(s.name.span, `\`${name}\` is the name of an input of its own`));
  if (scope.stages.has(`data ${name}`)) ctx.fail(duplicateName(s.name.span, '`data`', name));
  const type = resolveType(ctx, scope, s.type, true);
  const value = tensor(ctx, ctx.b.input('data', name, type, { span: s.span, path: `${scope.name}.${name}` }));
  scope.stages.set(`data ${name}`, value);
  scope.values.set(name, value);
}

/**
 * `param w: … = xavier`, `state mean: … = zeros`: a tensor that is kept between runs. It exists once something reads
 * or updates it: `conv(8, 3, bias = false)` has no bias, and an unused branch of a static `if` leaves nothing behind.
 */
export function declareVariable(ctx: Context, scope: Scope, s: Declare): void {
  const { instance } = scope;
  const role = s.role === 'state' ? 'state' : 'param';
  const name = s.name.name;
  if (!instance) ctx.fail(misplaced(s.span, `a function has no \`${role}\` of its own`, 'make it a `block`'));
  if (instance.path === '')
    ctx.fail(misplaced(s.span, `this layer is made inside a function, where its \`${role}\` has no place`));
  const type = resolveType(ctx, scope, s.type, scope.kind === 'train');
  // What an optimiser keeps is as large as its parameter, which may be one of the program with a free size.
  if (scope.kind !== 'train' && instance.parameter === undefined)
    for (const [axis, dim] of type.shape.entries())
      if (D.constantValue(dim) === undefined)
        ctx.fail(
          undetermined(
            s.type.dims?.[axis]?.span ?? s.type.span,
            D.print(dim),
            `the shape of a \`${role}\` must be fixed: declare the size of the net's input`,
          ),
        );
  if (!s.value)
    ctx.fail(
      wrongBody(s.span, `\`${name}\` has no initial value`, 'add one, such as `= zeros` or `= xavier`'),
    );
  const path = variablePath(instance, localKey(scope, name));
  const initial = { expr: s.value, scope: snapshot(scope) };
  const span = scope.module.std ? ctx.site.span : s.span;
  const owner = instance.parameter === undefined ? 'net' : 'optimiser';
  if (role === 'state') scope.states.set(name, path);
  const read = (): Val => {
    const value = variableValue(ctx, { path, role, type, span, owner, initial });
    scope.values.set(name, value);
    return value;
  };
  scope.values.set(name, { kind: 'declared', read });
  if (scope.kind === 'train' && role === 'param') read();
}

/** The graph input of a parameter or state: the same for every application of its layer. */
function variableValue(ctx: Context, made: Omit<Variable, 'value'>): Val {
  const { path, type, role } = made;
  if (ctx.session.purpose === 'init')
    ctx.fail(misplaced(ctx.site.span, `an initial value cannot depend on \`${path}\``));
  const known = ctx.session.variables.get(path);
  if (known && !sameType(known.type, type))
    ctx.fail(
      wrongShape(
        made.span,
        `${path} is ${printType(type)} here and ${printType(known.type)} where it is used before`,
        {
          hint: 'one layer applied twice has one set of weights; make two layers',
        },
      ),
    );
  const value = known?.value ?? ctx.b.input(role, path, type, { span: made.span, path });
  if (!known) ctx.session.variables.set(path, { ...made, value });
  return tensor(ctx, ctx.session.updates.get(path) ?? value);
}

/** Initial values are made later, when names may have been bound anew. */
function snapshot(scope: Scope): Scope {
  return { ...scope, values: new Map(scope.values), dims: new Map(scope.dims), packs: new Map(scope.packs) };
}

/** `x <- e`: the state's next value, in training only. */
export function updateState(ctx: Context, scope: Scope, s: Update): void {
  const path = scope.states.get(s.name.name);
  if (path === undefined) {
    if (scope.values.has(s.name.name))
      ctx.fail(
        wrongKind(s.name.span, `\`${s.name.name}\` is no state`, {
          hint: '`<-` updates what `state` declares; `=` binds a name',
        }),
      );
    ctx.fail(unknownName(s.name.span, 'state', s.name.name, scope.states.keys()));
  }
  if (!ctx.training) return;
  const current = scope.values.get(s.name.name);
  if (current?.kind === 'declared') current.read();
  const variable = ctx.session.variables.get(path)!;
  const { type } = variable;
  const value = toTensor(ctx, evaluate(ctx, scope, s.value), s.value.span, type.dtype);
  if (value.type.dtype !== type.dtype)
    ctx.fail(
      wrongDType(
        s.value.span,
        `the state \`${s.name.name}\` is ${printType(type)}, its new value ${printType(value.type)}`,
      ),
    );
  const full = B.broadcastTo(ctx.b, value, type.shape);
  ctx.session.updates.set(path, full);
  scope.values.set(s.name.name, tensor(ctx, full));
}
