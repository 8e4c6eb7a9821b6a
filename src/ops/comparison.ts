import type { Primitive } from '../ir/primitive.ts';
import type { BinaryOp } from '../ir/scalar.ts';
import type { Accepted } from './attributes.ts';
import { binaryOp } from './elementwise.ts';

function comparison(op: BinaryOp, symbol: string, accepts: Accepted): Primitive {
  return binaryOp(op, {
    accepts,
    result: 'bool',
    doc: `Whether a ${symbol} b, elementwise; a bool.`,
    example: `y = a ${symbol} b`,
    kinks: true,
  });
}

export const eq = comparison('eq', '==', 'any');
export const ne = comparison('ne', '!=', 'any');
export const lt = comparison('lt', '<', 'number');
export const le = comparison('le', '<=', 'number');
export const gt = comparison('gt', '>', 'number');
export const ge = comparison('ge', '>=', 'number');
