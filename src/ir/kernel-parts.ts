import type { KExpr, Stmt } from './kernel.ts';

/** The expressions that an expression is directly made of, in the order of evaluation. */
export function partsOf(e: KExpr): readonly KExpr[] {
  switch (e.kind) {
    case 'const':
    case 'ref':
    case 'builtin':
    case 'uniform':
      return [];
    case 'load':
      return e.mask ? [e.index, e.mask] : [e.index];
    case 'load-shared':
      return [e.index];
    case 'unary':
    case 'cast':
    case 'splat':
    case 'lane':
      return [e.a];
    case 'binary':
    case 'shuffle':
      return [e.a, e.b];
    case 'select':
      return [e.condition, e.a, e.b];
    case 'random':
      return e.args;
    case 'lanes':
      return e.parts;
  }
}

/** The expressions that stand in a statement itself, without those of the statements in it. */
export function operandsOf(s: Stmt): readonly KExpr[] {
  switch (s.kind) {
    case 'let':
    case 'var':
    case 'assign':
    case 'subgroup':
      return [s.value];
    case 'store':
    case 'store-shared':
      return [s.index, s.value];
    case 'for':
      return [s.from, s.to];
    case 'if':
      return [s.condition];
    case 'load-matrix':
    case 'store-matrix':
      return [s.index, s.stride];
    case 'matrix':
    case 'zero-matrix':
    case 'multiply-matrix':
    case 'barrier':
    case 'comment':
      return [];
  }
}

/** The statements that a statement holds. */
export function bodyOf(s: Stmt): readonly Stmt[] {
  return s.kind === 'for' ? s.body : s.kind === 'if' ? s.then : [];
}

/** Whether a statement deals with matrices of the subgroup. */
export function isMatrixStmt(s: Stmt): s is MatrixStmt {
  return matrixKinds.has(s.kind);
}

export type MatrixStmt = Extract<
  Stmt,
  { kind: 'matrix' | 'zero-matrix' | 'load-matrix' | 'multiply-matrix' | 'store-matrix' }
>;

const matrixKinds: ReadonlySet<Stmt['kind']> = new Set([
  'matrix',
  'zero-matrix',
  'load-matrix',
  'multiply-matrix',
  'store-matrix',
]);
