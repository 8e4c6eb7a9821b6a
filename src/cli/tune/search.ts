import { storageOf, type Tensor } from '../../ir/program.ts';
import type { Target } from '../../ir/target.ts';
import { candidates, defaultCandidate } from '../../passes/schedule/candidates.ts';
import type { Candidate } from '../../passes/schedule/kind.ts';
import { type Bench, differenceOf, type Opened, type Prepared } from './memory.ts';
import type { Task } from './tasks.ts';

/** A schedule with how long a run takes. */
export interface Timed {
  readonly schedule: string;
  readonly milliseconds: number;
}

/** What was found for one work. */
export interface Found {
  readonly usual: Timed;
  readonly best: Timed;
  /** How many were measured, the default among them. */
  readonly measured: number;
  /** Schedules that give other results, and those that the device refuses: `TEXT: why`. */
  readonly wrong: readonly string[];
  readonly refused: readonly string[];
}

/** Milliseconds that a measurement takes at least, and how many there are, of which the least counts. */
const least = 8;
const mostRuns = 4096;
const rounds = 5;

/** A schedule is better where it saves this part: less is noise. */
const worth = 0.03;

/** How often two schedules are measured in turn before one is said to be better. */
const turns = 5;

/** Measures a prepared schedule. What takes several times as long as `best` at first is not measured further. */
async function measure(prepared: Prepared, best = Number.POSITIVE_INFINITY): Promise<number> {
  let { runs, once } = await warmUp(prepared);
  if (once > 3 * best) return once;
  for (let round = 1; round < rounds; round++) once = Math.min(once, (await prepared.time(runs)) / runs);
  return once;
}

/** How many runs take long enough to be measured, and what one takes then. */
async function warmUp(prepared: Prepared): Promise<{ runs: number; once: number }> {
  await prepared.time(1);
  let runs = 1;
  let once = await prepared.time(1);
  while (once * runs < least && runs < mostRuns) {
    runs = Math.min(mostRuns, Math.max(2 * runs, Math.ceil(least / Math.max(once, 1e-4))));
    once = (await prepared.time(runs)) / runs;
  }
  return { runs, once };
}

/** Two schedules in turn, so that neither has the machine when it was cold, or busy with something else. */
async function compare(a: Prepared, b: Prepared): Promise<[number, number]> {
  const [ofA, ofB] = [await warmUp(a), await warmUp(b)];
  for (let turn = 0; turn < turns; turn++) {
    ofA.once = Math.min(ofA.once, (await a.time(ofA.runs)) / ofA.runs);
    ofB.once = Math.min(ofB.once, (await b.time(ofB.runs)) / ofB.runs);
  }
  return [ofA.once, ofB.once];
}

const newTensor = (): ((name: string, type: Tensor['type'], origin: Tensor['origin']) => Tensor) => {
  let id = -1;
  return (name, type, origin) => ({ id: id--, name, type, role: 'temporary', origin });
};

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0]!;

/** Lets signals come in: kernels in WebAssembly never wait for anything. */
export const signals = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** Milliseconds of the default schedule. */
export async function timeDefault(bench: Bench, task: Task, target: Target): Promise<number> {
  const opened = await bench.open(task);
  try {
    const prepared = await opened.prepare(defaultCandidate(task.work, target).make(newTensor()).kernels);
    try {
      await prepared.time(1);
      return await prepared.time(1);
    } finally {
      prepared.close();
    }
  } finally {
    opened.close();
  }
}

/**
 * Measures the default and the best others by their estimates, at most `top` in all, each of which must give the default's
 * results. Undefined where `stopped` says so before it is done. `step` is called after every candidate.
 */
export async function search(
  bench: Bench,
  task: Task,
  target: Target,
  top: number,
  stopped: () => boolean,
  step: (done: number, of: number) => void,
): Promise<Found | undefined> {
  const list = candidates(task.work, target, top);
  const outputs = [...new Set(task.work.outputs.map(storageOf))];
  const opened = await bench.open(task);
  try {
    const first = await opened.prepare(list[0]!.make(newTensor()).kernels);
    const expected = await first.results(outputs);
    let usual: Timed = { schedule: list[0]!.text, milliseconds: await measure(first) };
    step(1, list.length);
    let best = usual;
    let winner: Candidate | undefined;
    let measured = 1;
    const [wrong, refused]: string[][] = [[], []];
    for (const [i, candidate] of list.slice(1).entries()) {
      await signals();
      if (stopped()) return undefined;
      const outcome = await tryOne(opened, candidate, outputs, expected, best.milliseconds);
      if ('wrong' in outcome) wrong!.push(`${candidate.text}: ${outcome.wrong}`);
      else if ('refused' in outcome) refused!.push(`${candidate.text}: ${outcome.refused}`);
      else {
        measured++;
        if (outcome.milliseconds < best.milliseconds) {
          best = { schedule: candidate.text, milliseconds: outcome.milliseconds };
          winner = candidate;
        }
      }
      step(i + 2, list.length);
    }
    if (winner) {
      const second = await opened.prepare(winner.make(newTensor()).kernels);
      const [a, b] = await compare(first, second);
      [usual, best] = [
        { ...usual, milliseconds: a },
        { ...best, milliseconds: b },
      ];
      second.close();
    }
    first.close();
    const pays = best.milliseconds < (1 - worth) * usual.milliseconds;
    return { usual, best: pays ? best : usual, measured, wrong: wrong!, refused: refused! };
  } finally {
    opened.close();
  }
}

type Outcome = { readonly milliseconds: number } | { readonly wrong: string } | { readonly refused: string };

async function tryOne(
  opened: Opened,
  candidate: Candidate,
  outputs: readonly Tensor[],
  expected: readonly Float64Array[],
  best: number,
): Promise<Outcome> {
  let prepared: Prepared;
  try {
    prepared = await opened.prepare(candidate.make(newTensor()).kernels);
  } catch (error) {
    return { refused: messageOf(error) };
  }
  try {
    const actual = await prepared.results(outputs);
    for (const [i, tensor] of outputs.entries()) {
      const wrong = differenceOf(tensor, expected[i]!, actual[i]!);
      if (wrong !== undefined) return { wrong };
    }
    return { milliseconds: await measure(prepared, best) };
  } catch (error) {
    return { refused: messageOf(error) };
  } finally {
    prepared.close();
  }
}
