import type { Kernel, MatrixPlace, MatrixType } from '../kernel.ts';
import { bodyOf, isMatrixStmt, type MatrixStmt } from '../kernel-parts.ts';
import { type Divergent, divergentNames, mayDiffer } from './kernel-uniformity.ts';

interface Matrix {
  readonly type: MatrixType;
  /** It can be added to. */
  readonly mutable: boolean;
}

/** What is wrong with the matrices of a kernel; names that are declared twice are found elsewhere. */
export class KernelMatrices {
  readonly #kernel: Kernel;
  readonly #divergent: Divergent;
  #scope = new Map<string, Matrix>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#divergent = divergentNames(kernel, 'subgroup');
  }

  /** A kernel with matrices says how many invocations a subgroup has, and has whole ones. */
  kernelProblems(): string[] {
    const { subgroupSize, workgroupSize, body } = this.#kernel;
    if (subgroupSize === undefined)
      return holdsMatrices(body) ? ['matrices, and the size of a subgroup is not given'] : [];
    if (workgroupSize % subgroupSize === 0) return [];
    return [`a workgroup of ${workgroupSize} in subgroups of ${subgroupSize}`];
  }

  /** What is declared while `check` runs is gone afterwards. */
  inBlock(check: () => void): void {
    const outer = this.#scope;
    this.#scope = new Map(outer);
    check();
    this.#scope = outer;
  }

  problems(s: MatrixStmt): string[] {
    switch (s.kind) {
      case 'matrix':
        this.#scope.set(s.name, { type: s.type, mutable: true });
        return sizeProblems(s.type);
      case 'zero-matrix':
        return this.#known(s.name, m => (m.mutable ? [] : [`${s.name} is loaded and cannot be changed`]));
      case 'load-matrix':
        this.#scope.set(s.name, { type: s.type, mutable: false });
        return [...sizeProblems(s.type), ...this.#placeProblems(s, s.type, false)];
      case 'multiply-matrix':
        return this.#products(s);
      case 'store-matrix':
        return this.#known(s.matrix, m => this.#placeProblems(s, m.type, true));
    }
  }

  #known(name: string, check: (m: Matrix) => string[]): string[] {
    const known = this.#scope.get(name);
    return known ? check(known) : [`there is no matrix ${name}`];
  }

  #products({ result, left, right }: Extract<MatrixStmt, { kind: 'multiply-matrix' }>): string[] {
    const [c, a, b] = [result, left, right].map(name => this.#scope.get(name));
    if (!a || !b || !c)
      return [result, left, right].filter(n => !this.#scope.has(n)).map(n => `there is no matrix ${n}`);
    const problems: string[] = [];
    for (const [m, use] of [
      [a, 'left'],
      [b, 'right'],
      [c, 'result'],
    ] as const)
      if (m.type.use !== use) problems.push(`a ${m.type.use} matrix where a ${use} one is wanted`);
    if (!c.mutable) problems.push(`${result} is loaded and cannot be changed`);
    if (a.type.dtype !== b.type.dtype) problems.push(`${a.type.dtype} times ${b.type.dtype}`);
    if (a.type.columns !== b.type.rows || a.type.rows !== c.type.rows || b.type.columns !== c.type.columns) {
      const [x, y, z] = [a, b, c].map(m => `${m.type.rows} x ${m.type.columns}`);
      problems.push(`${x} times ${y} added to ${z}`);
    }
    return problems;
  }

  #placeProblems(place: MatrixPlace, type: MatrixType, written: boolean): string[] {
    const problems: string[] = [];
    for (const [what, e] of [
      ['an index', place.index],
      ['a stride', place.stride],
    ] as const)
      if (mayDiffer(e, this.#divergent)) problems.push(`${what} that may differ in the subgroup`);
    const { buffers, shared } = this.#kernel;
    const name = place.buffer ?? place.array;
    const memory = [...(place.buffer ? buffers : shared)].find(m => m.name === name);
    if (!memory) return [...problems, `there is no ${place.buffer ? 'buffer' : 'shared array'} ${name}`];
    if (memory.vectors) problems.push(`a matrix in ${name}, whose elements lie in vectors`);
    if (memory.dtype !== type.dtype) problems.push(`${name} holds ${memory.dtype} and not ${type.dtype}`);
    if (written && 'access' in memory && memory.access !== 'read_write')
      problems.push(`a store to ${name}, which is bound for reading`);
    const least = place.byColumns ? type.rows : type.columns;
    const { stride } = place;
    if (stride.kind === 'const' && stride.value < least)
      problems.push(`a stride of ${stride.value}, less than ${least}`);
    return problems;
  }
}

const holdsMatrices = (body: Kernel['body']): boolean =>
  body.some(s => isMatrixStmt(s) || holdsMatrices(bodyOf(s)));

function sizeProblems({ rows, columns }: MatrixType): string[] {
  const isCount = (n: number): boolean => Number.isInteger(n) && n > 0;
  return isCount(rows) && isCount(columns) ? [] : [`a matrix of ${rows} x ${columns}`];
}
