// Times works: everyone who runs a work has a process; they are checked first, and then take turns.
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from './processes.mjs';
import { infer, train } from './reference/index.mjs';
import { inputOf, labelsOf, paramsOf } from './works/values.mjs';

/** Largest difference from the reference over the largest value of it. Winograd and long sums in f32 stay far below. */
const tolerance = 1e-3;

export const median = list => {
  const sorted = [...list].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};

/** The numbers that a work has to give: its output, or the losses of its first steps. */
export function expected(work, steps = 3) {
  const graph = work.graph();
  const [params, input] = [paramsOf(graph), inputOf(graph)];
  return work.training
    ? train(graph, params, input, labelsOf(graph), steps, work.training)
    : infer(graph, params, input);
}

/** Infinity where the sizes differ or something is no number. */
export function distance(values, wanted) {
  if (values.length !== wanted.length) return Number.POSITIVE_INFINITY;
  let [most, largest] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    const d = Math.abs(values[i] - wanted[i]);
    if (!Number.isFinite(d)) return Number.POSITIVE_INFINITY;
    most = Math.max(most, d);
    largest = Math.max(largest, Math.abs(wanted[i]));
  }
  return most / largest;
}

const reject = (entry, error) => Object.assign(entry, { failed: error.message });

/** Loads a work and compares; what is wrong is marked and not timed. */
async function load(entry, work, wanted) {
  try {
    const { values, ...more } = await entry.worker.call('load', work.name);
    Object.assign(entry, more, { error: distance(values, wanted) });
    if (!(entry.error <= tolerance)) entry.failed = 'wrong';
  } catch (error) {
    reject(entry, error);
  }
}

/** `turns` times, everyone for `ms` milliseconds; who takes seconds for a run has three turns at most. */
async function takeTurns(entries, { turns, ms, most = 50 }) {
  const sample = async (entry, ms) => {
    try {
      return await entry.worker.call('sample', { ms, most });
    } catch (error) {
      reject(entry, error);
      return [];
    }
  };
  const able = () => entries.filter(e => !e.failed);
  // The engine compiles what runs often once more, better.
  for (const entry of able()) if (entry.first < 2000) await sample(entry, 2 * ms);
  for (let turn = 0; turn < turns; turn++)
    for (const entry of able()) {
      if (turn >= 3 && median(entry.times) > 2000) continue;
      // Threads of the one before may still wait in a loop.
      await sleep(10);
      entry.times.push(...(await sample(entry, ms)));
    }
}

/** A row each; `options.profile` adds the time of each kernel. */
export async function measure(work, whos, options) {
  const { turns, ms, workers, profile } = options;
  const wanted = expected(work);
  const entries = whos.map(who => {
    const worker = workers?.get(who.name) ?? new Worker(who, options);
    workers?.set(who.name, worker);
    return { who, worker, times: [] };
  });
  for (const entry of entries) await load(entry, work, wanted);
  await takeTurns(entries, { turns, ms });
  for (const entry of entries) await finish(entry, work, { wanted, keep: workers !== undefined, profile });
  return entries;
}

async function finish(entry, work, { wanted, keep, profile }) {
  const { worker } = entry;
  try {
    if (!entry.failed) {
      const values = await worker.call('values');
      const right = work.training ? Number.isFinite(values[0]) : distance(values, wanted) <= tolerance;
      if (!right) entry.failed = 'wrong after some runs';
      if (profile) entry.kernels = await worker.call('profile');
    }
    if (keep) await worker.call('unload', undefined, 20);
  } catch (error) {
    reject(entry, error);
  }
  if (!keep) worker.end();
}

/** The time from import to the first result: a fresh process each time. */
export async function measureFresh(work, whos, options) {
  const wanted = expected(work);
  const entries = whos.map(who => ({ who, times: [] }));
  for (let turn = 0; turn < options.turns; turn++)
    for (const entry of entries.filter(e => !e.failed)) {
      entry.worker = new Worker(entry.who, options);
      await load(entry, work, wanted);
      if (!entry.failed) entry.times.push(entry.first_ms);
      entry.worker.end();
    }
  return entries;
}
