// One of those who are timed, in a process of its own: loads works and runs them as the parent tells it.
// node worker.mjs TARGET WHO ADAPTER [profile]

import { targets } from './who/index.mjs';
import { workOf } from './works/index.mjs';
import { inputOf, labelsOf, paramsOf } from './works/values.mjs';

const [target, name, adapter, profile] = process.argv.slice(2);
const who = targets[target].find(w => w.name === name);
const since = start => performance.now() - start;
/** Runs whose losses are compared. */
const checked = 3;

let module;
let state;
let work;
let job;
let last;

const run = async () => {
  const start = performance.now();
  last = await job.run();
  return since(start);
};

/** A copy, as some hand out views of their own memory, in the layout that all compare. */
const result = () => Float32Array.from(job.asFirst?.(last) ?? last);

const calls = {
  /** From nothing to the first result; the numbers that the net or the first steps give. */
  async load(workName) {
    work = workOf(workName);
    const graph = work.graph();
    const values = { params: paramsOf(graph), input: inputOf(graph), labels: labelsOf(graph) };
    const start = performance.now();
    module ??= await import(new URL(who.module, new URL('who/', import.meta.url)));
    state ??= await module.start({ ...who.options, adapter, profile: profile === 'profile' });
    job = await module.prepare(state, work, values);
    const first = await run();
    const first_ms = since(start);
    const { compile_ms } = job;
    if (!work.training) return { first_ms, compile_ms, first, values: result() };
    const losses = [last];
    while (losses.length < checked) {
      await run();
      losses.push(last);
    }
    return { first_ms, compile_ms, first, values: Float32Array.from(losses) };
  },
  /** Times of runs, as many as fit into `ms` and at least one; the first is left out where it was short. */
  async sample({ ms, most }) {
    const start = performance.now();
    const times = [await run()];
    if (times[0] < ms / 4) times.pop();
    while (times.length === 0 || (times.length < most && since(start) + times.at(-1) < ms))
      times.push(await run());
    return times;
  },
  /** What the last run gave. */
  values: () => (work.training ? Float32Array.of(last) : result()),
  /** Milliseconds of each kernel, where the runtime can tell. */
  profile: () => job.profile?.(),
  async unload() {
    await job?.dispose?.();
    job = undefined;
  },
};

process.on('message', async ({ call, argument }) => {
  try {
    process.send({ result: await calls[call](argument) });
  } catch (error) {
    if (process.env.BENCH_TRACE) console.error(error);
    process.send({
      error: String(error?.message ?? error)
        .split('\n')[0]
        .slice(0, 160),
    });
  }
});
process.on('disconnect', () => process.exit());
process.on('unhandledRejection', error => {
  process.send({
    error: String(error?.message ?? error)
      .split('\n')[0]
      .slice(0, 160),
  });
});
