import type {
  Arg,
  Body,
  Declaration,
  DimExpr,
  Expr,
  IndexItem,
  Param,
  Result,
  Stage,
  Statement,
  TypeExpr,
} from '../../src/parser/ast.ts';
import { parse, parseExpression } from '../../src/parser/parse.ts';

/** A fully bracketed form of the tree, short enough to stand in a test. */
export function expr(e: Expr): string {
  switch (e.kind) {
    case 'number':
      return e.isFloat ? `${e.value}f` : String(e.value);
    case 'string':
      return JSON.stringify(e.value);
    case 'name':
      return e.name;
    case 'list':
      return `[${e.items.map(expr).join(', ')}]`;
    case 'unary':
      return `(${e.op} ${expr(e.value)})`;
    case 'binary':
      return `(${expr(e.left)} ${e.op} ${expr(e.right)})`;
    case 'range':
      return `(${expr(e.from)} .. ${expr(e.to)})`;
    case 'call':
      return `${expr(e.callee)}(${e.args.map(arg).join(', ')})`;
    case 'index':
      return `${expr(e.value)}[${e.index.map(indexItem).join(', ')}]`;
    case 'field':
      return `${expr(e.value)}.${e.name.name}`;
    case 'if':
      return `(if ${expr(e.condition)} then ${expr(e.then)} else ${expr(e.else)})`;
    case 'scan': {
      const carry = e.carry.map(c => `${c.name.name} = ${expr(c.value)}`).join(', ');
      const head = `scan(${e.args.map(arg).join(', ')}) ${e.variable.name} in ${expr(e.over)}`;
      return `(${head} carry ${carry} ${body(e.body)})`;
    }
    case 'pipe':
      return `(${[expr(e.value), ...e.stages.map(stage)].join(' -> ')})`;
  }
}

function arg(a: Arg): string {
  return a.name === undefined ? expr(a.value) : `${a.name.name} = ${expr(a.value)}`;
}

function stage(s: Stage): string {
  const label = s.label === undefined ? '' : `${s.label.name}: `;
  if (s.kind === 'apply') return label + expr(s.value);
  const head = s.variable === undefined ? 'repeat' : `repeat ${s.variable.name} in`;
  return `${label}${head} ${expr(s.over)} { ${s.stages.map(stage).join(' -> ')} }`;
}

function indexItem(i: IndexItem): string {
  if (i.kind === 'ellipsis') return '...';
  if (i.kind === 'at') return expr(i.value);
  const part = (e: Expr | undefined) => (e === undefined ? '' : expr(e));
  return `${part(i.from)}:${part(i.to)}${i.step === undefined ? '' : `:${expr(i.step)}`}`;
}

function dim(d: DimExpr): string {
  if (d.kind === 'wildcard') return '_';
  return d.kind === 'pack' ? `...${d.name?.name ?? ''}` : expr(d.value);
}

function type(t: TypeExpr): string {
  return t.name.name + (t.dims === undefined ? '' : `[${t.dims.map(dim).join(', ')}]`);
}

function param(p: Param): string {
  return `${p.name.name}: ${type(p.type)}${p.value === undefined ? '' : ` = ${expr(p.value)}`}`;
}

function params(list: readonly Param[]): string {
  return `(${list.map(param).join(', ')})`;
}

function result(r: Result): string {
  return r.kind === 'type' ? type(r.type) : params(r.fields);
}

function body(b: Body): string {
  return `{ ${b.statements.map(statement).join('; ')} }`;
}

export function statement(s: Statement): string {
  switch (s.kind) {
    case 'declare':
      return `${s.role} ${param(s)}`;
    case 'assign':
      return `${s.names.map(n => n.name).join(', ')} = ${expr(s.value)}`;
    case 'update':
      return `${s.name.name} <- ${expr(s.value)}`;
    case 'metric':
      return `metric ${s.name.name} = ${expr(s.value)}`;
    case 'step':
      return `step ${s.name.name}${s.every === undefined ? '' : ` every ${s.every}`} ${body(s.body)}`;
    case 'minimize': {
      const targets = s.targets.map(t => `<${t.what.map(expr).join(', ')} by ${expr(t.by)}>`);
      return `minimize ${expr(s.value)} over ${targets.join(', ')}`;
    }
    case 'repeat':
      return `repeat ${s.variable === undefined ? '' : `${s.variable.name} in `}${expr(s.over)} ${body(s.body)}`;
    case 'return':
    case 'yield':
      return `${s.kind} ${s.values.map(expr).join(', ')}`;
  }
}

export function declaration(d: Declaration): string {
  const name = d.name.name;
  switch (d.kind) {
    case 'const':
      return `const ${name}${d.type === undefined ? '' : `: ${type(d.type)}`} = ${expr(d.value)}`;
    case 'fn':
      return `fn ${name}${params(d.params)} -> ${result(d.result)} ${body(d.body)}`;
    case 'op': {
      const head = `op ${name}${params(d.params)} -> ${d.resultName.name}: ${type(d.resultType)}`;
      const left = `${d.target.name}[${d.index.map(indexItem).join(', ')}]`;
      return `${head} { ${left} = ${d.reduction}(${d.over.map(o => o.name).join(', ')}) ${expr(d.value)} }`;
    }
    case 'block':
      return `block ${name}${params(d.statics)}${params(d.params)} -> ${result(d.result)} ${body(d.body)}`;
    case 'train':
      return `train ${name} ${body(d.body)}`;
    case 'net': {
      const signature = d.params && d.result ? `${params(d.params)} -> ${result(d.result)}` : '';
      const { definition } = d;
      if (definition.kind === 'body') return `net ${name}${signature} ${body(definition.body)}`;
      const { weights } = definition;
      const rename = weights?.rename === undefined ? '' : ` rename "${weights.rename}"`;
      const from = weights === undefined ? '' : ` weights "${weights.file}"${rename}`;
      return `net ${name}${signature} = ${expr(definition.value)}${from}`;
    }
  }
}

/** The declarations of a text that must be sound. */
export function showFile(text: string): string[] {
  const { file, diagnostics } = parse({ name: 'net.dnn', text });
  if (diagnostics.length > 0) throw new Error(diagnostics.map(d => d.message).join('\n'));
  return file.declarations.map(declaration);
}

/** The statements of a body that must be sound. */
export function showBody(text: string): string[] {
  const { file, diagnostics } = parse({ name: 'net.dnn', text: `train t {\n${text}\n}` });
  if (diagnostics.length > 0) throw new Error(diagnostics.map(d => d.message).join('\n'));
  const first = file.declarations[0];
  return first?.kind === 'train' ? first.body.statements.map(statement) : [];
}

/** An expression that must be sound. */
export function showExpr(text: string): string {
  const { expr: e, diagnostics } = parseExpression({ name: '-D', text });
  if (e === undefined || diagnostics.length > 0) throw new Error(diagnostics.map(d => d.message).join('\n'));
  return expr(e);
}

/** `line:column message` of everything wrong with a text. */
export function problems(text: string): string[] {
  return parse({ name: 'net.dnn', text }).diagnostics.map(d => {
    const before = text.slice(0, d.span?.start ?? 0).split('\n');
    return `${before.length}:${(before.at(-1)?.length ?? 0) + 1} ${d.code} ${d.message}`;
  });
}
