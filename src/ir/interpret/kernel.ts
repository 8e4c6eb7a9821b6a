import * as D from '../dim.ts';
import type { Kernel, Stmt } from '../kernel.ts';
import { lanesOf } from '../kernel.ts';
import { isMatrixStmt } from '../kernel-parts.ts';
import type { Precision } from '../scalar.ts';
import { normalise } from '../scalar.ts';
import type { Invocation, KernelScope } from './kernel-expr.ts';
import { compileIndexOf, compileKExpr, compileLanes } from './kernel-expr.ts';
import { MatrixStore } from './kernel-matrices.ts';

/**
 * Runs all workgroups of a kernel, one after the other, over `buffers`, whose elements are numbers whatever their
 * packing on the device. `uniforms` has the free dims and the scalars; subgroup operations join `subgroupSize`
 * invocations, unless the kernel itself says how many.
 *
 * What holds a barrier or a subgroup operation is run by all invocations of a workgroup statement by statement; what
 * lies between by one invocation after the other. Throws on an access that is out of range, on a missing buffer or
 * uniform, on integer division of negative numbers, and on a barrier in control flow that is not uniform.
 */
export function interpretKernel(
  kernel: Kernel,
  buffers: Readonly<Record<string, Float64Array>>,
  uniforms: Readonly<Record<string, number>> = {},
  precision: Precision = 'f64',
  subgroupSize = 4,
): void {
  const interpreter = new Interpreter(kernel, buffers, uniforms, precision, subgroupSize);
  const groups = D.evaluate(kernel.groups, uniforms);
  for (let group = 0; group < groups; group++) interpreter.run(group);
}

/** Runs for the current invocation. */
type Action = () => void;

/** Runs for all invocations of the workgroup. */
type Step = () => void;

class Interpreter {
  readonly #scope: KernelScope;
  readonly #at: Invocation;
  readonly #invocations: readonly Invocation[];
  readonly #subgroupSize: number;
  readonly #shared: readonly Float64Array[];
  readonly #steps: readonly Step[];
  readonly #matrices: MatrixStore;

