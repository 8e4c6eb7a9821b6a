import { engine } from '../../../runtime/wasm/engine.ts';
import { Layout } from '../../../runtime/wasm/memory.ts';
import { printWasm, scratchBytes } from '../../codegen/wasm/module.ts';
import * as D from '../../ir/dim.ts';
import type { Kernel } from '../../ir/kernel.ts';
import type { Tensor } from '../../ir/program.ts';
import { type Bench, bytesOf, initial, numbersIn, type Opened, type Prepared, storagesOf } from './memory.ts';
import type { Task } from './tasks.ts';

/** Kernels in WebAssembly, on one thread: what is faster there is faster on each of several. */
export const wasmBench: Bench = {
  note: 'times are those of one thread',
  open: async task => new WasmMemory(task),
};

/** Loads of vectors may begin before a tensor and end after it. */
const around = 64;

/** The memory of one work: it is made anew for each candidate, whose temporaries are its own. */
class WasmMemory implements Opened {
  readonly #task: Task;

  constructor(task: Task) {
    this.#task = task;
  }

  close(): void {}

  async prepare(kernels: readonly Kernel[]): Promise<Prepared> {
    const task = this.#task;
    const given = storagesOf(task);
    const tensors = [...new Set([...given, ...kernels.flatMap(k => k.buffers.map(b => b.tensor))])];
    const places = new Map<Tensor, number>();
    let end = 0;
    for (const tensor of tensors) {
      places.set(tensor, end);
      end = Math.ceil((end + bytesOf(tensor, task) + around) / 256) * 256;
    }
    const layout = new Layout(end, task.name);
    const scratch = Math.ceil(Math.max(0, ...kernels.map(scratchBytes)) / 64) * 64;
    const args = kernels.reduce((n, k) => n + 1 + k.buffers.length, 0);
    const words = 4 * (kernels.length + 1) + args + task.words.length;
    layout.grow({ tables: 4 * words + 64, scratch: scratch + 64 }, task.name);
    const bytes = await printWasm(kernels.map(kernel => ({ kernel, uniforms: task.words })));
    const module = await engine.WebAssembly.compile(bytes);
    const { exports } = new engine.WebAssembly.Instance(module, { env: { memory: layout.memory } });

    let next = layout.tables / 4;
    const put = (list: readonly number[]): number => {
      const at = next * 4;
      layout.words.set(list, next);
      next += list.length;
      return at;
    };
    const floats = new Float32Array(layout.memory.buffer);
    const uniforms = put(task.words.map(w => task.uniforms[w.name]!));
    task.words.forEach((w, i) => {
      if (w.dtype === 'f32') floats[uniforms / 4 + i] = task.uniforms[w.name]!;
    });
    const steps = kernels.flatMap((kernel, i) => {
      const groups = D.evaluate(kernel.groups, task.sizes);
      const at = put([uniforms, ...kernel.buffers.map(b => layout.state + places.get(b.tensor)!)]);
      return groups === 0 ? [] : [[i, groups, at, groups]];
    });
    const table = put([steps.length, layout.scratch, scratch, 0, ...steps.flat()]);
    const run = (): void => {
      if (steps.length > 0) exports.run(0, 1, table);
    };
    return {
      results: async wanted => {
        for (const tensor of given)
          layout.bytes.set(initial(tensor, task), layout.state + places.get(tensor)!);
        run();
        return wanted.map(tensor => {
          const at = layout.state + places.get(tensor)!;
          return numbersIn(layout.bytes.slice(at, at + bytesOf(tensor, task)).buffer, tensor, task);
        });
      },
      time: async runs => {
        const began = performance.now();
        for (let i = 0; i < runs; i++) run();
        return performance.now() - began;
      },
      close: () => {},
    };
  }
}
