import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { readSafetensors } from '../interop/safetensors.ts';
import type { Source } from '../support/source.ts';
import { CliError, dataError, usageError } from './errors.ts';
import { hostTensor, type Tensors } from './tensors.ts';

/** A `.dnn` file and those that it imports. */
export interface SourceFile {
  /** Named by the file's base name, so that what is compiled does not depend on where the file lies. */
  readonly source: Source;
  /** For `CheckOptions.resolve`. */
  readonly resolve: (path: string) => Source | undefined;
  /** The path of a source as the user may open it; undefined for the standard library. */
  readonly pathOf: (source: Source) => string | undefined;
}

/** Throws a usage error where the file cannot be read. */
export function readSource(file: string): SourceFile {
  const source: Source = { name: basename(file), text: readText(file) };
  const paths = new Map([[source, file]]);
  const imported = new Map<string, Source>();
  return {
    source,
    resolve: path => {
      const known = imported.get(path);
      if (known) return known;
      const from = join(dirname(file), path);
      let text: string;
      try {
        text = decode(readFileSync(resolve(dirname(file), path)), from);
      } catch (error) {
        if (error instanceof CliError) throw error;
        return undefined;
      }
      const found: Source = { name: path, text };
      imported.set(path, found);
      paths.set(found, from);
      return found;
    },
    pathOf: s => paths.get(s),
  };
}

function readText(file: string): string {
  return decode(readBytes(file), file);
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw dataError(`${file} is no UTF-8 text`);
  }
}

/** Throws a usage error where the file cannot be read. */
export function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : String(code);
    throw usageError(`cannot read ${file}: ${why}`);
  }
}

/**
 * The tensors of a safetensors file. Dtypes that kernels lack become the nearest that they have (I64 i32, F64 f32).
 * Throws `DiagnosticError` where the file is damaged.
 */
export function readTensors(file: string): Tensors {
  const { tensors } = readSafetensors(readBytes(file), file);
  return new Map([...tensors].map(([name, tensor]) => [name, hostTensor(tensor, `${file}: ${name}`)]));
}

/** Makes the folder and gives its path back. */
export function ensureFolder(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw usageError(`cannot make the folder ${folder}: ${(error as NodeJS.ErrnoException).code}`);
  }
  return folder;
}

/** Writes beside the file and renames, so that a reader sees the old content or the new, never a part. */
export function writeAtomically(file: string, content: string | Uint8Array): void {
  const temporary = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    writeFileSync(temporary, content);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw usageError(`cannot write ${file}: ${(error as NodeJS.ErrnoException).code}`);
  }
}
