import type { CstNode, IToken } from 'chevrotain';
import type { Diagnostic } from '../support/diagnostic.ts';
import type { Source, Span } from '../support/source.ts';
import type { Body, Ident } from './ast.ts';

/** What every function that builds the tree needs besides its node. */
export interface Context {
  readonly source: Source;
  readonly report: (diagnostic: Diagnostic) => void;
  /** Builds a body. Expressions reach statements through it, since `scan` holds statements. */
  readonly body: (node: CstNode) => Body;
}

/** A part that the grammar promised is absent; the statement or declaration around it is dropped. */
export class Hole extends Error {}

function isNode(element: CstNode | IToken): element is CstNode {
  return 'children' in element;
}

export function nodes(parent: CstNode, name: string): CstNode[] {
  return (parent.children[name] ?? []).filter(isNode);
}

export function tokens(parent: CstNode, name: string): IToken[] {
  return (parent.children[name] ?? []).filter((element): element is IToken => !isNode(element));
}

export function maybeNode(parent: CstNode, name: string): CstNode | undefined {
  return nodes(parent, name)[0];
}

export function maybeToken(parent: CstNode, name: string): IToken | undefined {
  return tokens(parent, name)[0];
}

export function node(parent: CstNode, name: string): CstNode {
  return maybeNode(parent, name) ?? hole(`${parent.name} without ${name}`);
}

export function token(parent: CstNode, name: string): IToken {
  return maybeToken(parent, name) ?? hole(`${parent.name} without ${name}`);
}

/** The one child of a rule that only chooses between others. */
export function choice(parent: CstNode): CstNode {
  const child = Object.values(parent.children).flat().find(isNode);
  return child ?? hole(`${parent.name} without a choice`);
}

export function hole(message: string): never {
  throw new Hole(message);
}

export function spanOf(cx: Context, at: CstNode): Span {
  const start = at.location?.startOffset;
  const last = at.location?.endOffset;
  if (start === undefined || last === undefined || Number.isNaN(start) || Number.isNaN(last)) {
    return hole(`${at.name} without a place`);
  }
  return { source: cx.source, start, end: last + 1 };
}

export function spanOfToken(cx: Context, at: IToken): Span {
  return { source: cx.source, start: at.startOffset, end: at.startOffset + at.image.length };
}

export function ident(cx: Context, at: IToken): Ident {
  return { name: at.image, span: spanOfToken(cx, at) };
}
