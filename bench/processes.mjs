// The parent's end of worker.mjs.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const path = fileURLToPath(new URL('worker.mjs', import.meta.url));

export class Worker {
  #process;
  #waiting;
  #gone;

  constructor(who, { target, adapter, profile }) {
    this.who = who.name;
    this.#process = fork(path, [target, who.name, adapter, ...(profile ? ['profile'] : [])], {
      serialization: 'advanced',
      execArgv: who.execArgv ?? [],
      // Peers print advice and warnings.
      stdio: ['ignore', 'ignore', process.env.BENCH_TRACE || !who.peer ? 'inherit' : 'ignore', 'ipc'],
    });
    this.#process.on('message', ({ result, error }) => this.#settle(result, error));
    this.#process.on('exit', (code, signal) => {
      this.#gone = `ended with ${signal ?? code}`;
      this.#settle(undefined, this.#gone);
    });
  }

  #settle(result, error) {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (!waiting) return;
    clearTimeout(waiting.timer);
    if (error === undefined) waiting.resolve(result);
    else waiting.reject(new Error(error));
  }

  /** Rejects where the worker does, ends, or takes more than `seconds`, after which it is ended. */
  call(call, argument, seconds = 300) {
    return new Promise((resolve, reject) => {
      if (this.#gone) return reject(new Error(this.#gone));
      const timer = setTimeout(() => {
        this.#settle(undefined, `no answer within ${seconds} s`);
        this.end();
      }, seconds * 1000);
      this.#waiting = { resolve, reject, timer };
      this.#process.send({ call, argument });
    });
  }

  end() {
    this.#process.kill('SIGKILL');
  }
}
