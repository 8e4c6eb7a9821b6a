import * as D from '../../ir/dim.ts';
import { examplesOf } from '../../ir/dim-examples.ts';
import type { Value } from '../../ir/graph.ts';
import type { DType } from '../../ir/type.ts';
import * as B from '../../ops/build.ts';
import { primitive } from '../../ops/list.ts';
import type { BinaryOperator } from '../../parser/ast.ts';
import { staticFailure, unprovable, wrongKind } from '../../support/errors/shapes.ts';
import type { Span } from '../../support/source.ts';
import type { Context } from './context.ts';
import { matmul } from './matmul.ts';
import { importTensor, sizeValue } from './tensors.ts';
import type { Val } from './values.ts';
import { asDim, bool, describe, float, int, list, MAX_LIST, size, tensorOf } from './values.ts';

const ops = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '~/': 'floordiv',
  '%': 'mod',
  '^': 'pow',
  '==': 'eq',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
  and: 'logical_and',
  or: 'logical_or',
} as const satisfies Partial<Record<BinaryOperator, string>>;

/** `left op right`: at compile time where both are known, on sizes as polynomials, else as a graph node. */
export function binary(ctx: Context, op: BinaryOperator, left: Val, right: Val, span: Span): Val {
  if (op === '@') return matmul(ctx, left, right, span);
  if (tensorOf(left) || tensorOf(right)) return onTensors(ctx, op, left, right, span);
  if (op === 'and' || op === 'or') {
    if (left.kind === 'bool' && right.kind === 'bool')
      return bool(op === 'and' ? left.value && right.value : left.value || right.value);
  } else if (left.kind === 'number' && right.kind === 'number') {
    return onNumbers(ctx, op, left, right, span);
  } else if (left.kind === 'list' && right.kind === 'list') {
    if (op === '+') {
      checkLength(ctx, left.items.length + right.items.length, span);
      return list([...left.items, ...right.items]);
    }
    if (op === '==' || op === '!=') return equality(op, sameLists(ctx, left.items, right.items, span));
  } else if (
    left.kind === right.kind &&
    (left.kind === 'string' || left.kind === 'bool' || left.kind === 'dtype')
  ) {
    if (op === '==' || op === '!=') return equality(op, scalarOf(left) === scalarOf(right));
    if (op === '+' && left.kind === 'string' && right.kind === 'string') {
      checkLength(ctx, left.value.length + right.value.length, span);
      return { kind: 'string', value: left.value + right.value };
    }
  } else if (left.kind === 'all' || right.kind === 'all') {
    if (op === '==' || op === '!=') return equality(op, left.kind === right.kind);
  } else {
    const sizes = onSizes(ctx, op, left, right, span);
    if (sizes) return sizes;
  }
  ctx.fail(wrongKind(span, `\`${op}\` does not take ${describe(left)} and ${describe(right)}`));
}

function checkLength(ctx: Context, length: number, span: Span): void {
  if (length > MAX_LIST)
    ctx.fail(staticFailure(span, `this is too long: ${length} entries, at most ${MAX_LIST}`));
}

const equality = (op: '==' | '!=', same: boolean): Val => bool(op === '==' ? same : !same);

function scalarOf(v: Val): string | boolean | undefined {
  if (v.kind === 'dtype') return v.dtype;
  return v.kind === 'string' || v.kind === 'bool' ? v.value : undefined;
}

function sameLists(ctx: Context, a: readonly Val[], b: readonly Val[], span: Span): boolean {
  return (
    a.length === b.length &&
    a.every((x, i) => {
      const same = binary(ctx, '==', x, b[i]!, span);
      return same.kind === 'bool' && same.value;
    })
  );
}

function onNumbers(
  ctx: Context,
  op: BinaryOperator,
  left: Extract<Val, { kind: 'number' }>,
  right: Extract<Val, { kind: 'number' }>,
  span: Span,
): Val {
  const [a, b] = [left.value, right.value];
  const isFloat = left.isFloat || right.isFloat;
  const number = (value: number, float_ = isFloat): Val => {
    if (!Number.isFinite(value)) ctx.fail(staticFailure(span, `${a} ${op} ${b} is not a finite number`));
    if (!float_ && !Number.isSafeInteger(value))
      ctx.fail(staticFailure(span, `${a} ${op} ${b} is too large`));
    return { kind: 'number', value, isFloat: float_ };
  };
  switch (op) {
    case '+':
      return number(a + b);
    case '-':
      return number(a - b);
    case '*':
      return number(a * b);
    case '/':
      if (b === 0) ctx.fail(staticFailure(span, 'division by zero'));
      return number(a / b, true);
    case '~/':
    case '%':
      if (b === 0) ctx.fail(staticFailure(span, 'division by zero'));
      return number(op === '%' ? a - Math.floor(a / b) * b : Math.floor(a / b));
    case '^':
      return number(a ** b, isFloat || b < 0);
    case '==':
      return bool(a === b);
    case '!=':
      return bool(a !== b);
    case '<':
      return bool(a < b);
    case '<=':
      return bool(a <= b);
    case '>':
      return bool(a > b);
    case '>=':
      return bool(a >= b);
    default:
      ctx.fail(wrongKind(span, `\`${op}\` does not take ${a} and ${b}`));
  }
}

