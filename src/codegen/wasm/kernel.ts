import type { Kernel } from '../../ir/kernel.ts';
import type { UniformWord } from '../wgsl/scope.ts';
import type { Wasm } from './code.ts';
import { Code } from './code.ts';
import type { Helpers } from './helpers.ts';
import type { PrintOptions } from './scope.ts';
import { layoutScratch, Scope } from './scope.ts';
import { pushStmts } from './stmt.ts';

/** Bytes of scratch memory that a kernel needs in each thread. */
export function scratchBytes(kernel: Kernel): number {
  return layoutScratch(kernel.shared).bytes;
}

/** Adds the function that runs the groups `from` to before `to` of a kernel (decision 14). `from` is less than `to`. */
export function addKernel(
  wasm: Wasm,
  name: string,
  kernel: Kernel,
  words: readonly UniformWord[],
  helpers: Helpers,
  options: PrintOptions,
): void {
  if (kernel.workgroupSize !== 1)
    throw new Error(`${kernel.name}: ${kernel.workgroupSize} invocations in a group of WebAssembly`);
  const { b, m } = wasm;
  const code = new Code(wasm, [
    ['from', b.i32],
    ['to', b.i32],
    ['args', b.i32],
    ['scratch', b.i32],
  ]);
  const scope = new Scope(kernel, code, words, helpers, options);
  const [from, to] = code.params;
  const body = code.block(() => {
    pushStmts(kernel.body, scope);
    code.push(scope.group.set(m.i32.add(scope.group.get(), m.i32.const(1))));
    code.push(m.br_if('groups', m.i32.lt_s(scope.group.get(), to!.get())));
  });
  for (const statement of scope.prologue) code.push(statement);
  code.push(scope.group.set(from!.get()));
  code.push(m.loop('groups', body));
  code.finish(name);
}
