import type { Diagnostic } from '../diagnostic.ts';
import { DiagnosticError } from '../diagnostic.ts';

/** Diagnostics about tensors in files. They carry no span: `file` names the place. */
const error = (code: string, file: string, message: string, hint?: string): Diagnostic => ({
  code,
  severity: 'error',
  message: `${file}: ${message}`,
  ...(hint && { hint }),
});

/** E0401: the file ends before its header does. */
export function truncatedHeader(file: string, needed: number, length: number): Diagnostic {
  return error(
    'E0401',
    file,
    `the header takes ${needed} bytes, the file has ${length}`,
    'is this a complete safetensors file?',
  );
}

/** E0402: a header larger than the format allows. */
export function headerTooLarge(file: string, length: number, limit: number): Diagnostic {
  return error(
    'E0402',
    file,
    `a header of ${length} bytes; at most ${limit} are allowed`,
    'is this safetensors?',
  );
}

/** E0403: a header that is not the JSON that it should be. */
export function badHeader(file: string, reason: string): Diagnostic {
  return error('E0403', file, `bad header: ${reason}`, 'write the file anew with a safetensors library');
}

/** E0404: a name that stands twice in an object of the header. */
export function duplicateKey(file: string, name: string): Diagnostic {
  return error(
    'E0404',
    file,
    `bad header: ${JSON.stringify(name)} stands twice`,
    'give the tensors different names',
  );
}

/** E0405: a dtype that is unknown or not supported. */
export function unknownDType(
  file: string,
  name: string,
  dtype: string,
  known: readonly string[],
): Diagnostic {
  return error('E0405', file, `${name}: cannot read dtype ${dtype}`, `dtypes that can: ${known.join(', ')}`);
}

/** E0406: a tensor's place lies outside the data, overlaps another, or leaves bytes that belong to none. */
export function badOffsets(file: string, name: string, reason: string): Diagnostic {
  return error('E0406', file, `${name}: ${reason}`, 'is this file complete?');
}

/** E0407: a tensor whose dtype and shape need another number of bytes than it has. */
export function wrongByteCount(
  file: string,
  name: string,
  type: string,
  needed: number,
  got: number,
): Diagnostic {
  return error(
    'E0407',
    file,
    `${name}: ${type} takes ${needed} bytes, its place has ${got}`,
    'write the file anew with a safetensors library',
  );
}

/** E0408: values that cannot be written or converted as asked. */
export function unrepresentable(name: string, value: string, dtype: string): Diagnostic {
  return error(
    'E0408',
    name,
    `${value} does not fit ${dtype}`,
    'make the values smaller: kernels have 32-bit integers',
  );
}

/** E0421: a file of data that is not what its format says; `at` is the byte where that shows. */
export function damagedData(file: string, at: number, what: string, hint?: string): Diagnostic {
  return error('E0421', file, `at byte ${at}: ${what}`, hint);
}

/** E0421: the same of a text, by line and column of fields, from 1. */
export function damagedText(
  file: string,
  line: number,
  column: number,
  what: string,
  hint?: string,
): Diagnostic {
  return error('E0421', file, `line ${line}, field ${column}: ${what}`, hint);
}

/** E0421: what a whole file or folder lacks. */
export function unusableData(file: string, what: string, hint?: string): Diagnostic {
  return error('E0421', file, what, hint);
}

export function fail(diagnostic: Diagnostic): never {
  throw new DiagnosticError(diagnostic);
}
