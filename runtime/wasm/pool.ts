import { engine, type Memory, type Module, type Thread } from './engine.ts';
import { cores, spawn } from './spawn.ts';

/** More threads than these gain little: they share what memory gives. */
const mostByDefault = 8;
/** Milliseconds after which a worker that has not answered is given up. */
const patience = 5000;

/** How many threads to use, the caller's among them; 1 where memory cannot be shared with workers. */
export function threadsFor(wanted: number | undefined): number {
  // A page must ask for it by headers (COOP and COEP); Node knows no such thing.
  if (engine.crossOriginIsolated === false) return 1;
  return Math.max(1, Math.floor(wanted ?? Math.min(cores(), mostByDefault)));
}

/**
 * Workers that run tables together with the calling thread. They start while the caller goes on: until all have
 * answered there is one thread. A worker that fails to start leaves fewer, never a caller that waits.
 */
export class Pool {
  /** Threads that work now, the caller's among them. */
  threads = 1;
  /** Resolves when every worker has answered or was given up. */
  readonly settled: Promise<void>;
  readonly #ready: Thread[] = [];
  readonly #all = new Set<Thread>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #settle!: () => void;

  constructor(module: Module, memory: Memory, threads: number) {
    this.settled = new Promise(resolve => {
      this.#settle = resolve;
    });
    try {
      while (this.#all.size < threads - 1) this.#add({ module, memory });
    } catch {
      // Those that there are must do.
    }
    this.#timer = setTimeout(() => this.#begin(), patience);
    this.#timer.unref?.();
    this.#check();
  }

  /** Resolves when the workers are ready; a process that waits for this does not end before. */
  wait(): Promise<void> {
    this.#timer?.ref?.();
    return this.settled;
  }

  /** Ends the workers; one thread is left. */
  end(): void {
    this.threads = 1;
    for (const thread of this.#all) void thread.terminate();
    this.#all.clear();
    this.#ready.length = 0;
    this.#check();
  }

  #add(message: { module: Module; memory: Memory }): void {
    const thread = spawn();
    this.#all.add(thread);
    const listen = (event: string, act: () => void) =>
      (thread.on ?? thread.addEventListener)!.call(thread, event, act);
    listen('message', () => {
      this.#ready.push(thread);
      this.#check();
    });
    for (const event of ['error', 'messageerror', 'exit']) listen(event, () => this.#lose(thread));
    // Keeps no process alive; after the listeners, which would take that back.
    thread.unref?.();
    thread.postMessage(message);
  }

  #lose(thread: Thread): void {
    if (!this.#all.delete(thread)) return;
    void thread.terminate();
    // Those that serve wait for each other: without one of them, none is of use.
    if (this.#timer === undefined) this.end();
    else this.#check();
  }

  #check(): void {
    if (this.#ready.filter(t => this.#all.has(t)).length === this.#all.size) this.#begin();
  }

  /** Lets those that are ready serve, once. */
  #begin(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const serving = this.#ready.filter(t => this.#all.has(t));
    for (const thread of this.#all) if (!serving.includes(thread)) void thread.terminate();
    this.#all.clear();
    for (const thread of serving) this.#all.add(thread);
    this.threads = serving.length + 1;
    serving.forEach((thread, i) => {
      thread.postMessage({ thread: i + 1, threads: this.threads });
    });
    this.#settle();
  }
}
