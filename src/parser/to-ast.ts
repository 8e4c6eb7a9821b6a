import type { CstNode } from 'chevrotain';
import type { Diagnostic } from '../support/diagnostic.ts';
import { nestingTooDeep } from '../support/errors/syntax.ts';
import type { Source } from '../support/source.ts';
import type { Declaration, Expr, File, Import } from './ast.ts';
import { type Context, choice, Hole, nodes } from './cst.ts';
import { declaration, importOf } from './declarations.ts';
import { expression } from './expressions.ts';
import { body } from './statements.ts';

/** Later phases walk the tree by recursion, which a chain of operators must not exhaust. */
export const MAX_DEPTH = 500;

/** Builds the tree of a file. What is incomplete is left out; the parser has reported it. */
export function toFile(source: Source, root: CstNode, report: (d: Diagnostic) => void): File {
  const cx = context(source, report);
  const imports: Import[] = [];
  const declarations: Declaration[] = [];
  for (const each of nodes(root, 'declaration')) {
    const at = choice(each);
    const built = whole(cx, () => (at.name === 'importDeclaration' ? importOf(cx, at) : declaration(cx, at)));
    if (built?.kind === 'import') imports.push(built);
    else if (built !== undefined) declarations.push(built);
  }
  return { source, imports, declarations, span: { source, start: 0, end: source.text.length } };
}

/** Builds the tree of an expression that stands alone. */
export function toExpression(
  source: Source,
  root: CstNode,
  report: (d: Diagnostic) => void,
): Expr | undefined {
  const cx = context(source, report);
  return nodes(root, 'expr')
    .map(at => whole(cx, () => expression(cx, at)))
    .at(0);
}

function context(source: Source, report: (d: Diagnostic) => void): Context {
  const cx: Context = { source, report, body: at => body(cx, at) };
  return cx;
}

/** What `build` returns unless it has holes or is too deep. */
function whole<T extends Declaration | Import | Expr>(cx: Context, build: () => T): T | undefined {
  try {
    const built = build();
    if (depth(built) <= MAX_DEPTH) return built;
    cx.report(nestingTooDeep(built.span, MAX_DEPTH));
  } catch (error) {
    if (!(error instanceof Hole)) throw error;
  }
  return undefined;
}

/** Levels of a tree, counted without recursion. */
function depth(root: object): number {
  const waiting: { value: object; level: number }[] = [{ value: root, level: 1 }];
  let deepest = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, level } = next;
    // A list of children is no level of its own.
    const inside = Array.isArray(value) ? level : level + 1;
    deepest = Math.max(deepest, level);
    for (const [key, child] of Object.entries(value)) {
      if (typeof child === 'object' && child !== null && !key.toLowerCase().endsWith('span')) {
        waiting.push({ value: child, level: inside });
      }
    }
  }
  return deepest;
}
