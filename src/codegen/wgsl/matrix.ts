import type { MatrixPlace, MatrixType } from '../../ir/kernel.ts';
import type { MatrixStmt } from '../../ir/kernel-parts.ts';
import { exprPiece } from './expr.ts';
import { literal } from './literal.ts';
import type { Scope } from './scope.ts';

/** WGSL has the number of columns before that of rows. */
const typeName = ({ use, dtype, rows, columns }: MatrixType): string =>
  `subgroup_matrix_${use}<${dtype}, ${columns}, ${rows}>`;

/** A statement over matrices of a subgroup. */
export function matrixLine(s: MatrixStmt, scope: Scope): string {
  scope.features.add('subgroups').add('chromium_experimental_subgroup_matrix');
  if ('type' in s) scope.note(s.type.dtype);
  switch (s.kind) {
    case 'matrix':
      scope.matrices.set(s.name, s.type);
      return `var ${scope.name(s.name)} = ${typeName(s.type)}(${s.value === 0 ? '' : literal(s.value, s.type.dtype)});`;
    case 'zero-matrix':
      return `${scope.name(s.name)} = ${typeName(scope.matrices.get(s.name)!)}();`;
    case 'load-matrix': {
      const { memory, order, index, stride } = placeOf(s, scope);
      const load = `subgroupMatrixLoad<${typeName(s.type)}, ${order}>(&${memory}, ${index}, ${stride})`;
      return `let ${scope.name(s.name)} = ${load};`;
    }
    case 'multiply-matrix': {
      const [result, left, right] = [s.result, s.left, s.right].map(name => scope.name(name));
      return `${result} = subgroupMatrixMultiplyAccumulate(${left}, ${right}, ${result});`;
    }
    case 'store-matrix': {
      const { memory, order, index, stride } = placeOf(s, scope);
      return `subgroupMatrixStore<${order}>(&${memory}, ${index}, ${scope.name(s.matrix)}, ${stride});`;
    }
  }
}

function placeOf(place: MatrixPlace, scope: Scope) {
  if (place.buffer) scope.buffersUsed.add(place.buffer);
  return {
    memory: scope.name((place.buffer ?? place.array)!),
    order: place.byColumns ? 'col_major' : 'row_major',
    index: exprPiece(place.index, scope).text,
    stride: exprPiece(place.stride, scope).text,
  };
}
