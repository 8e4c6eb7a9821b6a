import { accessSync, chmodSync, constants, realpathSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { format } from '../parser/format/index.ts';
import type { Source } from '../support/source.ts';
import { printDiagnostics } from './diagnostics.ts';
import { exitCode, Reported, report } from './errors.ts';
import { decode, readBytes, writeAtomically, writeError } from './files.ts';
import type { Io } from './io.ts';

export interface FmtOptions {
  /** Writes nothing and names the files that are not formatted. */
  readonly check?: boolean;
}

/** Reads standard input to its end. */
export type ReadInput = () => Promise<Uint8Array>;

/**
 * `dnnc fmt FILE...`: rewrites files in the one style; `-` is standard input to standard output. A file with syntax
 * errors stays as it is, and the others are formatted all the same.
 */
export async function fmtCommand(
  paths: readonly string[],
  options: FmtOptions,
  io: Io,
  readInput: ReadInput = readStdin,
): Promise<number> {
  let code: number = exitCode.fine;
  for (const path of paths) {
    try {
      const bytes = path === '-' ? await readInput() : readBytes(path);
      if (!(await formatOne(path, bytes, options, io))) code = Math.max(code, exitCode.diagnostics);
    } catch (error) {
      code = Math.max(code, report(error, io));
    }
  }
  return code;
}

/** Whether nothing is left to complain about. */
async function formatOne(
  path: string,
  bytes: Uint8Array,
  { check = false }: FmtOptions,
  io: Io,
): Promise<boolean> {
  const before = decode(bytes, path);
  const source: Source = { name: basename(path), text: before };
  const { text, diagnostics } = format(source);
  const pathOf = (): string => path;
  printDiagnostics(diagnostics, { source, resolve: () => undefined, pathOf }, io);
  if (text === undefined) throw new Reported();
  // Of the bytes, so that a byte order mark counts as a difference.
  const same = Buffer.from(text).equals(bytes);
  if (check) {
    if (!same) io.out(`${path}\n`);
    return same;
  }
  if (path === '-') io.out(text);
  else if (!same) rewrite(path, text);
  return true;
}

/** Replaces what a path leads to, links followed, with its permissions kept. Throws E0413 where it may not. */
function rewrite(path: string, text: string): void {
  const target = realpathSync(path);
  try {
    // A rename asks only for the right to write to the folder.
    accessSync(target, constants.W_OK);
  } catch (error) {
    throw writeError(path, error);
  }
  const { mode } = statSync(target);
  writeAtomically(target, text);
  chmodSync(target, mode);
}

async function readStdin(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}
