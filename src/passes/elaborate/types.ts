import type { Dim } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import type { DType, TensorType } from '../../ir/type.ts';
import { printShape, printType } from '../../ir/type.ts';
import type { DimExpr, Expr, TypeExpr } from '../../parser/ast.ts';
import { unknownType } from '../../support/errors/names.ts';
import { undetermined, wrongDType, wrongKind, wrongShape } from '../../support/errors/shapes.ts';
import type { Span } from '../../support/source.ts';
import { place } from '../../support/source.ts';
import type { Context } from './context.ts';
import { evaluate } from './evaluate.ts';
import type { Scope } from './scope.ts';
import { showDifference } from './sizes.ts';
import { asDim, describe } from './values.ts';

const dtypes: readonly string[] = ['f32', 'f16', 'i32', 'u32', 'u8', 'bool'] satisfies DType[];
const staticTypes = ['int', 'float', 'bool', 'string', 'block', 'fn'];

export const isDType = (name: string): name is DType => dtypes.includes(name);

/** What a function declares that takes tensors of every dtype; what it makes of them it does not say. */
const anyDType = 'any';

/** Whether values of this type are tensors. */
export const isTensorName = (name: string): boolean => isDType(name) || name === anyDType;

/** Whether a parameter of this type takes a tensor. `bool` without brackets is a compile-time switch. */
export function isTensorType(ctx: Context, type: TypeExpr): boolean {
  const { name } = type.name;
  if (isDType(name)) return name !== 'bool' || (type.dims !== undefined && type.dims.length > 0);
  if (name === anyDType) return true;
  if (staticTypes.includes(name)) return false;
  ctx.fail(unknownType(type.name.span, name, [...dtypes, anyDType, ...staticTypes]));
}

/** As it was written. */
export function textOf(type: { readonly span: Span }): string {
  return type.span.source.text.slice(type.span.start, type.span.end);
}

/** One declared type and what is to fit it. */
export interface Match {
  readonly type: TypeExpr;
  readonly actual: TensorType;
  /** `argument `x` of `conv``, for messages. */
  readonly what: string;
  /** Where the actual value stands. */
  readonly span: Span;
}

/**
 * Fits actual types to declared ones. Names of sizes that have no value yet get one in `scope`; names that have one,
 * constants and expressions must agree; packs of one name, and all unnamed ones, go together by broadcasting.
 */
export function unify(ctx: Context, scope: Scope, matches: readonly Match[]): void {
  const later: (() => void)[] = [];
  for (const match of matches) {
    checkDType(ctx, match);
    const dims = match.type.dims ?? [];
    const { shape } = match.actual;
    const at = dims.findIndex(d => d.kind === 'pack');
    const fixed = dims.length - (at >= 0 ? 1 : 0);
    if (shape.length < fixed || (at < 0 && shape.length > fixed))
      mismatch(
        ctx,
        match,
        `${at < 0 ? '' : 'at least '}${fixed} ${fixed === 1 ? 'axis' : 'axes'} declared, ${shape.length} given`,
      );
    const packed = shape.length - fixed;
    let axis = 0;
    for (const [i, dim] of dims.entries()) {
      if (i === at) {
        matchPack(ctx, scope, match, dim, shape.slice(axis, axis + packed));
        axis += packed;
        continue;
      }
      const actual = shape[axis]!;
      const index = axis++;
      if (dim.kind !== 'expr') continue;
      const free = freeName(scope, dim.value);
      if (free !== undefined) scope.dims.set(free, actual);
      else later.push(() => matchDim(ctx, scope, match, dim.value, actual, index));
    }
  }
  for (const check of later) check();
}

/** The name of a size that has no value yet. */
function freeName(scope: Scope, expr: Expr): string | undefined {
  if (expr.kind !== 'name') return undefined;
  return isKnownSize(scope, expr.name) ? undefined : expr.name;
}

/** Constants, static arguments and sizes that are determined. Names of functions and layers do not count. */
function isKnownSize(scope: Scope, name: string): boolean {
  const value = scope.values.get(name);
  if (value) return value.kind === 'poison' || asDim(value) !== undefined;
  if (scope.dims.has(name)) return true;
  if (scope.module.declarations.get(name)?.kind === 'const') return true;
  const imported = scope.module.imported.get(name);
  return imported?.module.declarations.get(imported.name.name)?.kind === 'const';
}

function matchDim(ctx: Context, scope: Scope, match: Match, expr: Expr, actual: Dim, axis: number): void {
  const declared = evaluateDim(ctx, scope, expr);
  if (D.equal(declared, actual)) return;
  const text = textOf(expr);
  const name = text === D.print(declared) ? '' : `${text} = `;
  const reason = `axis ${axis} differs: ${D.print(actual)} against ${name}${D.print(declared)}`;
  mismatch(ctx, match, reason, [actual, declared]);
}