  constructor(
    kernel: Kernel,
    buffers: Readonly<Record<string, Float64Array>>,
    uniforms: Readonly<Record<string, number>>,
    precision: Precision,
    subgroupSize: number,
  ) {
    const size = kernel.subgroupSize ?? subgroupSize;
    this.#subgroupSize = size;
    const shared = new Map(kernel.shared.map(s => [s.name, new Float64Array(s.size)]));
    this.#shared = [...shared.values()];
    const slots = new Map<string, number>();
    this.#at = { group: 0, local: 0, subgroup: 0, lane: 0, slots: new Float64Array() };
    this.#scope = {
      kernel,
      precision,
      uniforms,
      at: this.#at,
      memory: name => {
        const found = shared.get(name) ?? buffers[name];
        if (!found) throw new Error(`${kernel.name}: no buffer ${name}`);
        return found;
      },
      slot: (name, lane = 0) => {
        const key = lane === 0 ? name : `${name} ${lane}`;
        const slot = slots.get(key) ?? slots.size;
        slots.set(key, slot);
        return slot;
      },
    };
    this.#matrices = new MatrixStore(this.#scope, Math.ceil(kernel.workgroupSize / size));
    this.#steps = this.#together(kernel.body);
    this.#invocations = Array.from({ length: kernel.workgroupSize }, (_, local) => ({
      group: 0,
      local,
      subgroup: Math.floor(local / size),
      lane: local % size,
      slots: new Float64Array(slots.size),
    }));
  }

  run(group: number): void {
    for (const invocation of this.#invocations) invocation.group = group;
    for (const array of this.#shared) array.fill(0);
    for (const step of this.#steps) step();
  }

  #each(action: () => void): void {
    const at = this.#at;
    for (const { group, local, subgroup, lane, slots } of this.#invocations) {
      at.group = group;
      at.local = local;
      at.subgroup = subgroup;
      at.lane = lane;
      at.slots = slots;
      action();
    }
  }

  /** Statements that invocations run in lockstep where they must, and on their own in between. */
  #together(body: readonly Stmt[]): Step[] {
    const steps: Step[] = [];
    let own: Stmt[] = [];
    const flush = (): void => {
      if (own.length === 0) return;
      const actions = this.#alone(own);
      own = [];
      steps.push(() => this.#each(() => runAll(actions)));
    };
    for (const s of body) {
      if (!isLockstep(s)) {
        own.push(s);
        continue;
      }
      flush();
      const step = this.#lockstep(s);
      if (step) steps.push(step);
    }
    flush();
    return steps;
  }

  #lockstep(s: Stmt): Step | undefined {
    if (isMatrixStmt(s)) return this.#matrices.step(s, action => this.#each(action));
    switch (s.kind) {
      case 'for': {
        const slot = this.#scope.slot(s.name);
        const [from, to] = [compileKExpr(s.from, this.#scope), compileKExpr(s.to, this.#scope)];
        const steps = this.#together(s.body);
        return () => {
          for (let i = this.#agreed(from); i < this.#agreed(to); i += s.step) {
            this.#each(() => {
              this.#at.slots[slot] = i;
            });
            for (const step of steps) step();
          }
        };
      }
      case 'if': {
        const condition = compileKExpr(s.condition, this.#scope);
        const steps = this.#together(s.then);
        return () => {
          if (this.#agreed(condition) !== 0) for (const step of steps) step();
        };
      }
      case 'subgroup':
        return this.#subgroup(s);
      default:
        // A barrier: everything before it has run in every invocation already.
        return undefined;
    }
  }

  /** A value that all invocations of the workgroup must have in common. */
  #agreed(value: () => number): number {
    let first: number | undefined;
    this.#each(() => {
      const own = value();
      first ??= own;
      if (own !== first)
        throw new Error(
          `${this.#scope.kernel.name}: a barrier or subgroup operation in control flow that is not uniform`,
        );
    });
    return first!;
  }

  #subgroup(s: Extract<Stmt, { kind: 'subgroup' }>): Step {
    const { kernel, precision, slot } = this.#scope;
    const value = compileKExpr(s.value, this.#scope);
    const target = slot(s.name);
    const size = this.#subgroupSize;
    const lane = s.lane ?? 0;
    return () => {
      const values: number[] = [];
      this.#each(() => values.push(value()));
      this.#each(() => {
        const first = this.#at.local - this.#at.lane;
        const group = values.slice(first, first + size);
        if (s.op === 'broadcast' && lane >= group.length)
          throw new Error(`${kernel.name}: broadcast from lane ${lane} of a subgroup of ${group.length}`);
        this.#at.slots[target] =
          s.op === 'broadcast'
            ? group[lane]!
            : group.reduce((a, b) => normalise(a + b, s.value.dtype, precision));
      });
    };
  }

  /** Statements as actions of one invocation. */
  #alone(body: readonly Stmt[]): Action[] {
    return body.flatMap(s => this.#action(s) ?? []);
  }

  #action(s: Stmt): Action | undefined {
    const scope = this.#scope;
    const at = this.#at;
    switch (s.kind) {
      case 'let':
      case 'var':
      case 'assign': {
        const slot = scope.slot(s.name);
        if (lanesOf(s.value) === 1) {
          const value = compileKExpr(s.value, scope);
          return () => {
            at.slots[slot] = value();
          };
        }
        const targets = Array.from({ length: lanesOf(s.value) }, (_, lane) => scope.slot(s.name, lane));
        return inLanes(compileLanes(s.value, scope), (lane, value) => {
          at.slots[targets[lane]!] = value;
        });
      }
      case 'store':
      case 'store-shared': {
        const name = s.kind === 'store' ? s.buffer : s.array;
        const memory = scope.memory(name);
        if (lanesOf(s.value) === 1) {
          const index = compileIndexOf(name, s.index, 'store', scope);
          const value = compileKExpr(s.value, scope);
          return () => {
            memory[index()] = value();
          };
        }
        const places = Array.from({ length: lanesOf(s.value) }, (_, lane) =>
          compileIndexOf(name, s.index, 'store', scope, lane, lanesOf(s.value)),
        );
        return inLanes(compileLanes(s.value, scope), (lane, value) => {
          memory[places[lane]!()] = value;
        });
      }
      case 'for': {
        const slot = scope.slot(s.name);
        const [from, to] = [compileKExpr(s.from, scope), compileKExpr(s.to, scope)];
        const actions = this.#alone(s.body);
        const { step } = s;
        return () => {
          for (let i = from(); i < to(); i += step) {
            at.slots[slot] = i;
            runAll(actions);
          }
        };
      }
      case 'if': {
        const condition = compileKExpr(s.condition, scope);
        const actions = this.#alone(s.then);
        return () => {
          if (condition() !== 0) runAll(actions);
        };
      }
      default:
        return undefined;
    }
  }
}

/** All lanes are evaluated before the first is written, because they may read what is written. */
function inLanes(values: readonly (() => number)[], write: (lane: number, value: number) => void): Action {
  const evaluated = new Float64Array(values.length);
  return () => {
    for (let lane = 0; lane < values.length; lane++) evaluated[lane] = values[lane]!();
    for (let lane = 0; lane < values.length; lane++) write(lane, evaluated[lane]!);
  };
}

function runAll(actions: readonly Action[]): void {
  for (const action of actions) action();
}

/** Whether a statement makes the invocations of a workgroup wait for each other. */
function isLockstep(s: Stmt): boolean {
  switch (s.kind) {
    case 'barrier':
    case 'subgroup':
      return true;
    case 'for':
      return s.body.some(isLockstep);
    case 'if':
      return s.then.some(isLockstep);
    default:
      return isMatrixStmt(s);
  }
}
