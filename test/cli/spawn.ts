import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'rolldown';

/** Bundles the command from the sources as they are, so that no build has to come before, and gives the file's path. */
export async function bundleCommand(folder: string): Promise<string> {
  const require = createRequire(import.meta.url);
  const file = join(folder, 'dnnc.mjs');
  await build({
    input: 'src/cli/main.ts',
    platform: 'node',
    // By its place: the bundle lies where no `node_modules` is found.
    external: [/webgpu/],
    resolve: { alias: { webgpu: require.resolve('webgpu') } },
    output: { file, format: 'esm', codeSplitting: false },
    logLevel: 'silent',
  });
  return file;
}

export interface Running {
  readonly child: ChildProcess;
  /** The text so far. */
  readonly text: () => { readonly out: string; readonly err: string };
  readonly done: Promise<{
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
    readonly out: string;
    readonly err: string;
  }>;
}

/** Starts a program without a terminal. */
export function start(command: string, ...args: readonly string[]): Running {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const done = new Promise<Awaited<Running['done']>>(resolve =>
    child.on('close', (code, signal) => resolve({ code, signal, out, err })),
  );
  return { child, text: () => ({ out, err }), done };
}
