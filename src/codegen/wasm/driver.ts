import type { Binaryen, Get, Module, Ref, Wasm } from './code.ts';
import { Code } from './code.ts';

/**
 * Words of the control block, the first 256 bytes of the memory: those that threads wait for and count with lie in cache
 * lines of their own.
 */
const control = {
  /** The table that is to be run. */
  table: 0,
  /** Number of runs that were started. */
  started: 4,
  /** Threads that sleep until the next. */
  idle: 8,
  /** Threads that have come to the end of the dispatch. */
  arrived: 64,
  /** Grows when all have. */
  generation: 128,
  /** Threads that sleep until it does. */
  waiting: 132,
  /** The first group that no thread has taken yet. */
  next: 192,
} as const;

/** Turns of a loop that looks again before a thread goes to sleep: some tens of microseconds. */
const spins = 20000;

/** Adds `run`, `start` and `serve`, which walk tables of dispatches (decision 14). */
export function addDriver(wasm: Wasm, table: string): void {
  const { m } = wasm;
  addSleep(wasm);
  addMeet(wasm);
  addRun(wasm, table);
  addStart(wasm);
  addServe(wasm);
  for (const name of ['run', 'start', 'serve']) m.addFunctionExport(name, name);
}

const load = (m: Module, at: number): Ref => m.i32.atomic.load(at, m.i32.const(0));
const store = (m: Module, at: number, value: Ref): Ref => m.i32.atomic.store(at, m.i32.const(0), value);
const increase = (m: Module, at: number, by: Ref): Ref => m.i32.atomic.rmw.add(at, m.i32.const(0), by);

/** Functions that must stay functions: see `addSleep`. */
export const alone = 'alone_*';
const sleepName = 'alone_sleep';
const wakeName = 'alone_wake';

/**
 * Sleeping and waking have functions of their own, which are never inlined: the baseline compiler of V8 (in Node 20)
 * takes registers for them that may hold locals. Here none is alive.
 */
function addSleep(wasm: Wasm): void {
  const { b, m } = wasm;
  const sleep = new Code(wasm, [
    ['at', b.i32],
    ['value', b.i32],
  ]);
  const [at, value] = sleep.params.map(p => p.get);
  sleep.push(m.drop(m.memory.atomic.wait32(at!(), value!(), m.i64.const(-1n))));
  sleep.finish(sleepName);
  const wake = new Code(wasm, [['at', b.i32]]);
  wake.push(m.drop(m.memory.atomic.notify(wake.params[0]!.get(), m.i32.const(-1))));
  wake.finish(wakeName);
}

/** Waits until the word at `at` is no longer `value`; where `maySleep`, sleeps after a while, counted at `sleepers`. */
function wait(code: Code, at: number, value: Get, sleepers: number, maySleep: Get): void {
  const { m, b } = code;
  const turns = code.local(b.i32, 'turns');
  const sleep = m.block(null, [
    m.drop(increase(m, sleepers, m.i32.const(1))),
    m.call(sleepName, [m.i32.const(at), value()], b.none),
    m.drop(increase(m, sleepers, m.i32.const(-1))),
    m.br('look'),
  ]);
  const again = m.block(null, [
    turns.set(m.i32.add(turns.get(), m.i32.const(1))),
    m.br_if('look', m.i32.lt_u(turns.get(), m.i32.const(spins))),
    m.br_if('look', m.i32.eqz(maySleep())),
    sleep,
  ]);
  code.push(turns.set(m.i32.const(0)));
  code.push(m.loop('look', m.if(m.i32.eq(load(m, at), value()), again)));
}

/** Changes the word and wakes those that sleep for it. A thread counts itself before it looks a last time. */
function change(b: Binaryen, m: Module, at: number, value: Ref, sleepers: number): Ref[] {
  return [store(m, at, value), m.if(load(m, sleepers), m.call(wakeName, [m.i32.const(at)], b.none))];
}

/** meet(thread, threads, generation): the last to come lets all go on. */
function addMeet(wasm: Wasm): void {
  const { b, m } = wasm;
  const code = new Code(wasm, [
    ['thread', b.i32],
    ['threads', b.i32],
    ['generation', b.i32],
  ]);
  const [thread, threads, generation] = code.params.map(p => p.get);
  const isLast = m.i32.eq(
    increase(m, control.arrived, m.i32.const(1)),
    m.i32.sub(threads!(), m.i32.const(1)),
  );
  const release = m.block(null, [
    store(m, control.arrived, m.i32.const(0)),
    store(m, control.next, m.i32.const(0)),
    ...change(b, m, control.generation, m.i32.add(generation!(), m.i32.const(1)), control.waiting),
  ]);
  const waiting = code.block(() => wait(code, control.generation, generation!, control.waiting, thread!));
  code.push(m.if(isLast, release, waiting));
  code.finish('meet');
}

