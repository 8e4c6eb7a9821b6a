import { builtin, engine, type Module } from './engine.ts';
import type { WasmModel } from './plan.ts';

/** Compiles a model's module, or takes it as it is. Throws an Error that says where it was sought and what is wrong. */
export async function compileModule({ name, module: source }: WasmModel): Promise<Module> {
  const { WebAssembly } = engine;
  if (!WebAssembly) throw new Error(`${name}: no WebAssembly here`);
  const kind = Object.prototype.toString.call(source).slice(8, -1);
  if (kind === 'WebAssembly.Module') return source as Module;
  const address = String(source);
  try {
    if (kind === 'ArrayBuffer' || kind === 'Uint8Array') {
      return await WebAssembly.compile(source as ArrayBuffer);
    }
    const files = builtin<{ readFile(path: string | URL): Promise<Uint8Array<ArrayBuffer>> }>(
      'node:fs/promises',
    );
    if (files && !/^(https?|data|blob):/.test(address)) {
      const path = address.startsWith('file:') ? new URL(address) : address;
      return await WebAssembly.compile(await files.readFile(path));
    }
    const response = await fetch(address);
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    // Not every server knows the type, without which there is no compiling while it loads.
    const streams = response.headers.get('content-type') === 'application/wasm';
    return await (streams && WebAssembly.compileStreaming
      ? WebAssembly.compileStreaming(response)
      : WebAssembly.compile(await response.arrayBuffer()));
  } catch (error) {
    const what = kind === 'String' || kind === 'URL' ? ` ${address}` : '';
    throw new Error(`${name}: the WebAssembly module${what}: ${(error as Error).message}`, { cause: error });
  }
}
