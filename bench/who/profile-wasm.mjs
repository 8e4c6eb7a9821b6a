// Milliseconds of each kernel in WebAssembly: tables of one dispatch each, in the place of one for all (decision 14).
import { byName } from './profile-gpu.mjs';

const repeats = 10;
let onRun;

/** To be called before the runtime makes its instances: their drivers can then be followed. */
export function follow() {
  const { Instance } = WebAssembly;
  WebAssembly.Instance = class {
    constructor(module, imports) {
      const real = new Instance(module, imports).exports;
      const { memory } = imports.env;
      const run = (thread, threads, table) => {
        if (threads > 1) real.start(table);
        real.run(thread, threads, table);
      };
      this.exports = {
        ...real,
        start() {},
        run: (thread, threads, table) =>
          onRun ? onRun(memory, table, part => run(thread, threads, part)) : run(thread, threads, table),
      };
    }
  };
}

/** Runs `run` a few times, and takes the least time of each dispatch; kernels by name, the slowest first. */
export async function profileWasm({ module }, run) {
  const names = kernelNames(module);
  const kernels = [];
  const ms = [];
  let at = 0;
  let place;
  onRun = (memory, table, act) => {
    const words = new Int32Array(memory.buffer);
    const [n, scratch, bytes] = words.subarray(table / 4);
    // Threads may still look at a table that has been run, so each has its place for good.
    place ??= memory.grow(16) * 65536;
    for (let i = 0; i < n; i++, at++) {
      const dispatch = words.slice(table / 4 + 4 + 4 * i, table / 4 + 8 + 4 * i);
      const part = place + 32 * at;
      new Int32Array(memory.buffer, part, 8).set([1, scratch, bytes, 0, ...dispatch]);
      const start = performance.now();
      act(part);
      const time = performance.now() - start;
      kernels[at] = names[dispatch[0]];
      ms[at] = Math.min(time, ms[at] ?? Number.POSITIVE_INFINITY);
    }
  };
  try {
    for (let i = 0; i < repeats; i++, at = 0) await run();
  } finally {
    onRun = undefined;
  }
  return byName(kernels, ms);
}

/** The kernels in the order of the function table, by the module's element and name sections. */
function kernelNames(bytes) {
  let at = 8;
  const number = () => {
    let [value, shift, byte] = [0, 0, 0];
    do {
      byte = bytes[at++];
      value += (byte & 0x7f) * 2 ** shift;
      shift += 7;
    } while (byte & 0x80);
    return value;
  };
  const text = () => {
    const length = number();
    return new TextDecoder().decode(bytes.subarray(at, (at += length)));
  };
  const list = read => Array.from({ length: number() }, read);
  let functions = [];
  const names = new Map();
  while (at < bytes.length) {
    const id = bytes[at++];
    const size = number();
    const end = at + size;
    if (id === 9) {
      // One segment: its flags, `i32.const 0 end`, its functions.
      at += 1 + 1 + 3;
      functions = list(number);
    } else if (id === 0 && text() === 'name')
      while (at < end) {
        const part = bytes[at++];
        const next = number() + at;
        if (part === 1) list(() => names.set(number(), text()));
        at = next;
      }
    at = end;
  }
  return functions.map(f => (names.get(f) ?? `kernel ${f}`).replace(/^kernel_/, ''));
}
