import type { KExpr, Kernel, Stmt } from '../kernel.ts';
import { lanesOf } from '../kernel.ts';
import { isMatrixStmt, operandsOf, partsOf } from '../kernel-parts.ts';
import { printKExpr, printStmt } from '../print/kernel.ts';
import type { DType } from '../type.ts';
import { isIndex, kernelDtypeProblem } from './kernel-dtype.ts';
import { kernelLanesProblem } from './kernel-lanes.ts';
import { KernelMatrices } from './kernel-matrices.ts';
import { type Divergent, divergentNames, mayDiffer } from './kernel-uniformity.ts';

/**
 * What is wrong with a kernel, one sentence each; empty where nothing is. Names are unique and defined before use,
 * dtypes and lanes agree, stores go to writable buffers, barriers and operations of subgroups stand where all invocations of
 * a workgroup come by together.
 */
export function verifyKernel(kernel: Kernel): string[] {
  return new Verifier(kernel).run();
}

/** What every value has. */
interface Shape {
  readonly dtype: DType;
  readonly lanes: number;
}

const shapeOf = (e: KExpr): Shape => ({ dtype: e.dtype, lanes: lanesOf(e) });

interface Local extends Shape {
  readonly mutable: boolean;
}

type Scope = ReadonlyMap<string, Local>;

