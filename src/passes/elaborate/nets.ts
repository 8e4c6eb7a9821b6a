import { GraphBuilder } from '../../ir/builder.ts';
import type { Net } from '../../ir/module.ts';
import type { NetDecl } from '../../parser/ast.ts';
import { wrongKind } from '../../support/errors/shapes.ts';
import { applyInstance } from './apply.ts';
import type { Argument } from './builtins/builtin.ts';
import { bindStatics } from './call.ts';
import type { Context } from './context.ts';
import { evaluate } from './evaluate.ts';
import { initialGraph } from './initialise.ts';
import type { Instance } from './instance.ts';
import { makeInstance } from './instance.ts';
import { definitionOf } from './place.ts';
import type { ModuleScope } from './scope.ts';
import { makeScope } from './scope.ts';
import { makeSession } from './session.ts';
import { tensor, toTensor } from './tensors.ts';
import { isTensorType, resolveType, textOf } from './types.ts';
import type { RecordVal, Val } from './values.ts';
import { describe } from './values.ts';

/** The one instance that a net is. */
export function netInstance(ctx: Context, module: ModuleScope, decl: NetDecl): Val {
  const name = decl.name.name;
  const { definition, params, result } = decl;
  if (definition.kind === 'body') {
    // The grammar gives a net with a body a signature.
    const body = {
      name,
      statics: [],
      params: params ?? [],
      result: result!,
      body: definition.body,
      module,
      span: decl.name.span,
    };
    return { kind: 'instance', instance: makeInstance(body, name, new Map(), { isNet: true }) };
  }
  const value = ctx.at({ span: definition.value.span }, () =>
    evaluate(ctx, makeScope('module', name, module), definition.value),
  );
  if (value.kind !== 'block')
    ctx.fail(wrongKind(definition.value.span, `a net is made of a block, not of ${describe(value)}`));
  const block = value.statics ? value : bindStatics(ctx, value, [], definition.value.span);
  const signature = params && result ? { signature: { params, result, module } } : {};
  return {
    kind: 'instance',
    instance: makeInstance(definitionOf(block), name, block.statics!, { isNet: true, ...signature }),
  };
}

/** A net for inference: its graph from the declared inputs, and the graph that makes its parameters. */
export function elaborateNet(ctx: Context, decl: NetDecl, instance: Instance): Net {
  const name = decl.name.name;
  const session = makeSession(new GraphBuilder(`${name}.predict`), 'predict');
  return ctx.inSession(session, () =>
    ctx.at({ span: decl.name.span, path: name }, () => {
      const args = netInputs(ctx, instance);
      const result = applyInstance(ctx, instance, args, decl.name.span);
      const outputs: RecordVal['outputs'] =
        result.kind === 'record' ? result.outputs : [{ name: 'out', value: result }];
      for (const { name: output, value } of outputs)
        session.b.output({ name: output, role: 'result', value: toTensor(ctx, value, decl.name.span) });
      const weights = decl.definition.kind === 'alias' ? decl.definition.weights : undefined;
      return {
        name,
        span: decl.name.span,
        predict: session.b.build(),
        init: initialGraph(ctx, `${name}.init`, [session]),
        ...(weights && { weights }),
      };
    }),
  );
}

/** Graph inputs of the declared types, with free sizes for the names in them. */
function netInputs(ctx: Context, instance: Instance): Argument[] {
  const { definition, signature, path, statics } = instance;
  const scope = makeScope('block', path, (signature ?? definition).module);
  if (!signature) for (const [name, value] of statics) scope.values.set(name, value);
  return (signature?.params ?? definition.params).map(param => {
    if (!isTensorType(ctx, param.type))
      ctx.fail(
        wrongKind(
          param.type.span,
          `a net takes tensors; \`${textOf(param.type)}\` is known at compile time`,
          {
            hint: 'make it a `const`, or a static argument of a block',
          },
        ),
      );
    const type = resolveType(ctx, scope, param.type, true);
    const origin = { span: param.span, path: `${path}.${param.name.name}` };
    const value = tensor(ctx, ctx.b.input('input', param.name.name, type, origin));
    return { value, span: param.span };
  });
}
