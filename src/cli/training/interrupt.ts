/** Exit codes of the signals that end a training: 128 and the signal's number, as shells have it. */
const codes = { SIGINT: 130, SIGTERM: 143 } as const;

type Signal = keyof typeof codes;

export interface Interrupt {
  /** The exit code of the signal that came, or undefined. */
  code(): number | undefined;
  /** Signals end the process again as if nobody had listened. */
  release(): void;
}

/** Listens to the first Ctrl-C or SIGTERM. The next one ends the process at once: nobody listens any more. */
export function listenForInterrupt(onSignal: () => void): Interrupt {
  let code: number | undefined;
  const signals = Object.keys(codes) as Signal[];
  const take = (signal: Signal): void => {
    code = codes[signal];
    release();
    onSignal();
  };
  const release = (): void => {
    for (const signal of signals) process.off(signal, take);
  };
  for (const signal of signals) process.on(signal, take);
  return { code: () => code, release };
}
