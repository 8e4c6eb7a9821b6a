import * as A from '../../ir/affine.ts';
import type { Axis, Index, Expr as Scalar } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import * as E from '../../ir/expr.ts';
import type { Value } from '../../ir/graph.ts';
import { Names } from '../../ir/print/expr.ts';
import { outOfRange } from '../../ir/verify/range.ts';
import { emitIndexed } from '../../ops/indexed.ts';
import type { Expr, IndexItem, OpDecl } from '../../parser/ast.ts';
import { indexOutOfRange, notInNotation, unknownRange } from '../../support/errors/notation.ts';
import { wrongBody, wrongShape } from '../../support/errors/shapes.ts';
import type { Span } from '../../support/source.ts';
import { bindParameters } from './apply.ts';
import type { Argument } from './builtins/builtin.ts';
import { bindArguments } from './call.ts';
import type { Context } from './context.ts';
import { lookupLocal } from './lookup.ts';
import type { ModuleScope, Scope } from './scope.ts';
import { makeScope } from './scope.ts';
import { showDifference } from './sizes.ts';
import { tensor } from './tensors.ts';
import { evaluateDim, textOf } from './types.ts';
import type { Val } from './values.ts';
import { asDim, describe } from './values.ts';

/** Applies `op f(x: …) -> y: … { y[i] = sum(k) … }`. Ranges come from the declared types, with the sizes of this call. */
export function callOp(
  ctx: Context,
  decl: OpDecl,
  module: ModuleScope,
  args: readonly Argument[],
  span: Span,
): Val {
  const name = decl.name.name;
  const scope = makeScope('fn', name, module);
  const given = bindArguments(ctx, name, decl.params, args, span);
  return ctx.call(name, decl.name.span, module, () => {
    bindParameters(ctx, scope, name, decl.params, given);
    return tensor(ctx, new Notation(ctx, decl, scope).emit());
  });
}

/** The tensors of one call and what its variables range over. */
class Notation {
  readonly #ctx: Context;
  readonly #decl: OpDecl;
  readonly #scope: Scope;
  readonly #inputs: Value[] = [];
  readonly #axes = new Map<string, Axis>();

  constructor(ctx: Context, decl: OpDecl, scope: Scope) {
    this.#ctx = ctx;
    this.#decl = decl;
    this.#scope = scope;
  }

