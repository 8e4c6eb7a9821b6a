/** What a JavaScript engine has beyond the language: WebAssembly, workers, and where it is Node, Node's modules. */
export interface Engine {
  readonly WebAssembly: {
    readonly Memory: new (descriptor: { initial: number; maximum: number; shared: boolean }) => Memory;
    readonly Instance: new (module: Module, imports: { env: { memory: Memory } }) => { exports: Exports };
    compile(bytes: ArrayBuffer | Uint8Array<ArrayBuffer>): Promise<Module>;
    compileStreaming?(response: unknown): Promise<Module>;
  };
  readonly Worker: new (address: URL, options: { type: 'module' }) => Thread;
  readonly navigator?: { readonly hardwareConcurrency?: number };
  /** Whether memory may be shared with workers, in browsers. */
  readonly crossOriginIsolated?: boolean;
  readonly trustedTypes?: {
    createPolicy(name: string, rules: object): { createScriptURL(address: string): URL };
  };
  readonly setImmediate?: (act: () => void) => unknown;
  readonly MessageChannel: new () => {
    readonly port1: { onmessage: () => void; close(): void };
    readonly port2: { postMessage(message: unknown): void };
  };
  readonly process?: { getBuiltinModule?(name: string): unknown };
}

/** A compiled `WebAssembly.Module`. */
export interface Module {
  readonly [Symbol.toStringTag]?: string;
}

export interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** The module's driver (decision 14). */
export interface Exports {
  run(thread: number, threads: number, table: number): void;
  start(table: number): void;
  serve(thread: number, threads: number): void;
}

/** A worker, of Node or of a browser. */
export interface Thread {
  postMessage(message: unknown): void;
  terminate(): unknown;
  on?(event: string, listener: (event: unknown) => void): unknown;
  addEventListener?(event: string, listener: (event: unknown) => void): unknown;
  unref?(): void;
}

export const engine: Engine = globalThis as unknown as Engine;

/** A module of Node; undefined elsewhere. Nothing is imported, so that bundlers for browsers find nothing to resolve. */
export const builtin = <T>(name: string): T | undefined =>
  engine.process?.getBuiltinModule?.(name) as T | undefined;
