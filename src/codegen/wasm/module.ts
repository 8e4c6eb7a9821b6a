import type { Kernel } from '../../ir/kernel.ts';
import type { UniformWord } from '../wgsl/scope.ts';
import type { Wasm } from './code.ts';
import { addDriver, alone } from './driver.ts';
import { Helpers } from './helpers.ts';
import { addKernel } from './kernel.ts';
import type { PrintOptions } from './scope.ts';

export { scratchBytes } from './kernel.ts';
export type { PrintOptions } from './scope.ts';

/** A kernel and the words of the uniform block it is dispatched with. */
export interface WasmEntry {
  readonly kernel: Kernel;
  readonly uniforms: readonly UniformWord[];
}

const tableName = 'kernels';

/**
 * A WebAssembly module with all kernels, whose numbers in the function table are their positions in the list, and the
 * driver that runs them (decision 14). Throws on a kernel for workgroups and on a uniform that the block lacks.
 */
export async function printWasm(
  entries: readonly WasmEntry[],
  options: PrintOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { m } = await build(entries, options, false);
  const binary = new Uint8Array(m.emitBinary());
  m.dispose();
  return binary;
}

/** The same in WebAssembly's text format, for people; what kernels say of themselves stands above their functions. */
export async function printWat(entries: readonly WasmEntry[], options: PrintOptions = {}): Promise<string> {
  const { m } = await build(entries, options, true);
  const text = m.emitText();
  m.dispose();
  const comments = new Map(
    functionNames(entries).map((name, i) => [name, entries[i]!.kernel.comments] as const),
  );
  return text.replace(/^( *)\(func \$([^\s()]+)/gm, (head, pad: string, name: string) =>
    [...(comments.get(name) ?? []).map(line => `${pad};; ${line.replace(/\s+/g, ' ')}`), head].join('\n'),
  );
}

async function build(
  entries: readonly WasmEntry[],
  options: PrintOptions,
  localNames: boolean,
): Promise<Wasm> {
  // It takes half a second to load, so only those who print wait for it.
  const { default: b } = await import('binaryen');
  const m = new b.Module();
  const f = b.Features;
  const features = f.Atomics | f.SIMD128 | f.BulkMemory | f.MutableGlobals | f.NontrappingFPToInt | f.SignExt;
  m.setFeatures(options.relaxed ? features | f.RelaxedSIMD : features);
  m.setMemory(1, 65536, null, [], true, false, 'memory');
  m.addMemoryImport('memory', 'env', 'memory', true);
  const wasm: Wasm = { b, m, localNames };
  const helpers = new Helpers(wasm);
  const names = functionNames(entries);
  entries.forEach(({ kernel, uniforms }, i) => {
    addKernel(wasm, names[i]!, kernel, uniforms, helpers, options);
  });
  m.addTable(tableName, names.length, names.length);
  m.addActiveElementSegment(tableName, tableName, names, m.i32.const(0));
  addDriver(wasm, tableName);
  optimise(wasm);
  return wasm;
}

/**
 * Engines schedule and allocate registers well on their own: kernels run no faster for what more passes do. These make
 * the module smaller, in a third of the time of all.
 */
const passes = [
  'inlining',
  'remove-unused-module-elements',
  'untee',
  'simplify-locals-notee',
  'local-cse',
  'optimize-instructions',
  'vacuum',
  'reorder-locals',
];

function optimise({ b, m }: Wasm): void {
  if (!m.validate()) throw new Error('the module is not valid');
  // At this level functions as long as an exponential are inlined, which halves what they cost.
  b.setOptimizeLevel(3);
  b.setShrinkLevel(0);
  b.setFlexibleInlineMaxSize(100);
  // Keeps the names of functions.
  b.setDebugInfo(true);
  b.setPassArgument('no-inline', alone);
  m.runPasses(['no-inline', ...passes]);
  b.clearPassArguments();
}

/** Names of functions, each once, that no helper has. */
function functionNames(entries: readonly WasmEntry[]): string[] {
  const taken = new Set<string>();
  return entries.map(({ kernel }) => {
    const wish = `kernel_${kernel.name.replace(/[^\w.$-]/g, '_')}`;
    let name = wish;
    for (let n = 2; taken.has(name); n++) name = `${wish}_${n}`;
    taken.add(name);
    return name;
  });
}