/** run(thread, threads, table) */
function addRun(wasm: Wasm, table: string): void {
  const { b, m } = wasm;
  const code = new Code(wasm, [
    ['thread', b.i32],
    ['threads', b.i32],
    ['table', b.i32],
  ]);
  const [thread, threads, start] = code.params.map(p => p.get);
  const word = (at: Get, index: number): Ref => m.i32.load(4 * index, 4, at());
  const scratch = code.keep(
    m.i32.add(word(start!, 1), m.i32.mul(thread!(), word(start!, 2))),
    b.i32,
    'scratch',
  );
  const entry = code.local(b.i32, 'entry');
  const end = code.keep(m.i32.add(start!(), m.i32.shl(word(start!, 0), m.i32.const(4))), b.i32, 'end');
  code.push(entry.set(start!()));
  const kernel = (from: Ref, to: Ref): Ref =>
    m.call_indirect(
      table,
      word(entry.get, 4),
      [from, to, word(entry.get, 6), scratch()],
      b.createType([b.i32, b.i32, b.i32, b.i32]),
      b.none,
    );
  const advance = (label: string): Ref[] => [
    entry.set(m.i32.add(entry.get(), m.i32.const(16))),
    m.br_if(label, m.i32.lt_u(entry.get(), end())),
  ];
  const groups = (): Ref => word(entry.get, 5);
  const alone = m.loop(
    'alone',
    m.block(null, [m.if(groups(), kernel(m.i32.const(0), groups())), ...advance('alone')]),
  );

  const generation = code.local(b.i32, 'generation');
  const from = code.local(b.i32, 'from');
  const to = code.local(b.i32, 'to');
  const take = m.block(null, [
    from.set(increase(m, control.next, word(entry.get, 7))),
    m.if(
      m.i32.lt_u(from.get(), groups()),
      m.block(null, [
        to.set(m.i32.add(from.get(), word(entry.get, 7))),
        m.if(m.i32.gt_u(to.get(), groups()), to.set(groups())),
        kernel(from.get(), to.get()),
        m.br('take'),
      ]),
    ),
  ]);
  const together = m.block(null, [
    generation.set(load(m, control.generation)),
    m.loop(
      'together',
      m.block(null, [
        m.loop('take', take),
        m.call('meet', [thread!(), threads!(), generation.get()], b.none),
        generation.set(m.i32.add(generation.get(), m.i32.const(1))),
        ...advance('together'),
      ]),
    ),
  ]);
  const isEmpty = m.i32.eq(entry.get(), end());
  code.push(m.if(isEmpty, m.return()));
  code.push(m.if(m.i32.eq(threads!(), m.i32.const(1)), alone, together));
  code.finish('run');
}

/** start(table) */
function addStart(wasm: Wasm): void {
  const { b, m } = wasm;
  const code = new Code(wasm, [['table', b.i32]]);
  code.push(store(m, control.table, code.params[0]!.get()));
  const next = m.i32.add(load(m, control.started), m.i32.const(1));
  for (const ref of change(b, m, control.started, next, control.idle)) code.push(ref);
  code.finish('start');
}

/** serve(thread, threads): once in the life of a memory, from before the first start or after it. */
function addServe(wasm: Wasm): void {
  const { b, m } = wasm;
  const code = new Code(wasm, [
    ['thread', b.i32],
    ['threads', b.i32],
  ]);
  const [thread, threads] = code.params.map(p => p.get);
  const seen = code.local(b.i32, 'seen');
  const table = code.local(b.i32, 'table');
  const body = code.block(() => {
    wait(code, control.started, seen.get, control.idle, () => m.i32.const(1));
    code.push(seen.set(m.i32.add(seen.get(), m.i32.const(1))));
    code.push(table.set(load(m, control.table)));
    const go = m.block(null, [m.call('run', [thread!(), threads!(), table.get()], b.none), m.br('serve')]);
    code.push(m.if(table.get(), go));
  });
  code.push(m.loop('serve', body));
  code.finish('serve');
}