/** At least one side depends on free sizes. */
function onSizes(ctx: Context, op: BinaryOperator, left: Val, right: Val, span: Span): Val | undefined {
  const [a, b] = [asDim(left), asDim(right)];
  if (a && b) {
    switch (op) {
      case '+':
        return size(D.add(a, b));
      case '-':
        return size(D.sub(a, b));
      case '*':
        return size(D.mul(a, b));
      case '~/':
        if (D.isConstant(b, 0)) ctx.fail(staticFailure(span, 'division by zero'));
        return size(D.floorDiv(a, b));
      case '%':
        if (D.isConstant(b, 0)) ctx.fail(staticFailure(span, 'division by zero'));
        return size(D.sub(a, D.mul(b, D.floorDiv(a, b))));
      case '^': {
        const power = D.constantValue(b);
        if (power !== undefined && power >= 0 && power <= 16)
          return size(D.product(Array.from({ length: power }, () => a)));
        break;
      }
      case '==':
      case '!=':
      case '<':
      case '<=':
      case '>':
      case '>=': {
        const known = compare(op, a, b);
        if (known === undefined)
          ctx.fail(unprovable(span, `${D.print(a)} ${op} ${D.print(b)}`, examplesOf(a, b, conditions[op])));
        return bool(known);
      }
    }
  }
  // Not a whole number of its sizes: a run-time value.
  const numeric = (v: Val) => v.kind === 'number' || v.kind === 'dim';
  return numeric(left) && numeric(right) ? onTensors(ctx, op, left, right, span) : undefined;
}

const conditions = {
  '==': (x, y) => x === y,
  '!=': (x, y) => x !== y,
  '<': (x, y) => x < y,
  '<=': (x, y) => x <= y,
  '>': (x, y) => x > y,
  '>=': (x, y) => x >= y,
} as const satisfies Partial<Record<BinaryOperator, (x: number, y: number) => boolean>>;

/** Decided where it holds for all sizes or for none. */
function compare(op: BinaryOperator, a: D.Dim, b: D.Dim): boolean | undefined {
  const least = D.lowerBound(D.sub(a, b));
  const most = -D.lowerBound(D.sub(b, a));
  switch (op) {
    case '==':
    case '!=': {
      const same = D.equal(a, b) ? true : least > 0 || most < 0 ? false : undefined;
      return same === undefined ? undefined : (op === '==') === same;
    }
    case '<':
      return most < 0 ? true : least >= 0 ? false : undefined;
    case '<=':
      return most <= 0 ? true : least > 0 ? false : undefined;
    case '>':
      return least > 0 ? true : most <= 0 ? false : undefined;
    default:
      return least >= 0 ? true : most < 0 ? false : undefined;
  }
}

function onTensors(
  ctx: Context,
  op: Exclude<BinaryOperator, '@'> | BinaryOperator,
  left: Val,
  right: Val,
  span: Span,
): Val {
  const name = op === '@' ? undefined : ops[op];
  const node = name && primitive(name);
  if (!node) ctx.fail(wrongKind(span, `\`${op}\` does not take ${describe(left)} and ${describe(right)}`));
  const dtype = (tensorOf(left) ?? tensorOf(right))?.value.type.dtype ?? 'f32';
  const value = B.binary(ctx.b, node, operand(ctx, left, dtype, span), operand(ctx, right, dtype, span));
  return { kind: 'tensor', value, home: ctx.b };
}

/** A tensor, or a number to be given the other side's dtype. */
export function operand(ctx: Context, v: Val, dtype: DType, span: Span): Value | number {
  const tensor = tensorOf(v);
  if (tensor) return importTensor(ctx, tensor);
  if (v.kind === 'number') return v.value;
  if (v.kind === 'dim') return sizeValue(ctx, v.dim, dtype);
  if (v.kind === 'bool' && dtype === 'bool') return B.scalar(ctx.b, v.value ? 1 : 0, 'bool');
  ctx.fail(wrongKind(span, `expected a tensor or a number, found ${describe(v)}`));
}

export function negate(ctx: Context, v: Val, span: Span): Val {
  if (v.kind === 'number') return v.isFloat ? float(-v.value) : int(v.value === 0 ? 0 : -v.value);
  if (v.kind === 'dim') return size(D.scale(v.dim, -1));
  const tensor = tensorOf(v);
  if (tensor) return { kind: 'tensor', value: B.neg(ctx.b, importTensor(ctx, tensor)), home: ctx.b };
  ctx.fail(wrongKind(span, `\`-\` does not take ${describe(v)}`));
}

export function not(ctx: Context, v: Val, span: Span): Val {
  if (v.kind === 'bool') return bool(!v.value);
  const tensor = tensorOf(v);
  if (tensor)
    return {
      kind: 'tensor',
      value: ctx.b.emit(primitive('logical_not')!, [importTensor(ctx, tensor)]),
      home: ctx.b,
    };
  ctx.fail(wrongKind(span, `\`not\` does not take ${describe(v)}`));
}
