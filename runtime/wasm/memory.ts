import { BufferError } from '../errors.ts';
import { roundUp } from '../tensor.ts';
import { engine, type Memory } from './engine.ts';

const page = 65_536;
/** Vector loads may read a few elements before and after a tensor, never used: there is memory around all tensors. */
const slack = 64;
/** The driver's control block comes first. */
const stateAt = roundUp(256 + slack, 256);

/** What lies behind the state, in this order. */
export interface Needs {
  /** Bytes of what the prologues of all programs have made. */
  readonly constants: number;
  readonly tables: number;
  /** Scratch memory of all threads. */
  readonly scratch: number;
  readonly arena: number;
}

/** Shared memory, and where in it everything lies. The arena comes last: it grows in place. */
export class Layout {
  readonly memory: Memory;
  readonly state = stateAt;
  readonly constants: number;
  /** Addresses of what `grow` was asked for. */
  tables = 0;
  scratch = 0;
  arena = 0;
  /** Whole memory, renewed when it grows. */
  bytes: Uint8Array<ArrayBuffer>;
  words: Uint32Array<ArrayBuffer>;
  /** Changes when anything behind the constants has moved. */
  epoch = 0;
  #has: Needs = { constants: 0, tables: 0, scratch: 0, arena: 0 };

  /** Throws `BufferError` where the state does not fit; `what` says whose it is. */
  constructor(stateBytes: number, what: string) {
    this.constants = stateAt + roundUp(stateBytes + slack, 256);
    this.memory = makeMemory(this.constants, `${what}: the parameters take`);
    this.bytes = new Uint8Array(this.memory.buffer);
    this.words = new Uint32Array(this.memory.buffer);
  }

  get capacity(): Needs {
    return this.#has;
  }

  /** Makes room where there is less than this. Throws `BufferError`, and then nothing has changed. */
  grow(needs: Partial<Needs>, what: string): void {
    const has = this.#has;
    const all = {
      constants: Math.max(has.constants, needs.constants ?? 0),
      tables: Math.max(has.tables, needs.tables ?? 0),
      scratch: Math.max(has.scratch, needs.scratch ?? 0),
      arena: Math.max(has.arena, needs.arena ?? 0),
    };
    const tables = roundUp(this.constants + all.constants + slack, 256);
    const scratch = roundUp(tables + all.tables, 256);
    const arena = roundUp(scratch + all.scratch + slack, 256);
    const end = arena + all.arena + slack;
    const pages = Math.ceil(end / page) - this.memory.buffer.byteLength / page;
    if (pages > 0) {
      const takes = `${what} takes ${mebibytes(all.arena)}, all together with parameters`;
      check(end, takes);
      try {
        this.memory.grow(pages);
      } catch (error) {
        throw new BufferError(`${takes} ${mebibytes(end)}: ${(error as Error).message}`, end);
      }
      this.bytes = new Uint8Array(this.memory.buffer);
      this.words = new Uint32Array(this.memory.buffer);
    }
    if (this.tables !== tables || this.scratch !== scratch || this.arena !== arena) this.epoch++;
    Object.assign(this, { tables, scratch, arena });
    this.#has = all;
  }
}

/** Room for this much, which can grow to as much as the engine allows. */
function makeMemory(bytes: number, takes: string): Memory {
  check(bytes, takes);
  const initial = Math.ceil(bytes / page);
  let reason: unknown;
  for (let maximum = page; maximum >= Math.max(initial, 256); maximum /= 2) {
    try {
      // Only addresses are taken for the maximum; where even those are few, less must do.
      return new engine.WebAssembly.Memory({ initial, maximum, shared: true });
    } catch (error) {
      reason = error;
    }
  }
  const { message } = reason as Error;
  throw new BufferError(`${takes} ${mebibytes(bytes)} of shared WebAssembly memory: ${message}`, bytes);
}

function check(bytes: number, takes: string): void {
  const most = page * page;
  if (!(bytes <= most)) {
    throw new BufferError(`${takes} ${mebibytes(bytes)}, WebAssembly has ${mebibytes(most)} at most`, bytes);
  }
}

const mebibytes = (n: number): string => (n < 2 ** 20 ? `${n} bytes` : `${(n / 2 ** 20).toFixed(1)} MiB`);
