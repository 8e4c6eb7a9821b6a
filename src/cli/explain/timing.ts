import type { Model } from '../../../runtime/index.ts';
import { open as openOnDevice } from '../../../runtime/index.ts';
import type { Runner } from '../../../runtime/loaded.ts';
import type { Program } from '../../../runtime/plan.ts';
import type { WasmModel, WasmProgram } from '../../../runtime/wasm/index.ts';
import type { ModuleEntry } from '../../codegen/entry.ts';
import { buildModel } from '../../codegen/model.ts';
import type { DimEnv } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import { bufferUses } from '../../ir/kernel-access.ts';
import { ndarray, size } from '../../ir/ndarray.ts';
import type { Plan, StateLayout } from '../../ir/plan.ts';
import { onDevice } from '../errors.ts';
import { fromArray } from '../tensors.ts';
import { type Cut, cutForGpu, cutForWasm } from './alone.ts';
import { type Clock, clockOf, whileCalled } from './clocks.ts';

/** Milliseconds of one run of a program, inputs and results included, and of each dispatch of its plan by itself. */
export interface ProgramTimes {
  readonly run: number;
  readonly kernels: readonly number[];
}

/** A program by its name in the entry, with the plan that runs at these sizes. */
export interface TimedProgram {
  readonly name: string;
  readonly plan: Plan;
  readonly dims: DimEnv;
}

/** Runs in one measurement, submitted together as a training does, and measurements of which the median is taken. */
const runs = 4;
const rounds = 5;
/** Milliseconds after which no further round begins. */
const patience = 5000;
/** How long a dispatch is repeated to be told from the clock's steps, in milliseconds, and how often at most. */
const worth = 0.5;
const mostTurns = 50;

/** A model in a session, to which programs may be added. */
interface Machine<P> {
  readonly session: Runner & { dispose(): void };
  readonly clock: Clock;
  cut(name: string, dims: readonly number[]): Cut<P>;
  add(name: string, program: P): void;
}

/** Times of an entry's programs on a device, or without one in WebAssembly. Inputs are zeros, which every dtype has. */
export function timePrograms(
  entry: ModuleEntry,
  layout: StateLayout,
  programs: readonly TimedProgram[],
  { device, threads }: { readonly device?: GPUDevice | undefined; readonly threads?: number | undefined },
): Promise<Map<string, ProgramTimes>> {
  return onDevice(async () =>
    device
      ? timeAll(await onGpu(entry, layout, device), programs)
      : timeAll(await inWasm(entry, layout, threads), programs),
  );
}

async function onGpu(entry: ModuleEntry, layout: StateLayout, device: GPUDevice): Promise<Machine<Program>> {
  const built = buildModel(entry, layout);
  const programs: Record<string, Program> = { ...built.programs };
  const model: Model = { ...built, programs };
  return {
    session: await openOnDevice(model, { device }),
    clock: clockOf(device),
    cut: name => cutForGpu(programs[name]!),
    add(name, program) {
      programs[name] = program;
    },
  };
}

async function inWasm(
  entry: ModuleEntry,
  layout: StateLayout,
  threads: number | undefined,
): Promise<Machine<WasmProgram>> {
  // Its printer is loaded where it is needed alone.
  const { buildWasmModel } = await import('../../codegen/wasm-model.ts');
  const { open } = await import('../../../runtime/wasm/index.ts');
  const built = await buildWasmModel(entry, layout);
  const programs: Record<string, readonly WasmProgram[]> = { ...built.programs };
  const model: WasmModel = { ...built, programs };
  return {
    session: await open(model, threads === undefined ? {} : { threads }),
    clock: whileCalled,
    cut: (name, dims) => cutForWasm(programs[name]!, dims),
    add(name, program) {
      programs[name] = [program];
    },
  };
}

