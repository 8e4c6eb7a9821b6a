import { place } from '../../support/source.ts';
import type {
  KExpr,
  Kernel,
  KernelBuffer,
  KernelSchedule,
  MatrixPlace,
  MatrixType,
  Stmt,
  TileSide,
} from '../kernel.ts';
import { lanesOf } from '../kernel.ts';
import type { BinaryOp } from '../scalar.ts';
import { printType } from '../type.ts';

/**
 * A kernel as text:
 *
 *     kernel conv, 6*N workgroups of 64   // lenet.dnn:6:8
 *       read x : f32 of f32[N, 1, 28, 28]
 *       read_write y : f32 of f32[N, 6, 24, 24]
 *       shared tile : f32[256]
 *       let id = $group * 64 + $local
 *       for k in 0 ..< %K step 4
 *         …
 *
 * `$` marks builtins, `%` words of the uniform block; `x[i : 4 if m]` is four lanes from i on, under a mask; `x[i by 40 a row]`
 * is a matrix. Never throws, so that a faulty kernel can be shown too.
 */
export function printKernel(kernel: Kernel): string {
  const { span, path } = kernel.origin;
  const from = [path, span && place(span)].filter(x => x !== undefined).join(', ');
  const head = `kernel ${kernel.name}, ${kernel.groups.key} workgroups of ${kernel.workgroupSize}`;
  return [
    from === '' ? head : `${head}   // ${from}`,
    ...kernel.comments.map(text => `  // ${oneLine(text)}`),
    ...(kernel.schedule ? [`  // ${printSchedule(kernel.schedule)}`] : []),
    ...kernel.buffers.map(b => `  ${b.access} ${b.name} : ${elementOf(b)} of ${printType(b.tensor.type)}`),
    ...kernel.shared.map(s => `  shared ${s.name} : ${elementOf(s)}[${s.size}]`),
    ...printStmts(kernel.body, 2),
  ].join('\n');
}

/** `f32x4` where elements lie in vectors. */
const elementOf = ({ dtype, vectors }: Pick<KernelBuffer, 'dtype' | 'vectors'>): string =>
  dtype + lanesSuffix('x', vectors ? 4 : 1);

/** `register tiles o:4 x:2 / c:8`. */
function printSchedule(schedule: KernelSchedule): string {
  return [schedule.name, printTile(schedule), schedule.role && `(${schedule.role})`]
    .filter(Boolean)
    .join(' ');
}

/**
 * What an invocation makes, then what a workgroup does, then what stands in straight-line code of the reduction:
 * `o:4 x:8v / c:2`, `m:4 n:4 of m:64 n:64 / k:16`. A `v` marks the axis that vectors run along.
 */
export function printTile({
  tile,
  workgroup = [],
  unroll,
}: Pick<KernelSchedule, 'tile' | 'workgroup' | 'unroll'>): string {
  const print = (sides: readonly TileSide[]): string =>
    sides.map(({ axis, size, lanes }) => `${axis}:${size}${lanes ? 'v' : ''}`).join(' ');
  const whole = workgroup.length > 0 ? ` of ${print(workgroup)}` : '';
  return `${print(tile)}${whole}${unroll.length > 0 ? ` / ${print(unroll)}` : ''}`.trim();
}

/** One statement and what it holds, without indentation. */
export function printStmt(s: Stmt): string {
  return printStmts([s], 0).join('\n');
}

function printStmts(body: readonly Stmt[], indent: number): string[] {
  return body.flatMap(s => {
    const pad = ' '.repeat(indent);
    const lines = [pad + headOf(s)];
    if (s.kind === 'for') lines.push(...printStmts(s.body, indent + 2));
    if (s.kind === 'if') lines.push(...printStmts(s.then, indent + 2));
    return lines;
  });
}

