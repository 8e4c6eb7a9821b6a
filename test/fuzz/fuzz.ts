import { textOf } from './case.ts';
import { agree } from './check.ts';
import { Counts } from './counts.ts';
import { randomCase, type Size } from './generate.ts';
import { shrunk } from './shrink.ts';

export interface Failure {
  readonly message: string;
  /** The smallest program found that fails in the same way. */
  readonly text: string;
  readonly whole: string;
}

/** What kind of failure it is, in words that stay while a case shrinks. */
function kindOf(error: unknown): string {
  const e = error as Error & { where?: string };
  if (e.where) return e.where;
  return `${e.name}: ${e.message.split('\n')[0]!.replaceAll(/%?\d+/g, '#').slice(0, 100)}`;
}

export interface FuzzOptions {
  readonly device?: GPUDevice | undefined;
  /** Kinds of failure that are known, and not shrunk again. */
  readonly seen?: Set<string>;
  /** What the program is to have: see `randomCase`. */
  readonly wishes?: readonly string[];
  /** Milliseconds for shrinking. */
  readonly shrinking?: number;
  /** Milliseconds for a program: what is not compared by then is left out, and counted. */
  readonly limit?: number;
}

/** One random program through everything; what failed, made small. */
export async function fuzz(
  seed: number,
  size: Size,
  counts: Counts,
  { device, seen = new Set(), wishes = [], shrinking = 20_000, limit = Infinity }: FuzzOptions = {},
): Promise<Failure | undefined> {
  const made = randomCase(seed, size, wishes);
  for (const form of made.forms) counts.add(form.startsWith('by ') ? 'optimiser' : 'form', form);
  counts.add('statements', String(50 * Math.floor(made.lines.length / 50)));
  const attempt = async (c: typeof made, into: Counts): Promise<unknown> => {
    try {
      await agree({ text: textOf(c), sizes: c.sizes, seed, until: performance.now() + limit }, into, device);
      return undefined;
    } catch (error) {
      return error ?? new Error('nothing thrown');
    }
  };
  const error = await attempt(made, counts);
  if (error === undefined) return undefined;
  const kind = kindOf(error);
  const again = seen.has(kind);
  seen.add(kind);
  const fails = async (c: typeof made): Promise<boolean> => {
    const found = await attempt(c, new Counts());
    return found !== undefined && kindOf(found) === kind;
  };
  const small = again ? made : await shrunk(made, fails, shrinking);
  const last = (await attempt(small, new Counts())) as Error;
  const sizes = JSON.stringify(small.sizes);
  const head = `// DNNC_SEED=${seed}: ${String(last?.message ?? error).split('\n')[0]}\n// sizes ${sizes}\n`;
  return {
    message: String((error as Error).stack ?? error),
    text: head + textOf(small),
    whole: textOf(made),
  };
}
