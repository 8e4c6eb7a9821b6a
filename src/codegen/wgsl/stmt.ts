import type { KExpr, Stmt } from '../../ir/kernel.ts';
import { lanesOf } from '../../ir/kernel.ts';
import type { DType } from '../../ir/type.ts';
import { exprPiece, storedPiece } from './expr.ts';
import type { Piece } from './layout.ts';
import { atom, components, element, layout } from './layout.ts';
import { matrixLine } from './matrix.ts';
import type { Scope } from './scope.ts';
import { componentAt, laneNames, neighbour, vectorPlace } from './vector.ts';

/** Lines of text may hold no line break, or they would stop being comments. */
export function commentLines(text: string, indent: number): string[] {
  return text
    .split(/[\n\v\f\r\u0085\u2028\u2029]+/)
    .map(line => `${' '.repeat(indent)}// ${line.replace(/\p{Cc}|\p{Cf}/gu, '\ufffd')}`.trimEnd());
}

export function bodyLines(body: readonly Stmt[], indent: number, scope: Scope): string[] {
  return body.flatMap(s => stmtLines(s, indent, scope));
}

function stmtLines(s: Stmt, indent: number, scope: Scope): string[] {
  const pad = ' '.repeat(indent);
  const line = (head: string, value: Piece, tail = ';') => [
    `${pad}${head}${layout(value, indent, indent + head.length)}${tail}`,
  ];
  switch (s.kind) {
    case 'let': {
      const value = exprPiece(s.value, scope);
      return line(`let ${scope.name(s.name)} = `, value);
    }
    case 'var': {
      // Literals carry their type.
      const value = exprPiece(s.value, scope);
      return line(`var ${scope.name(s.name)} = `, value);
    }
    case 'assign':
      return assignLine(scope.name(s.name), s.name, s.value, line, scope);
    case 'store': {
      scope.buffersUsed.add(s.buffer);
      if (scope.inVectors(s.buffer))
        return line(`${placeInVectors(scope.name(s.buffer), s, scope)} = `, exprPiece(s.value, scope));
      const dtype = scope.kernel.buffers.find(b => b.name === s.buffer)?.dtype ?? s.value.dtype;
      if (lanesOf(s.value) > 1) return storeLanes(s, scope.name(s.buffer), dtype, line, scope);
      const index = exprPiece(s.index, scope).text;
      return line(`${scope.name(s.buffer)}[${index}] = `, storedPiece(exprPiece(s.value, scope), dtype));
    }
    case 'store-shared':
      if (scope.inVectors(s.array))
        return line(`${placeInVectors(scope.name(s.array), s, scope)} = `, exprPiece(s.value, scope));
      if (lanesOf(s.value) > 1) return storeLanes(s, scope.name(s.array), s.value.dtype, line, scope);
      return line(`${scope.name(s.array)}[${exprPiece(s.index, scope).text}] = `, exprPiece(s.value, scope));
    case 'for': {
      const from = exprPiece(s.from, scope).text;
      const to = exprPiece(s.to, scope);
      const name = scope.name(s.name);
      const bound = to.level <= 2 ? `(${to.text})` : to.text;
      const step = s.step === 1 ? `${name}++` : `${name} += ${s.step}`;
      const head = `for (var ${name} = ${from}; ${name} < ${bound}; ${step}) {`;
      return [pad + head, ...bodyLines(s.body, indent + 2, scope), `${pad}}`];
    }
    case 'if': {
      const head = 'if (';
      return [
        ...line(head, exprPiece(s.condition, scope), ') {'),
        ...bodyLines(s.then, indent + 2, scope),
        `${pad}}`,
      ];
    }
    case 'barrier':
      return [`${pad}workgroupBarrier();`];
    case 'subgroup': {
      scope.features.add('subgroups');
      const value = exprPiece(s.value, scope).text;
      const call = s.op === 'add' ? `subgroupAdd(${value})` : `subgroupBroadcast(${value}, ${s.lane ?? 0}u)`;
      return [`${pad}let ${scope.name(s.name)} = ${call};`];
    }
    case 'matrix':
    case 'zero-matrix':
    case 'load-matrix':
    case 'multiply-matrix':
    case 'store-matrix':
      return [pad + matrixLine(s, scope)];
    case 'comment':
      return commentLines(s.text, indent);
  }
}

/** What is stored to in a memory of vectors: one, or a component. */
function placeInVectors(
  memory: string,
  { index, value }: { index: KExpr; value: KExpr },
  scope: Scope,
): string {
  const print = (e: KExpr): Piece => exprPiece(e, scope);
  return lanesOf(value) > 1
    ? element(memory, vectorPlace(index, print)).text
    : componentAt(memory, index, print).text;
}

/** One element after the other. */
function storeLanes(
  s: Extract<Stmt, { kind: 'store' | 'store-shared' }>,
  memory: string,
  dtype: DType,
  line: (head: string, value: Piece) => string[],
  scope: Scope,
): string[] {
  const [at, lanes] = [scope.fresh('at'), scope.fresh('lanes')];
  return [
    ...line(`let ${at} = `, exprPiece(s.index, scope)),
    ...line(`let ${lanes} = `, exprPiece(s.value, scope)),
    ...laneNames.flatMap((name, i) => {
      const place = neighbour(atom(at), i, s.index.dtype).text;
      return line(`${memory}[${place}] = `, storedPiece(components(atom(lanes), name), dtype));
    }),
  ];
}

/** `acc = acc + x` is written `acc += x` where the sum has two terms. */
function assignLine(
  name: string,
  kernelName: string,
  value: KExpr,
  line: (head: string, value: Piece) => string[],
  scope: Scope,
): string[] {
  const adds =
    value.kind === 'binary' && value.op === 'add' && value.dtype !== 'bool' && value.dtype !== 'u8';
  if (adds && value.a.kind === 'ref' && value.a.name === kernelName)
    return line(`${name} += `, exprPiece(value.b, scope));
  return line(`${name} = `, exprPiece(value, scope));
}