  emit(): Value {
    const { name, value, over, reduction } = this.#decl;
    const axes = this.#resultAxes();
    const summed = over.map(variable => this.#summedAxis(variable.name, variable.span));
    const lift = this.#value(value);
    return emitIndexed(
      this.#ctx.b,
      { name: name.name, inputs: this.#inputs.map(v => v.type), axes, over: summed, reduction, lift },
      this.#inputs,
    );
  }

  #resultAxes(): Axis[] {
    const { target, resultName, resultType, index } = this.#decl;
    if (target.name !== resultName.name)
      this.#ctx.fail(
        wrongBody(target.span, `this defines \`${target.name}\`, the result is \`${resultName.name}\``),
      );
    const dims = resultType.dims ?? [];
    if (resultType.name.name !== 'f32')
      this.#ctx.fail(notInNotation(resultType.span, 'a result that is not f32'));
    if (dims.length !== index.length)
      this.#ctx.fail(
        wrongShape(target.span, `${textOf(resultType)} has ${dims.length} axes, ${index.length} are indexed`),
      );
    return index.map((item, i) => {
      const variable = item.kind === 'at' && item.value.kind === 'name' ? item.value : undefined;
      const dim = dims[i]!;
      if (!variable) this.#ctx.fail(notInNotation(item.span, 'anything but a variable on the left side'));
      if (dim.kind !== 'expr')
        this.#ctx.fail(
          notInNotation(dim.span, `\`${textOf(dim)}\``, 'say the size of every axis of the result'),
        );
      return this.#range(variable.name, evaluateDim(this.#ctx, this.#scope, dim.value), variable.span);
    });
  }

  #range(name: string, extent: D.Dim, span: Span): Axis {
    if (this.#axes.has(name)) this.#ctx.fail(notInNotation(span, `the variable \`${name}\` twice`));
    const axis: Axis = { name, extent };
    this.#axes.set(name, axis);
    return axis;
  }

  /** The range of a summed variable: the axis of which it is the whole index. */
  #summedAxis(name: string, span: Span): Axis {
    let extent: D.Dim | undefined;
    const visit = (e: Expr): void => {
      if (e.kind === 'index') {
        const source = this.#tensor(e.value);
        e.index.forEach((item, i) => {
          if (item.kind !== 'at' || item.value.kind !== 'name' || item.value.name !== name) return;
          const found = source?.type.shape[i];
          if (found && extent && !D.equal(found, extent))
            this.#ctx.fail(
              wrongShape(
                item.span,
                `\`${name}\` ranges over ${D.print(extent)} and over ${D.print(found)}`,
                showDifference([extent, found]),
              ),
            );
          extent ??= found;
        });
      }
      for (const part of partsOf(e)) visit(part);
    };
    visit(this.#decl.value);
    if (!extent) this.#ctx.fail(unknownRange(span, name));
    return this.#range(name, extent, span);
  }

  #tensor(e: Expr): Value | undefined {
    const value = e.kind === 'name' ? lookupLocal(this.#scope, e.name) : undefined;
    return value?.kind === 'tensor' ? value.value : undefined;
  }

  #load(source: Value, index: readonly IndexItem[], span: Span): Scalar {
    const { shape, dtype } = source.type;
    if (shape.length !== index.length)
      this.#ctx.fail(wrongShape(span, `${shape.length} axes, ${index.length} indices`));
    const at = index.map(item => {
      if (item.kind !== 'at') this.#ctx.fail(notInNotation(item.span, 'a slice'));
      return this.#index(item.value);
    });
    at.forEach((x, i) => {
      if (A.within(x, shape[i]!)) return;
      const place = { axes: [...this.#axes.values()], given: [], names: new Names() };
      const [example] = outOfRange([x], [shape[i]!], place);
      this.#ctx.fail(indexOutOfRange(index[i]!.span, textOf(index[i]!), D.print(shape[i]!), example));
    });
    if (!this.#inputs.includes(source)) this.#inputs.push(source);
    return E.cast('f32', E.load(this.#inputs.indexOf(source), { dtype, shape }, at));
  }

  /** An integer expression of variables and sizes, linear in the variables. */
  #index(e: Expr): Index {
    if (e.kind === 'name') {
      const axis = this.#axes.get(e.name);
      if (axis) return A.index(axis);
      const value = lookupLocal(this.#scope, e.name);
      const dim = value && asDim(value);
      if (dim) return A.index(dim);
      this.#ctx.fail(
        value ? notInNotation(e.span, `${describe(value)} as an index`) : unknownRange(e.span, e.name),
      );
    }
    if (e.kind === 'number' && Number.isInteger(e.value)) return A.index(e.value);
    if (e.kind === 'unary' && e.op === '-') return A.mul(this.#index(e.value), -1);
    if (e.kind === 'binary') {
      const a = this.#index(e.left);
      const b = this.#index(e.right);
      if (e.op === '+') return A.add(a, b);
      if (e.op === '-') return A.sub(a, b);
      if (e.op === '*' && (a.kind === 'dim' || b.kind === 'dim')) return A.mul(a, b);
      const positive = b.kind === 'dim' && D.lowerBound(b.dim) > 0;
      if (e.op === '~/' && positive) return A.floordiv(a, b.dim);
      if (e.op === '%' && positive) return A.mod(a, b.dim);
    }
    this.#ctx.fail(
      notInNotation(e.span, `\`${textOf(e)}\` as an index`, 'indices are sums of variables times sizes'),
    );
  }

  #value(e: Expr): Scalar {
    switch (e.kind) {
      case 'number':
        return E.constant(e.value);
      case 'name': {
        const axis = this.#axes.get(e.name);
        if (axis) return E.cast('f32', E.indexValue(axis));
        const source = this.#tensor(e);
        if (source) return this.#load(source, [], e.span);
        const value = lookupLocal(this.#scope, e.name);
        if (value?.kind === 'number') return E.constant(value.value);
        if (value?.kind === 'dim') return E.cast('f32', E.dimValue(value.dim));
        return this.#ctx.fail(notInNotation(e.span, `\`${e.name}\``));
      }
      case 'index': {
        const source = this.#tensor(e.value);
        if (!source) return this.#ctx.fail(notInNotation(e.value.span, `indexing \`${textOf(e.value)}\``));
        return this.#load(source, e.index, e.span);
      }
      case 'unary':
        if (e.op === '-') return E.unary('neg', this.#value(e.value));
        break;
      case 'binary': {
        const op = arithmetic[e.op];
        if (op) return E.binary(op, this.#value(e.left), this.#value(e.right));
        break;
      }
      case 'call': {
        const name = e.callee.kind === 'name' ? e.callee.name : '';
        const args = e.args.map(a => this.#value(a.value));
        if (args.length === 1 && isFunction(name)) return E.unary(name, args[0]!);
        if (args.length === 2 && (name === 'max' || name === 'min'))
          return E.binary(name, args[0]!, args[1]!);
      }
    }
    return this.#ctx.fail(
      notInNotation(
        e.span,
        `\`${textOf(e)}\``,
        'it has loads, numbers, + - * / ^, max, min and functions of one number',
      ),
    );
  }
}

const arithmetic: Readonly<Record<string, 'add' | 'sub' | 'mul' | 'div' | 'pow'>> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '^': 'pow',
};

const functions = ['abs', 'exp', 'log', 'sqrt', 'sin', 'cos', 'atan', 'tanh', 'sigmoid', 'erf'] as const;
const isFunction = (name: string): name is (typeof functions)[number] =>
  (functions as readonly string[]).includes(name);

function partsOf(e: Expr): readonly Expr[] {
  switch (e.kind) {
    case 'unary':
      return [e.value];
    case 'binary':
      return [e.left, e.right];
    case 'call':
      return e.args.map(a => a.value);
    case 'index':
      return e.index.flatMap(item => (item.kind === 'at' ? [item.value] : []));
    default:
      return [];
  }
}
