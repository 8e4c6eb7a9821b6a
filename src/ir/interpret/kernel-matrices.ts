import type { KExpr, MatrixPlace, MatrixType } from '../kernel.ts';
import type { MatrixStmt } from '../kernel-parts.ts';
import { normalise } from '../scalar.ts';
import { compileKExpr, type KernelScope } from './kernel-expr.ts';

interface Matrix {
  readonly type: MatrixType;
  /** For each subgroup of the workgroup its elements, row by row. */
  readonly values: readonly Float64Array[];
}

/** Runs an action in every invocation of the workgroup. */
type Each = (action: () => void) => void;

/** The matrices that subgroups hold, and steps that all subgroups of a workgroup take one after the other. */
export class MatrixStore {
  readonly #scope: KernelScope;
  readonly #subgroups: number;
  readonly #matrices = new Map<string, Matrix>();

  constructor(scope: KernelScope, subgroups: number) {
    this.#scope = scope;
    this.#subgroups = subgroups;
  }

  step(s: MatrixStmt, each: Each): () => void {
    switch (s.kind) {
      case 'matrix': {
        const { values } = this.#declare(s.name, s.type);
        return () => {
          for (const v of values) v.fill(s.value);
        };
      }
      case 'zero-matrix': {
        const { values } = this.#get(s.name);
        return () => {
          for (const v of values) v.fill(0);
        };
      }
      case 'load-matrix':
        return this.#move(s, this.#declare(s.name, s.type), each, 'load');
      case 'store-matrix':
        return this.#move(s, this.#get(s.matrix), each, 'store');
      case 'multiply-matrix':
        return this.#multiply(s);
    }
  }

  #declare(name: string, type: MatrixType): Matrix {
    const values = Array.from({ length: this.#subgroups }, () => new Float64Array(type.rows * type.columns));
    const matrix = { type, values };
    this.#matrices.set(name, matrix);
    return matrix;
  }

  #get(name: string): Matrix {
    const found = this.#matrices.get(name);
    if (!found) throw new Error(`${this.#scope.kernel.name}: there is no matrix ${name}`);
    return found;
  }

  #multiply({ result, left, right }: Extract<MatrixStmt, { kind: 'multiply-matrix' }>): () => void {
    const [c, a, b] = [this.#get(result), this.#get(left), this.#get(right)];
    const { precision } = this.#scope;
    const { rows, columns, dtype } = c.type;
    const depth = a.type.columns;
    return () => {
      for (const [subgroup, sums] of c.values.entries()) {
        const [x, y] = [a.values[subgroup]!, b.values[subgroup]!];
        for (let m = 0; m < rows; m++)
          for (let n = 0; n < columns; n++) {
            let sum = sums[m * columns + n]!;
            // Products of two f16 are exact in f32.
            for (let k = 0; k < depth; k++)
              sum = normalise(sum + x[m * depth + k]! * y[k * columns + n]!, dtype, precision);
            sums[m * columns + n] = sum;
          }
      }
    };
  }

  #move(place: MatrixPlace, { type, values }: Matrix, each: Each, action: 'load' | 'store'): () => void {
    const name = (place.buffer ?? place.array)!;
    const memory = this.#scope.memory(name);
    const [index, stride] = [this.#agreed(place.index, each), this.#agreed(place.stride, each)];
    const { rows, columns } = type;
    const { kernel, precision } = this.#scope;
    return () => {
      const [starts, strides] = [index(), stride()];
      for (const [subgroup, own] of values.entries())
        for (let r = 0; r < rows; r++)
          for (let c = 0; c < columns; c++) {
            const [major, minor] = place.byColumns ? [c, r] : [r, c];
            const i = starts[subgroup]! + major * strides[subgroup]! + minor;
            if (!(i >= 0 && i < memory.length))
              throw new Error(
                `${kernel.name}: ${action} ${name}[${i}] is out of range, it has ${memory.length} elements`,
              );
            const at = r * columns + c;
            if (action === 'load') own[at] = normalise(memory[i]!, type.dtype, precision);
            else memory[i] = own[at]!;
          }
    };
  }

  /** The value of each subgroup, which all its invocations must have in common. */
  #agreed(e: KExpr, each: Each): () => number[] {
    const value = compileKExpr(e, this.#scope);
    const { at, kernel } = this.#scope;
    return () => {
      const found: number[] = [];
      each(() => {
        const own = value();
        const known = (found[at.subgroup] ??= own);
        if (own !== known)
          throw new Error(`${kernel.name}: the place of a matrix is not the same in all of its subgroup`);
      });
      return found;
    };
  }
}
