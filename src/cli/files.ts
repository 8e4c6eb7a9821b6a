import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { readSafetensors } from '../interop/safetensors.ts';
import { DiagnosticError } from '../support/diagnostic.ts';
import { notUtf8 } from '../support/errors/syntax.ts';
import { cannotWrite } from '../support/errors/training.ts';
import type { Source } from '../support/source.ts';
import { decodeUtf8 } from '../support/utf8.ts';
import { usageError } from './errors.ts';
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
        if (error instanceof DiagnosticError) throw error;
        return undefined;
      }
      const found: Source = { name: path, text };
      imported.set(path, found);
      paths.set(found, from);
      return found;
    },
    // What was parsed before is not parsed again: then a source is the one that was read first.
    pathOf: s => paths.get(s) ?? [...paths].find(([p]) => p.name === s.name && p.text === s.text)?.[1],
  };
}

function readText(file: string): string {
  return decode(readBytes(file), file);
}

/** Throws `DiagnosticError` E0112 where the bytes are not UTF-8. */
export function decode(bytes: Uint8Array, file: string): string {
  const { text, wrong } = decodeUtf8(bytes);
  if (wrong) throw new DiagnosticError(notUtf8({ name: file, text }, wrong));
  return text;
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

/** Makes the folder and gives its path back. Throws `DiagnosticError` E0413 where it cannot. */
export function ensureFolder(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw writeError(folder, error);
  }
  return folder;
}

/** Why a file cannot be written, as E0413; what is no error of the file system stays what it is. */
export function writeError(path: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  return new DiagnosticError(cannotWrite(path, reasons[code] ?? code));
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'there is no permission',
  EPERM: 'there is no permission',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file becomes larger than is allowed',
  ENOTDIR: 'a part of the path is no folder',
  EEXIST: 'there is something else of this name',
  EISDIR: 'it is a folder',
  ENOENT: 'there is no such folder',
};

/**
 * Writes beside the file and renames, so that a reader sees the old content or the new, never a part, whether the
 * process is killed or the power fails. Throws `DiagnosticError` E0413 where it cannot; the old content stays.
 */
export function writeAtomically(file: string, content: string | Uint8Array): void {
  const temporary = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const descriptor = openSync(temporary, 'wx');
    try {
      writeFileSync(descriptor, content);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw writeError(file, error);
  }
  syncFolder(dirname(file));
}

/** Makes a rename last. Where a folder cannot be opened (Windows), the system sees to it. */
function syncFolder(folder: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(folder, 'r');
    fsyncSync(descriptor);
  } catch {
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Removes what writers of these files left behind when they were killed. */
export function removeTemporaries(folder: string, isOurs: (file: string) => boolean): void {
  for (const name of readdirSync(folder)) {
    const [, file] = /^\.(.+)\.[0-9a-f]{12}\.tmp$/.exec(name) ?? [];
    if (file !== undefined && isOurs(file)) rmSync(join(folder, name), { force: true });
  }
}
