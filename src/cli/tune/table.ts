import { existsSync } from 'node:fs';
import { readTuning, writeTuning } from '../../interop/tuning.ts';
import { emptyTable, type TuningTable } from '../../ir/tuning.ts';
import { decode, readBytes, writeAtomically } from '../files.ts';

/** The table of a file. Throws a usage error where it cannot be read, `DiagnosticError` E0430 where it is damaged. */
export const readTable = (file: string): TuningTable => readTuning(decode(readBytes(file), file), file);

/** The table that is to be added to: an empty one where there is no such file. */
export const openTable = (file: string | undefined): TuningTable =>
  file === undefined || !existsSync(file) ? emptyTable : readTable(file);

export const saveTable = (file: string, table: TuningTable): void =>
  writeAtomically(file, writeTuning(table));
