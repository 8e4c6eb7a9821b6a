const cell = new Int32Array(new SharedArrayBuffer(4));
let pending = 0;
let polling = false;
let began = 0;

/**
 * Slows the polling of Dawn while `done` is pending: Dawn looks for finished work on every turn of the event loop,
 * which keeps one core busy. After half a millisecond, in which short work is done, a sleep of 0.2 ms a turn leaves
 * that core to a software adapter (256³ matrix product on two cores: 117 ms become 78).
 */
export function wait(done: Promise<unknown>): void {
  const end = () => {
    pending--;
  };
  done.then(end, end);
  pending++;
  began = performance.now();
  // The loop of an earlier wait may still be about to end: never two of them.
  if (!polling) setImmediate(poll);
  polling = true;
}

function poll(): void {
  polling = pending > 0;
  if (!polling) return;
  if (performance.now() - began > 0.5) Atomics.wait(cell, 0, 0, 0.2);
  setImmediate(poll);
}
