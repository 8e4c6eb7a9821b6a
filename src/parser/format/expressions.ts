import type { CstNode } from 'chevrotain';
import { maybeNode, maybeToken, node, nodes, token, tokens } from '../cst.ts';
import { chain } from './chains.ts';
import { type Layout, startOf } from './context.ts';
import { choice, concat, type Doc, INDENT, indent, line, nothing, type Place, space, WIDTH } from './doc.ts';
import { braced, bracketed } from './lists.ts';
import { type PipeStage, pipe } from './pipes.ts';
import { body } from './statements.ts';

/** `hangs`: the expression stands behind `x = ` or a word, so that operators have room to the left of it. */
export function expression(cx: Layout, at: CstNode, hangs = false): Doc {
  const head = logic(cx, node(at, 'logic'), hangs);
  const stages = nodes(at, 'stage');
  if (stages.length === 0) return head;
  return pipe(head, pipeStages(cx, stages, tokens(at, 'Arrow')));
}

function pipeStages(cx: Layout, stages: readonly CstNode[], arrows: ReturnType<typeof tokens>): PipeStage[] {
  return stages.map((at, i) => {
    const arrow = arrows[i];
    return {
      arrow: cx.token(arrow),
      value: stage(cx, at),
      first: (arrow !== undefined && cx.isFirst(arrow.startOffset)) || cx.isFirst(startOf(at)),
      name: appliedName(at),
    };
  });
}

/** What a stage applies, as in `conv` for `a: conv(3)`; undefined where that is no name. */
function appliedName(at: CstNode): string | undefined {
  const applied = maybeNode(at, 'post');
  return applied && maybeToken(node(applied, 'primary'), 'Identifier')?.image;
}

function stage(cx: Layout, at: CstNode): Doc {
  const label = maybeToken(at, 'label');
  const applied = maybeNode(at, 'post');
  const value = applied === undefined ? repeatStage(cx, node(at, 'repeatStage')) : post(cx, applied);
  return label === undefined ? value : concat(cx.token(label), cx.token(token(at, 'Colon')), space, value);
}

function repeatStage(cx: Layout, at: CstNode): Doc {
  const inside = nodes(at, 'stage');
  const [first, ...others] = inside;
  const open = concat(
    cx.token(token(at, 'Repeat')),
    space,
    ...loopVariable(cx, at),
    logic(cx, node(at, 'logic')),
    space,
    cx.token(token(at, 'LBrace')),
  );
  const head = first === undefined ? nothing : stage(cx, first);
  const content = others.length === 0 ? head : pipe(head, pipeStages(cx, others, tokens(at, 'Arrow')));
  const breaks = first !== undefined && cx.isFirst(startOf(first));
  return braced(open, content, cx.token(token(at, 'RBrace')), breaks);
}

/** `i in `, where there is one. */
export function loopVariable(cx: Layout, at: CstNode): Doc[] {
  const variable = maybeToken(at, 'Identifier');
  return variable === undefined ? [] : [cx.token(variable), space, cx.token(token(at, 'In')), space];
}

function logic(cx: Layout, at: CstNode, hangs = false): Doc {
  const operands = nodes(at, 'operand');
  const operators = tokens(at, 'operator');
  const links = operands.map(each => ({
    doc: arithmetic(cx, each, hangs && operators.length === 0),
    start: startOf(each),
  }));
  return chain(cx, links, operators, hangs);
}

export function arithmetic(cx: Layout, at: CstNode, hangs = false): Doc {
  const links = nodes(at, 'operand').map(each => ({ doc: power(cx, each), start: startOf(each) }));
  return chain(cx, links, tokens(at, 'operator'), hangs);
}

function power(cx: Layout, at: CstNode): Doc {
  const carets = tokens(at, 'Caret');
  return concat(
    ...nodes(at, 'factor').flatMap((each, i) => {
      const caret = i === 0 ? [] : [space, cx.token(carets[i - 1]), space];
      return [...caret, factor(cx, each)];
    }),
  );
}

function factor(cx: Layout, at: CstNode): Doc {
  const infer = maybeToken(at, 'Infer');
  return concat(
    ...tokens(at, 'prefix').flatMap(each =>
      each.image === 'not' ? [cx.token(each), space] : [cx.token(each)],
    ),
    ...(infer === undefined ? [] : [cx.token(infer), space]),
    post(cx, node(at, 'post')),
  );
}

export function post(cx: Layout, at: CstNode): Doc {
  return concat(
    primary(cx, node(at, 'primary')),
    ...nodes(at, 'suffix').map(suffix => {
      const called = maybeNode(suffix, 'args');
      if (called !== undefined) return args(cx, called);
      const indexed = maybeNode(suffix, 'index');
      if (indexed !== undefined) return index(cx, indexed);
      return concat(cx.token(token(suffix, 'Dot')), cx.token(token(suffix, 'Identifier')));
    }),
  );
}