async function timeAll<P>(
  machine: Machine<P>,
  programs: readonly TimedProgram[],
): Promise<Map<string, ProgramTimes>> {
  try {
    const times = new Map<string, ProgramTimes>();
    // What begins as data has not been filled yet.
    const init = programs.find(p => p.name === 'init' && p.plan.inputs.length > 0);
    if (init) await machine.session.run('init', inputsOf(init), scalarsOf(init));
    for (const program of programs)
      times.set(program.name, {
        run: await timeOfRun(machine, program),
        kernels: await timesOfKernels(machine, program),
      });
    return times;
  } finally {
    machine.session.dispose();
  }
}

async function timeOfRun<P>({ session }: Machine<P>, program: TimedProgram): Promise<number> {
  const run = (): Promise<unknown> => session.run(program.name, inputsOf(program), scalarsOf(program));
  await session.prepare(program.name, program.dims);
  await run();
  const times: number[] = [];
  const began = performance.now();
  while (times.length < rounds && (times.length === 0 || performance.now() - began < patience)) {
    const start = performance.now();
    await Promise.all(Array.from({ length: runs }, run));
    times.push((performance.now() - start) / runs);
  }
  return median(times);
}

/** Each dispatch by itself, in the order of the plan and on what those before it have made. */
async function timesOfKernels<P>(
  { session, clock, cut, add }: Machine<P>,
  program: TimedProgram,
): Promise<number[]> {
  const { name, plan, dims } = program;
  const parts = cut(
    name,
    plan.dims.map(d => dims[d]!),
  );
  add(`${name}: nothing`, parts.nothing);
  add(`${name}: inputs`, parts.inputs);
  const scalars = { ...scalarsOf(program), ...dims };
  const call =
    (what: string): (() => Promise<unknown>) =>
    () =>
      session.run(`${name}: ${what}`, {}, scalars);
  const empty = median(await clock.time(Array.from({ length: 9 }, () => call('nothing'))));
  const round = async (turns: readonly number[]): Promise<number[]> => {
    await session.run(`${name}: inputs`, inputsOf(program), scalars);
    const times = await clock.time(turns.map((n, i) => call(`${i} x ${n}`)));
    return times.map((t, i) => Math.max(0, t - empty) / turns[i]!);
  };
  const prepare = async (turns: readonly number[]): Promise<void> => {
    for (const [i, n] of turns.entries()) {
      add(`${name}: ${i} x ${n}`, parts.alone(i, n));
      await session.prepare(`${name}: ${i} x ${n}`, dims);
    }
  };
  // All programs have their memory before the first one runs: what one leaves for the next does not move.
  await session.prepare(`${name}: inputs`, dims);
  const once = plan.dispatches.map(() => 1);
  await prepare(once);
  await round(once);
  const first = await round(once);
  const turns = plan.dispatches.map(({ scheduled }, i) => {
    const { reads, writes } = bufferUses(scheduled);
    // What reads what it writes would find something else at its second turn.
    if ([...writes].some(b => reads.has(b))) return 1;
    return Math.min(mostTurns, Math.ceil(worth / Math.max(first[i]!, worth / mostTurns)));
  });
  await prepare(turns);
  await round(turns);
  const found: number[][] = [];
  const began = performance.now();
  while (found.length < rounds && (found.length === 0 || performance.now() - began < patience))
    found.push(await round(turns));
  return turns.map((_, i) => median(found.map(times => times[i]!)));
}

const scalarsOf = ({ plan }: TimedProgram): Record<string, number> =>
  Object.fromEntries(plan.scalars.map(s => [s.name, 0]));

const inputsOf = ({ plan, dims }: TimedProgram): Record<string, ReturnType<typeof fromArray>> =>
  Object.fromEntries(
    plan.inputs.map(({ name, type }) => {
      const shape = type.shape.map(d => D.evaluate(d, dims));
      return [name, fromArray(ndarray(type.dtype, shape, new Float64Array(size(shape))))];
    }),
  );

const median = (times: readonly number[]): number =>
  [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
