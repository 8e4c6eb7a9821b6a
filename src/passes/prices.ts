import type { Target } from '../ir/target.ts';

/** Rough prices of one adapter class, in nanoseconds of one lane. Only ratios matter: they rank choices. */
export interface Prices {
  readonly load: number;
  /** One multiply-add inside a chain. */
  readonly arithmetic: number;
  /** Updating an accumulator variable. */
  readonly update: number;
  /** Lanes that run at the same time: fewer invocations leave the rest idle. */
  readonly lanes: number;
  readonly dispatch: number;
  /** Handing a value to the other lanes of a subgroup. */
  readonly share?: number;
  /**
   * How many instructions a turn of a loop may have for processors to keep them decoded, how many times longer it takes
   * beyond that, and the instructions of a load and of a hand-over.
   */
  readonly body?: {
    readonly instructions: number;
    readonly beyond: number;
    readonly load: number;
    readonly share: number;
  };
  /** Compiling one multiply-add of straight-line code, shared out over the runs of a typical session. */
  readonly code: number;
}

export const prices: Readonly<Record<Target['kind'], Prices>> = {
  // Measured on SwiftShader with two cores: a dynamic load costs what twenty chained multiply-adds cost.
  software: {
    load: 24,
    arithmetic: 1.3,
    update: 4,
    lanes: 8,
    dispatch: 15000,
    code: 600,
    share: 5,
    body: { instructions: 2720, beyond: 1.7, load: 24, share: 10 },
  },
  cpu: { load: 0.4, arithmetic: 0.5, update: 0.1, lanes: 2, dispatch: 1000, code: 10 },
  gpu: { load: 4, arithmetic: 1, update: 1, lanes: 16384, dispatch: 3000, code: 10 },
};

/** Free dims where only proportions matter. */
export const nominal = 64;