function matchPack(ctx: Context, scope: Scope, match: Match, dim: DimExpr, actual: readonly Dim[]): void {
  const name = dim.kind === 'pack' && dim.name ? dim.name.name : '...';
  const value = scope.values.get(name);
  const before = value?.kind === 'list' ? value.items.map(v => asDim(v)!) : scope.packs.get(name);
  if (!before) {
    scope.packs.set(name, actual);
    return;
  }
  const joined = broadcast(before, actual);
  if ('differ' in joined) {
    const reason = `${printShape(actual)} does not go together with ${printShape(before)}`;
    mismatch(ctx, match, reason, joined.differ);
  }
  if (value) return;
  scope.packs.set(name, joined.shape);
}

type Broadcast = { readonly shape: Dim[] } | { readonly differ: readonly [Dim, Dim] };

function broadcast(a: readonly Dim[], b: readonly Dim[]): Broadcast {
  const rank = Math.max(a.length, b.length);
  const shape: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[i - rank + a.length];
    const y = b[i - rank + b.length];
    if (!x || !y) shape.push((x ?? y)!);
    else if (D.equal(x, y) || D.isConstant(y, 1)) shape.push(x);
    else if (D.isConstant(x, 1)) shape.push(y);
    else return { differ: [y, x] };
  }
  return { shape };
}

function checkDType(ctx: Context, { type, actual, what, span }: Match): void {
  if (type.name.name === actual.dtype || type.name.name === anyDType) return;
  ctx.fail(
    wrongDType(span, `${what} holds ${actual.dtype}, declared ${type.name.name}`, {
      label: printType(actual),
      notes: [{ message: `declared ${textOf(type)} at ${place(type.span)}`, span: type.span }],
      hint: `convert it with \`cast(…, ${type.name.name})\``,
    }),
  );
}

function mismatch(
  ctx: Context,
  { type, actual, what, span }: Match,
  reason: string,
  sizes?: readonly [Dim, Dim],
): never {
  const { notes = [], hint } = showDifference(sizes);
  ctx.fail(
    wrongShape(
      span,
      `shapes do not match: ${what} is ${printType(actual)}, declared ${textOf(type)}; ${reason}`,
      {
        label: printType(actual),
        notes: [...notes, { message: `declared ${textOf(type)} at ${place(type.span)}`, span: type.span }],
        hint,
      },
    ),
  );
}

export function evaluateDim(ctx: Context, scope: Scope, expr: Expr): Dim {
  if (expr.kind === 'name' && !isKnownSize(scope, expr.name)) {
    const value = scope.values.get(expr.name);
    if (value) ctx.fail(wrongKind(expr.span, `a size must be a whole number, not ${describe(value)}`));
    ctx.fail(undetermined(expr.span, expr.name));
  }
  const value = evaluate(ctx, scope, expr);
  const dim = asDim(value);
  if (dim) return dim;
  ctx.fail(wrongKind(expr.span, `a size must be a whole number, not ${describe(value)}`));
}

/**
 * The type that a declaration stands for. With `free`, names of sizes that have no value become free sizes; without,
 * they are errors: the shape of a parameter must be fixed by the declaration.
 */
export function resolveType(ctx: Context, scope: Scope, type: TypeExpr, free: boolean): TensorType {
  const { name } = type.name;
  if (!isDType(name)) {
    if (!staticTypes.includes(name)) ctx.fail(unknownType(type.name.span, name, dtypes));
    ctx.fail(wrongKind(type.span, `\`${textOf(type)}\` is not the type of a tensor`));
  }
  const shape: Dim[] = [];
  const later: (() => void)[] = [];
  for (const dim of type.dims ?? []) {
    if (dim.kind === 'wildcard')
      ctx.fail(wrongKind(dim.span, '`_` stands only in results; here the size must be said'));
    if (dim.kind === 'pack') shape.push(...packOf(ctx, scope, dim));
    else {
      const named = freeName(scope, dim.value);
      if (named !== undefined && free) scope.dims.set(named, D.symbol(named));
      const at = shape.push(D.constant(0)) - 1;
      later.push(() => {
        shape[at] = evaluateDim(ctx, scope, dim.value);
        if ((D.constantValue(shape[at]!) ?? 0) < 0)
          ctx.fail(wrongShape(dim.span, `a size must not be negative, but is ${D.print(shape[at]!)}`));
      });
    }
  }
  for (const run of later) run();
  return { dtype: name, shape };
}

function packOf(ctx: Context, scope: Scope, dim: Extract<DimExpr, { kind: 'pack' }>): readonly Dim[] {
  const name = dim.name?.name ?? '...';
  const value = scope.values.get(name);
  const dims = value?.kind === 'list' ? value.items.map(asDim) : scope.packs.get(name);
  if (dims?.every(d => d !== undefined)) return dims;
  ctx.fail(undetermined(dim.span, dim.name ? `...${name}` : name));
}
