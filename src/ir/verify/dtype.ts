import type { Expr } from '../compute.ts';
import { bitOperations, floatFunctions, isComparison } from '../scalar.ts';
import { isFloat } from '../type.ts';

/** What is wrong with the dtypes of one expression and its direct operands; loads and `reduced` are checked elsewhere. */
export function dtypeProblem(e: Expr): string | undefined {
  switch (e.kind) {
    case 'unary':
      if (e.dtype !== e.a.dtype) return `\`${e.op}\` of ${e.a.dtype} is taken for ${e.dtype}`;
      if (e.op === 'not' && e.a.dtype !== 'bool') return `\`not\` of ${e.a.dtype}`;
      if (floatFunctions.has(e.op) && !isFloat(e.a.dtype)) return `\`${e.op}\` of ${e.a.dtype}`;
      return undefined;
    case 'binary': {
      if (e.a.dtype !== e.b.dtype) return `\`${e.op}\` of ${e.a.dtype} and ${e.b.dtype}`;
      const dtype = isComparison(e.op) ? 'bool' : e.a.dtype;
      if (e.dtype !== dtype) return `\`${e.op}\` of ${e.a.dtype} is taken for ${e.dtype}`;
      if (bitOperations.has(e.op) && isFloat(e.a.dtype)) return `\`${e.op}\` of ${e.a.dtype}`;
      return undefined;
    }
    case 'select':
      if (e.condition.dtype !== 'bool') return `\`select\` by ${e.condition.dtype} instead of bool`;
      if (e.a.dtype !== e.b.dtype) return `\`select\` between ${e.a.dtype} and ${e.b.dtype}`;
      return e.dtype === e.a.dtype ? undefined : `\`select\` of ${e.a.dtype} is taken for ${e.dtype}`;
    case 'random': {
      const wrong = e.args.find(arg => arg.dtype !== 'u32');
      return wrong && `\`random\` is given ${wrong.dtype} instead of u32`;
    }
    default:
      return undefined;
  }
}
