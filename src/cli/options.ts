import { InvalidArgumentError } from 'commander';
import type { StoragePrecision } from '../passes/pipeline.ts';

export type Define = number | boolean | string;
export type Defines = Readonly<Record<string, Define>>;
export type Profile = 'gpu' | 'software' | 'auto';
export type RunTarget = 'webgpu' | 'wasm' | 'auto' | 'interpret';
export type CompileTarget = Exclude<RunTarget, 'interpret'>;

/** What every command that compiles takes. */
export interface SourceOptions {
  /** What tensors are kept in on the device. */
  readonly precision?: StoragePrecision;
  /** Bytes that a program may take beside parameters and states. */
  readonly memoryLimit?: number;
  /** Sums of products as they are written: see `CompileOptions.exact`. */
  readonly exact?: boolean;
  /** Products of f32 on matrix units, in two halves: see `CompileOptions.splitProducts`. */
  readonly splitProducts?: boolean;
  /** A table of measured schedules. */
  readonly tuning?: string;
  readonly define?: Defines;
  /** Sizes of free dims by name, `stylize.H` for one training program alone. */
  readonly dim?: Readonly<Record<string, number>>;
}

const pair = /^([A-Za-z_]\w*)=(.*)$/s;

/** `-D name=value`, once or more. A number or `true` / `false` is taken as such, anything else as a string. */
export function parseDefine(text: string, before: Defines = {}): Defines {
  const [, name, value] = pair.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new InvalidArgumentError('it must be name=value, as in -D Classes=37.');
  return { ...before, [name]: defineValue(value) };
}

function defineValue(text: string): Define {
  if (text === 'true' || text === 'false') return text === 'true';
  const isNumber = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text);
  return isNumber ? Number(text) : text;
}

const sizePair = /^([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?)=(.*)$/s;

/** `--dim N=64` or `--dim stylize.H=64`, once or more. */
export function parseDim(
  text: string,
  before: Readonly<Record<string, number>> = {},
): Readonly<Record<string, number>> {
  const [, name, value] = sizePair.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new InvalidArgumentError('it must be name=size, as in --dim N=64.');
  return { ...before, [name]: parseCount(value) };
}

/** An integer of at least 1. */
export function parseCount(text: string): number {
  const n = Number(text);
  if (!/^\d+$/.test(text) || n < 1 || n >= 2 ** 31)
    throw new InvalidArgumentError('it must be an integer of at least 1.');
  return n;
}

const units: Readonly<Record<string, number>> = {
  '': 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** `1000000` bytes, or `512MB`, `2GiB`. */
export function parseBytes(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([kMG]B|[KMG]iB|)$/.exec(text) ?? [];
  const bytes = Math.floor(Number(amount) * (units[unit ?? ''] ?? Number.NaN));
  if (!(bytes >= 1) || bytes > Number.MAX_SAFE_INTEGER)
    throw new InvalidArgumentError('it must be a number of bytes, as in 500000000, 500MB or 2GiB.');
  return bytes;
}

/** `500` steps, or `30s`, `2m`. */
export function parseInterval(text: string): { readonly steps: number } | { readonly seconds: number } {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(s|m)$/.exec(text) ?? [];
  if (amount === undefined) {
    if (/^\d+$/.test(text)) return { steps: parseCount(text) };
    throw new InvalidArgumentError('it must be a number of steps, or a time as in 30s or 2m.');
  }
  if (Number(amount) === 0) throw new InvalidArgumentError('it must be more than 0.');
  return { seconds: Number(amount) * (unit === 'm' ? 60 : 1) };
}

/** 0 to 2^32 - 1: a word of the random key. */
export function parseSeed(text: string): number {
  const n = Number(text);
  if (!/^\d+$/.test(text) || n >= 2 ** 32)
    throw new InvalidArgumentError('it must be an integer from 0 to 4294967295.');
  return n;
}