function headOf(s: Stmt): string {
  switch (s.kind) {
    case 'let':
      return `let ${s.name} = ${printKExpr(s.value)}`;
    case 'var':
      return `var ${s.name} : ${s.dtype}${lanesSuffix('x', s.lanes ?? 1)} = ${printKExpr(s.value)}`;
    case 'assign':
      return `${s.name} = ${printKExpr(s.value)}`;
    case 'store':
      return `${s.buffer}[${printPlace(s.index, lanesOf(s.value))}] = ${printKExpr(s.value)}`;
    case 'store-shared':
      return `${s.array}[${printPlace(s.index, lanesOf(s.value))}] = ${printKExpr(s.value)}`;
    case 'for': {
      const step = s.step === 1 ? '' : ` step ${s.step}`;
      return `for ${s.name} in ${printKExpr(s.from)} ..< ${printKExpr(s.to)}${step}`;
    }
    case 'if':
      return `if ${printKExpr(s.condition)}`;
    case 'barrier':
      return 'barrier';
    case 'subgroup': {
      const lane = s.op === 'broadcast' ? `, lane ${s.lane ?? 0}` : '';
      return `let ${s.name} = subgroup ${s.op}(${printKExpr(s.value)}${lane})`;
    }
    case 'matrix':
      return `var ${s.name} : ${printMatrixType(s.type)} = ${s.value}`;
    case 'zero-matrix':
      return `${s.name} = 0`;
    case 'load-matrix':
      return `let ${s.name} : ${printMatrixType(s.type)} = ${printMatrixPlace(s)}`;
    case 'multiply-matrix':
      return `${s.result} += ${s.left} ** ${s.right}`;
    case 'store-matrix':
      return `${printMatrixPlace(s)} = ${s.matrix}`;
    case 'comment':
      return `// ${oneLine(s.text)}`;
  }
}

function printMatrixType({ use, dtype, rows, columns }: MatrixType): string {
  return `${use} ${dtype}[${rows}, ${columns}]`;
}

function printMatrixPlace(place: MatrixPlace): string {
  const step = `${printKExpr(place.stride)}${place.byColumns ? ' a column' : ' a row'}`;
  return `${place.buffer ?? place.array}[${printKExpr(place.index)} by ${step}]`;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ');
}

const infix: Readonly<Partial<Record<BinaryOp, { readonly text: string; readonly level: number }>>> = {
  or: { text: '|', level: 1 },
  and: { text: '&', level: 2 },
  eq: { text: '==', level: 3 },
  ne: { text: '!=', level: 3 },
  lt: { text: '<', level: 3 },
  le: { text: '<=', level: 3 },
  gt: { text: '>', level: 3 },
  ge: { text: '>=', level: 3 },
  add: { text: '+', level: 4 },
  sub: { text: '-', level: 4 },
  mul: { text: '*', level: 5 },
  div: { text: '/', level: 5 },
  floordiv: { text: '~/', level: 5 },
  mod: { text: '%', level: 5 },
};

/** An expression as text; parentheses keep the order of operations, also of equal ones on the right. */
export function printKExpr(e: KExpr, atLeast = 0): string {
  switch (e.kind) {
    case 'const':
      return printConstant(e.value, e.dtype);
    case 'ref':
      return e.name;
    case 'builtin':
      return `$${e.name}`;
    case 'uniform':
      return `%${e.name}`;
    case 'load':
      return `${e.buffer}[${printPlace(e.index, lanesOf(e))}${e.mask ? ` if ${printKExpr(e.mask)}` : ''}]`;
    case 'load-shared':
      return `${e.array}[${printPlace(e.index, lanesOf(e))}]`;
    case 'unary':
      return `${e.op}(${printKExpr(e.a)})`;
    case 'binary': {
      const op = infix[e.op];
      if (!op) return `${e.op}(${printKExpr(e.a)}, ${printKExpr(e.b)})`;
      const text = `${printKExpr(e.a, op.level)} ${op.text} ${printKExpr(e.b, op.level + 1)}`;
      return op.level < atLeast ? `(${text})` : text;
    }
    case 'select':
      return `select(${printKExpr(e.condition)}, ${printKExpr(e.a)}, ${printKExpr(e.b)})`;
    case 'cast':
      return `${e.dtype}(${printKExpr(e.a)})`;
    case 'random':
      return `random(${e.args.map(a => printKExpr(a)).join(', ')})`;
    case 'splat':
      return `splat${e.lanes}(${printKExpr(e.a)})`;
    case 'lanes':
      return `[${e.parts.map(a => printKExpr(a)).join(', ')}]`;
    case 'lane':
      return `lane(${printKExpr(e.a)}, ${e.lane})`;
    case 'shuffle':
      return `shuffle(${printKExpr(e.a)}, ${printKExpr(e.b)}; ${e.picks.join(' ')})`;
  }
}

function printPlace(index: KExpr, lanes: number): string {
  return printKExpr(index) + lanesSuffix(' : ', lanes);
}

function lanesSuffix(mark: string, lanes: number): string {
  return lanes === 1 ? '' : `${mark}${lanes}`;
}

function printConstant(value: number, dtype: KExpr['dtype']): string {
  if (dtype === 'bool') return value === 0 ? 'false' : 'true';
  const text = Object.is(value, -0) ? '-0' : String(value);
  if (dtype === 'u32' || dtype === 'u8') return `${text}u`;
  if (dtype === 'i32') return text;
  return `${/^-?\d+$/.test(text) ? `${text}.0` : text}${dtype === 'f16' ? 'h' : ''}`;
}
