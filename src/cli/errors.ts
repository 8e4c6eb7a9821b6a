import { BufferError, DeviceLostError, KernelError } from '../../runtime/index.ts';
import { NoAdapterError } from '../../runtime/node/index.ts';
import { DiagnosticError } from '../support/diagnostic.ts';
import { impossibleSize, outOfMemory } from '../support/errors/training.ts';
import { InternalError } from '../support/internal-error.ts';
import { renderDiagnostic } from '../support/render.ts';
import { closest } from '../support/suggest.ts';
import { painter, printable } from '../support/terminal.ts';
import type { Io } from './io.ts';
import { jsonDiagnostic } from './json.ts';

export const exitCode = {
  fine: 0,
  /** The program, the data or the weights are wrong, or a training diverged. */
  diagnostics: 1,
  /** The command line is wrong, or a file that it names cannot be read. */
  usage: 2,
  /** No adapter, a lost device, or one that cannot run the program. */
  device: 3,
  /** A fault of the compiler (`EX_SOFTWARE` of sysexits.h). */
  internal: 70,
} as const;

/** Ends a command with a message and an exit code. */
export class CliError extends Error {
  readonly code: number;
  readonly hint: string | undefined;
  /** One for each of several things that the message sums up. */
  readonly notes: readonly string[];
  constructor(code: number, message: string, hint?: string, notes: readonly string[] = []) {
    super(message);
    this.name = 'CliError';
    this.code = code;
    this.hint = hint;
    this.notes = notes;
  }
}

/** Ends a command whose diagnostics are already shown. */
export class Reported extends CliError {
  constructor() {
    super(exitCode.diagnostics, 'there are errors');
    this.name = 'Reported';
  }
}

export const usageError = (message: string, hint?: string): CliError =>
  new CliError(exitCode.usage, message, hint);

/** `there is no net Lenet`, with the nearest name or all of them as the hint. */
export function unknownName(kind: string, name: string, known: readonly string[]): CliError {
  const near = closest(name, known);
  const list = known.length === 0 ? 'there are none' : `there are ${known.join(', ')}`;
  return usageError(`there is no ${kind} \`${name}\``, near ? `did you mean \`${near}\`? ${list}` : list);
}

/** Runs work on a device. What the runtime refuses ends the command with the device's exit code. */
export async function onDevice<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error) || isKnown(error) || isDeviceError(error)) throw error;
    // Sizes that leave an extent below 1, or ask for too much memory, come from the data, not from the device.
    if (error instanceof BufferError || isAllocation(error))
      throw new DiagnosticError(outOfMemory(error.message));
    if (error instanceof RangeError) throw new DiagnosticError(impossibleSize(error.message));
    throw new CliError(exitCode.device, error.message);
  }
}

/** What the host's own memory does not suffice for. */
export const isAllocation = (error: unknown): boolean =>
  error instanceof RangeError && /allocation failed|invalid .*length/i.test(error.message);

const isKnown = (error: Error): boolean =>
  error instanceof CliError || error instanceof DiagnosticError || error instanceof InternalError;

const isDeviceError = (error: unknown): boolean =>
  error instanceof NoAdapterError || error instanceof DeviceLostError || error instanceof KernelError;

/** The exit code that an error ends a command with. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CliError) return error.code;
  if (error instanceof DiagnosticError) return exitCode.diagnostics;
  if (isDeviceError(error)) return exitCode.device;
  return errnoParts(error).syscall === undefined ? exitCode.internal : exitCode.usage;
}

/** What programs get for a code where an error has no code of a diagnostic. */
const kinds: Readonly<Record<number, string>> = {
  [exitCode.usage]: 'usage',
  [exitCode.device]: 'device',
};

/** Says what went wrong, never with a stack trace, and gives the exit code. */
export function report(error: unknown, io: Io): number {
  const paint = painter(io.color);
  const code = exitCodeOf(error);
  const say = (title: string, message: string, hint?: string, notes: readonly string[] = []): void => {
    if (io.json) {
      const lines = notes.map(note => ({ message: note }));
      const kind = kinds[code] ?? 'internal';
      io.json.add({
        severity: 'error',
        code: kind,
        message,
        notes: lines,
        ...(hint !== undefined && { hint }),
      });
      return;
    }
    io.err(`${paint('red', title)}: ${printable([message, ...notes].join('\n  '))}\n`);
    if (hint !== undefined) io.err(`  ${paint('cyan', 'hint:')} ${printable(hint)}\n`);
  };
  if (error instanceof Reported) return code;
  if (error instanceof CliError) {
    say('error', error.message, error.hint, error.notes);
    return code;
  }
  if (error instanceof DiagnosticError) {
    for (const d of error.diagnostics) {
      if (io.json) io.json.add(jsonDiagnostic(d));
      else io.err(`${renderDiagnostic(d, { color: io.color })}\n`);
    }
    return code;
  }
  if (isDeviceError(error)) {
    say('error', (error as Error).message);
    return code;
  }
  const { message, path, syscall } = errnoParts(error);
  if (syscall !== undefined) {
    say('error', `${syscall}${path === undefined ? '' : ` ${path}`}: ${message}`);
    return code;
  }
  const [line = ''] = message.split('\n');
  say('internal error', `${line}; please report it with the .dnn file`);
  if (process.env.DNNC_DEBUG && error instanceof Error) io.err(`${error.stack ?? error.message}\n`);
  return code;
}

function errnoParts(error: unknown): { message: string; path?: string; syscall?: string } {
  if (!(error instanceof Error)) return { message: String(error) };
  const { message, path, syscall, code } = error as NodeJS.ErrnoException;
  if (syscall === undefined || code === undefined) return { message };
  return { message: code, syscall, ...(path !== undefined && { path }) };
}