function primary(cx: Layout, at: CstNode): Doc {
  const plain =
    maybeToken(at, 'NumberLiteral') ?? maybeToken(at, 'StringLiteral') ?? maybeToken(at, 'Identifier');
  if (plain !== undefined) return cx.token(plain);
  const group = maybeNode(at, 'group');
  if (group !== undefined) {
    const inside = [expression(cx, node(group, 'expr'))];
    return bracketed(cx.token(token(group, 'LParen')), inside, cx.token(token(group, 'RParen')));
  }
  const list = maybeNode(at, 'list');
  if (list !== undefined) return listOf(cx, list);
  const conditional = maybeNode(at, 'conditional');
  return conditional === undefined ? scan(cx, node(at, 'scan')) : branches(cx, conditional);
}

/** Rows of a list stay as they are: they may be a table. */
function listOf(cx: Layout, at: CstNode): Doc {
  const parts = nodes(at, 'expr');
  return bracketed(
    cx.token(token(at, 'LBracket')),
    cx.separated(
      parts.map(each => expression(cx, each)),
      tokens(at, 'Comma'),
    ),
    cx.token(token(at, 'RBracket')),
    parts.map((each, i) => i > 0 && cx.isFirst(startOf(each))),
  );
}

/** All branches on one line, or a line for each, `else` below `if`; or each in lines of its own. */
function branches(cx: Layout, at: CstNode): Doc {
  const found = nodes(at, 'branch');
  const elses = tokens(at, 'Else');
  const values = [...found.map(each => node(each, 'value')), node(at, 'expr')];
  const heads = found.map((each, i) =>
    concat(
      ...(i === 0 ? [] : [cx.token(elses[i - 1]), space]),
      cx.token(token(each, 'If')),
      space,
      expression(cx, node(each, 'condition')),
      space,
      cx.token(token(each, 'LBrace')),
    ),
  );
  heads.push(concat(cx.token(elses.at(-1)), space, cx.token(token(at, 'LBrace'))));
  const closers = [...found, at].map(each => cx.token(token(each, 'RBrace')));
  const docs = values.map(each => expression(cx, each));
  const rows = heads.map((head, i) => concat(head, space, docs[i]!, space, closers[i]!));
  const blocks = heads.map((head, i) =>
    concat(head, indent({ by: INDENT }, concat(line(), docs[i]!)), line(), closers[i]!),
  );
  const forced = cx.isFirst(startOf(values[0]!));
  const layout = ({ column, tail }: Place): Doc => {
    const fits = rows.every(row => column + row.width + tail <= WIDTH);
    return fits && !forced
      ? indent('here', concat(...joined(rows, line())))
      : concat(...joined(blocks, space));
  };
  return choice(concat(...joined(rows, space)), layout, { lead: heads[0]!.lead, forced });
}

const joined = (docs: readonly Doc[], between: Doc): Doc[] =>
  docs.flatMap((doc, i) => (i === 0 ? [doc] : [between, doc]));

function scan(cx: Layout, at: CstNode): Doc {
  const carried = nodes(at, 'carried').map(each =>
    concat(
      cx.token(token(each, 'Identifier')),
      space,
      cx.token(token(each, 'Equals')),
      space,
      expression(cx, node(each, 'expr')),
    ),
  );
  const carry = cx.separated(carried, tokens(at, 'Comma'));
  return concat(
    cx.token(token(at, 'Scan')),
    args(cx, node(at, 'args')),
    space,
    ...loopVariable(cx, at),
    expression(cx, node(at, 'expr')),
    space,
    cx.token(token(at, 'Carry')),
    space,
    bracketed(nothing, carry, nothing),
    space,
    body(cx, node(at, 'body')),
  );
}

function args(cx: Layout, at: CstNode): Doc {
  const items = nodes(at, 'arg').map(each => {
    const name = maybeToken(each, 'Identifier');
    const value = expression(cx, node(each, 'expr'));
    if (name === undefined) return value;
    return concat(cx.token(name), space, cx.token(token(each, 'Equals')), space, value);
  });
  return bracketed(
    cx.token(token(at, 'LParen')),
    cx.separated(items, tokens(at, 'Comma')),
    cx.token(token(at, 'RParen')),
  );
}

export function index(cx: Layout, at: CstNode): Doc {
  return bracketed(
    cx.token(token(at, 'LBracket')),
    cx.separated(
      nodes(at, 'indexItem').map(each => indexItem(cx, each)),
      tokens(at, 'Comma'),
    ),
    cx.token(token(at, 'RBracket')),
  );
}

function indexItem(cx: Layout, at: CstNode): Doc {
  const ellipsis = maybeToken(at, 'Ellipsis');
  if (ellipsis !== undefined) return cx.token(ellipsis);
  const from = maybeNode(at, 'arithmetic');
  const rest = maybeNode(at, 'sliceEnd');
  const parts: Doc[] = from === undefined ? [] : [arithmetic(cx, from)];
  if (rest !== undefined) {
    const [first, second] = tokens(rest, 'Colon');
    const to = maybeNode(rest, 'to');
    const step = maybeNode(rest, 'step');
    parts.push(cx.token(first));
    if (to !== undefined) parts.push(arithmetic(cx, to));
    parts.push(cx.token(second));
    if (step !== undefined) parts.push(arithmetic(cx, step));
  }
  return concat(...parts.filter(part => part !== nothing));
}