class Verifier {
  readonly #kernel: Kernel;
  readonly #problems = new Set<string>();
  readonly #declared = new Set<string>();
  readonly #uniforms = new Map<string, DType>();
  readonly #divergent: Divergent;
  readonly #matrices: KernelMatrices;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#divergent = divergentNames(kernel);
    this.#matrices = new KernelMatrices(kernel);
  }

  run(): string[] {
    const { buffers, shared, workgroupSize, body } = this.#kernel;
    if (!isCount(workgroupSize)) this.#report(`the workgroup size is ${workgroupSize}`);
    for (const problem of this.#matrices.kernelProblems()) this.#report(problem);
    for (const { name } of [...buffers, ...shared]) this.#declare(name);
    buffers.forEach((b, i) => {
      if (buffers.findIndex(other => other.tensor === b.tensor) !== i)
        this.#report(`the tensor of buffer ${b.name} is bound twice`);
    });
    for (const { name, size, vectors } of shared)
      if (!isCount(size) || (vectors && size % 4 !== 0))
        this.#report(`shared array ${name} has size ${size}`);
    for (const { name, dtype, vectors } of buffers)
      if (vectors && (dtype === 'u8' || dtype === 'bool'))
        this.#report(`vectors of ${dtype} in buffer ${name}`);
    this.#body(body, new Map(), true);
    return [...this.#problems];
  }

  #report(problem: string): void {
    this.#problems.add(problem);
  }

  #declare(name: string): void {
    if (this.#declared.has(name)) this.#report(`${name} is declared twice`);
    this.#declared.add(name);
  }

  /** `together`: all invocations of the workgroup run these statements. */
  #body(body: readonly Stmt[], outer: Scope, together: boolean): void {
    const scope = new Map(outer);
    this.#matrices.inBlock(() => {
      for (const s of body) this.#stmt(s, scope, together);
    });
  }

  #stmt(s: Stmt, scope: Map<string, Local>, together: boolean): void {
    if (isMatrixStmt(s)) {
      for (const e of operandsOf(s)) this.#index(e, scope);
      if (!together) this.#report(`${s.kind} where not all invocations come by`);
      for (const problem of this.#matrices.problems(s)) this.#report(`${problem} in \`${firstLine(s)}\``);
      if (s.kind === 'matrix' || s.kind === 'load-matrix') this.#declare(s.name);
      return;
    }
    const define = (name: string, { dtype, lanes }: Shape, mutable = false): void => {
      this.#declare(name);
      scope.set(name, { dtype, lanes, mutable });
    };
    switch (s.kind) {
      case 'let':
        this.#expr(s.value, scope);
        define(s.name, shapeOf(s.value));
        break;
      case 'var': {
        this.#expr(s.value, scope);
        const shape = { dtype: s.dtype, lanes: s.lanes ?? 1 };
        this.#same(shape, s.value, s);
        define(s.name, shape, true);
        break;
      }
      case 'assign': {
        this.#expr(s.value, scope);
        const local = scope.get(s.name);
        if (!local) this.#report(`${s.name} is assigned and not defined before`);
        else if (!local.mutable) this.#report(`${s.name} is assigned and is not a var`);
        else this.#same(local, s.value, s);
        break;
      }
      case 'store':
        this.#store(s, scope);
        break;
      case 'store-shared': {
        this.#index(s.index, scope);
        this.#expr(s.value, scope);
        const array = this.#kernel.shared.find(a => a.name === s.array);
        if (array) this.#same({ ...array, lanes: lanesOf(s.value) }, s.value, s);
        else this.#report(`there is no shared array ${s.array}`);
        break;
      }
      case 'for': {
        for (const bound of [s.from, s.to]) {
          this.#expr(bound, scope);
          if (bound.dtype !== 'i32') this.#report(`a bound of ${bound.dtype} in \`${firstLine(s)}\``);
          this.#single(bound, 'bound', s);
        }
        if (!isCount(s.step)) this.#report(`a step of ${s.step} in \`${firstLine(s)}\``);
        this.#declare(s.name);
        const inner = new Map(scope).set(s.name, { dtype: 'i32', lanes: 1, mutable: false });
        this.#body(s.body, inner, together && this.#isUniform(s.from) && this.#isUniform(s.to));
        break;
      }
      case 'if':
        this.#expr(s.condition, scope);
        if (s.condition.dtype !== 'bool')
          this.#report(`a condition of ${s.condition.dtype} in \`${firstLine(s)}\``);
        this.#single(s.condition, 'condition', s);
        this.#body(s.then, scope, together && this.#isUniform(s.condition));
        break;
      case 'barrier':
        if (!together) this.#report('a barrier where not all invocations come by');
        break;
      case 'subgroup':
        this.#subgroup(s, scope, together);
        define(s.name, shapeOf(s.value));
        break;
      case 'comment':
    }
  }

  #store(s: Extract<Stmt, { kind: 'store' }>, scope: Scope): void {
    this.#index(s.index, scope);
    this.#expr(s.value, scope);
    const buffer = this.#kernel.buffers.find(b => b.name === s.buffer);
    if (!buffer) this.#report(`there is no buffer ${s.buffer}`);
    else if (buffer.access !== 'read_write')
      this.#report(`a store to ${s.buffer}, which is bound for reading`);
    else if (buffer.dtype === 'u8')
      this.#report(`a store to ${s.buffer}, whose u8 are packed four to a word`);
    // A u8 value is a small u32.
    else if (!(buffer.dtype === 'u32' && s.value.dtype === 'u8'))
      this.#same({ ...buffer, lanes: lanesOf(s.value) }, s.value, s);
  }

  #subgroup(s: Extract<Stmt, { kind: 'subgroup' }>, scope: Scope, together: boolean): void {
    this.#expr(s.value, scope);
    if (!together) this.#report(`subgroup ${s.op} of ${s.name} where not all invocations come by`);
    if (s.value.dtype === 'bool' || s.value.dtype === 'u8')
      this.#report(`subgroup ${s.op} of ${s.value.dtype}`);
    this.#single(s.value, 'subgroup operation', s);
    if (s.op === 'broadcast' && !(s.lane !== undefined && Number.isInteger(s.lane) && s.lane >= 0))
      this.#report(`subgroup broadcast of ${s.name} from lane ${s.lane}`);
  }

  #isUniform(e: KExpr): boolean {
    return !mayDiffer(e, this.#divergent);
  }

  #same({ dtype, lanes }: Shape, value: KExpr, s: Stmt): void {
    if (value.dtype !== dtype) this.#report(`${value.dtype} where ${dtype} is wanted in \`${firstLine(s)}\``);
    if (lanesOf(value) !== lanes)
      this.#report(`${lanesOf(value)} lanes where ${lanes} are wanted in \`${firstLine(s)}\``);
  }

  #single(value: KExpr, what: string, s: Stmt): void {
    if (lanesOf(value) !== 1) this.#report(`a ${what} of ${lanesOf(value)} lanes in \`${firstLine(s)}\``);
  }

  #index(index: KExpr, scope: Scope): void {
    this.#expr(index, scope);
    if (!isIndex(index)) this.#report(`an index of ${index.dtype}: ${printKExpr(index)}`);
    if (lanesOf(index) !== 1) this.#report(`an index of ${lanesOf(index)} lanes: ${printKExpr(index)}`);
  }

  #expr(e: KExpr, scope: Scope): void {
    for (const problem of [kernelDtypeProblem(e), kernelLanesProblem(e)])
      if (problem) this.#report(`${problem} in \`${printKExpr(e)}\``);
    for (const part of partsOf(e)) this.#expr(part, scope);
    switch (e.kind) {
      case 'ref': {
        const local = scope.get(e.name);
        if (!local) this.#report(`${e.name} is used and not defined before`);
        else if (local.dtype !== e.dtype)
          this.#report(`${e.name} is ${local.dtype} and taken for ${e.dtype}`);
        else if (local.lanes !== lanesOf(e))
          this.#report(`${e.name} has ${local.lanes} lanes and is taken for ${lanesOf(e)}`);
        break;
      }
      case 'uniform': {
        const known = this.#uniforms.get(e.name);
        if (known && known !== e.dtype)
          this.#report(`uniform ${e.name} is taken for ${known} and for ${e.dtype}`);
        this.#uniforms.set(e.name, e.dtype);
        break;
      }
      case 'load':
      case 'load-shared': {
        const name = e.kind === 'load' ? e.buffer : e.array;
        const from = e.kind === 'load' ? this.#kernel.buffers : this.#kernel.shared;
        const memory = from.find(m => m.name === name);
        if (!memory) this.#report(`there is no ${e.kind === 'load' ? 'buffer' : 'shared array'} ${name}`);
        else if (memory.dtype !== e.dtype)
          this.#report(`${name} holds ${memory.dtype} and is loaded as ${e.dtype}`);
        else if (memory.vectors && e.kind === 'load' && e.mask)
          this.#report(`a masked load from ${name}, whose elements lie in vectors`);
        break;
      }
    }
  }
}

function isCount(n: number): boolean {
  return Number.isInteger(n) && n > 0;
}

function firstLine(s: Stmt): string {
  return printStmt(s).split('\n')[0]!;
}
