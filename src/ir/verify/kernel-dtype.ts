import type { KExpr } from '../kernel.ts';
import type { BinaryOp } from '../scalar.ts';
import { bitOperations, floatFunctions, isComparison } from '../scalar.ts';
import { isFloat } from '../type.ts';

/** What booleans may be combined with: sums and products are `or` and `and` for them. */
const ofBooleans: ReadonlySet<BinaryOp> = new Set(['and', 'or', 'max', 'min', 'add', 'mul', 'sub']);

/** What is wrong with the dtypes of one expression and its direct operands; names are checked elsewhere. */
export function kernelDtypeProblem(e: KExpr): string | undefined {
  switch (e.kind) {
    case 'unary': {
      const from = e.a.dtype;
      const dtype = e.op === 'not' ? 'bool' : from;
      if (e.dtype !== dtype) return `${e.op} of ${from} is taken for ${e.dtype}`;
      if (floatFunctions.has(e.op) && !isFloat(from)) return `${e.op} of ${from}`;
      return undefined;
    }
    case 'binary': {
      const from = e.a.dtype;
      if (from !== e.b.dtype) return `${e.op} of ${from} and ${e.b.dtype}`;
      const dtype = isComparison(e.op) ? 'bool' : from;
      if (e.dtype !== dtype) return `${e.op} of ${from} is taken for ${e.dtype}`;
      const bits = bitOperations.has(e.op);
      const wrong = isFloat(from)
        ? bits
        : from === 'bool'
          ? !isComparison(e.op) && !ofBooleans.has(e.op)
          : e.op === 'pow';
      return wrong ? `${e.op} of ${from}` : undefined;
    }
    case 'select':
      if (e.condition.dtype !== 'bool') return `select by ${e.condition.dtype} instead of bool`;
      if (e.a.dtype !== e.b.dtype) return `select between ${e.a.dtype} and ${e.b.dtype}`;
      return e.dtype === e.a.dtype ? undefined : `select of ${e.a.dtype} is taken for ${e.dtype}`;
    case 'random': {
      const wrong = e.args.find(arg => arg.dtype !== 'u32');
      return wrong && `random is given ${wrong.dtype} instead of u32`;
    }
    case 'load':
    case 'load-shared':
      return isIndex(e.index) ? undefined : `an index of ${e.index.dtype}`;
    case 'splat':
    case 'lane':
      return e.dtype === e.a.dtype ? undefined : `${e.kind} of ${e.a.dtype} is taken for ${e.dtype}`;
    case 'lanes': {
      const wrong = e.parts.find(part => part.dtype !== e.dtype);
      return wrong && `${wrong.dtype} in lanes of ${e.dtype}`;
    }
    case 'shuffle': {
      const wrong = [e.a, e.b].find(part => part.dtype !== e.dtype);
      return wrong && `shuffle of ${wrong.dtype} is taken for ${e.dtype}`;
    }
    default:
      return undefined;
  }
}

export function isIndex(e: KExpr): boolean {
  return e.dtype === 'i32' || e.dtype === 'u32';
}
