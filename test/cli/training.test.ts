import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stored } from '../../src/cli/data/column.ts';
import type { Tensors } from '../../src/cli/tensors.ts';
import { batchCount, batches, makeDataset } from '../../src/cli/training/data.ts';
import { evaluate } from '../../src/cli/training/evaluate.ts';
import { beginning, type Measured, type Position, runTraining } from '../../src/cli/training/loop.ts';
import { clock, formatMetrics } from '../../src/cli/training/progress.ts';
import { permutation } from '../../src/cli/training/shuffle.ts';
import type { Batch, Metrics, Trainer } from '../../src/cli/training/trainer.ts';
import * as D from '../../src/ir/dim.ts';
import { tensor } from '../../src/ir/type.ts';
import { f32 } from './helpers.ts';

describe('shuffle', () => {
  it('is a permutation that depends on seed and epoch alone', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(), fc.nat(1000), (n, seed, epoch) => {
        const order = permutation(n, seed, epoch);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
        expect(permutation(n, seed, epoch)).toEqual(order);
      }),
    );
    const distinct = new Set([0, 1, 2].flatMap(s => [0, 1, 2].map(e => permutation(50, s, e).join())));
    expect(distinct.size).toBe(9);
  });

  it('puts every element everywhere about equally often', () => {
    const n = 6;
    const rounds = 6000;
    const counts = Array.from({ length: n }, () => new Array<number>(n).fill(0));
    for (let epoch = 0; epoch < rounds; epoch++)
      permutation(n, 1, epoch).forEach((v, i) => {
        counts[i]![v]!++;
      });
    // Five standard deviations of a binomial of mean 1000.
    for (const count of counts.flat()) expect(Math.abs(count - rounds / n)).toBeLessThan(5 * 28.9);
  });
});

describe('batches', () => {
  it('cover the order once', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.integer({ min: 1, max: 20 }), fc.boolean(), (n, size, keep) => {
        const order = permutation(n, 0, 0);
        const parts = [...batches(order, size, keep)];
        expect(parts).toHaveLength(batchCount(n, size, keep));
        const count = keep ? n : n - (n % size);
        expect(parts.flatMap(p => [...p])).toEqual([...order.subarray(0, count)]);
      }),
    );
  });

  it('take rows, and what has no examples whole', () => {
    const N = D.symbol('N');
    const specs = [
      { name: 'x', type: tensor('f32', [N, 2]) },
      { name: 'y', type: tensor('u8', [N]) },
      { name: 'weights', type: tensor('f32', [3]) },
    ];
    const tensors = new Map([
      ['x', f32([4, 2], i => i)],
      ['y', { dtype: 'u8' as const, shape: [4], data: new Uint8Array([9, 8, 7, 6]) }],
      ['weights', f32([3], i => -i)],
    ]);
    const data = makeDataset('t', specs, columns(tensors), 'f');
    expect(data.examples).toBe(4);
    expect(data.batch([2, 0])).toEqual({
      x: f32([2, 2], i => [4, 5, 0, 1][i]!),
      y: { dtype: 'u8', shape: [2], data: new Uint8Array([7, 9]) },
      weights: f32([3], i => -i),
    });
    const fixed = makeDataset('t', specs.slice(2), columns(new Map([['weights', f32([3])]])), 'f');
    expect(fixed.examples).toBe(1);
    expect(fixed.batch([0])).toEqual({ weights: f32([3]) });
  });
});

/** Answers steps in random order of time; the loss is the number of the step. */
class Fake implements Trainer {
  steps = 0;
  running = 0;
  most = 0;
  readonly loss: (step: number) => number;

  constructor(loss: (step: number) => number = step => step) {
    this.loss = loss;
  }

  async step(): Promise<Metrics> {
    const step = this.steps++;
    this.most = Math.max(this.most, ++this.running);
    await new Promise(done => setTimeout(done, (step * 7) % 5));
    this.running--;
    return { loss: this.loss(step), rows: [step, step] };
  }

  async evaluate(batch: Batch): Promise<Metrics> {
    const { data } = batch.x!;
    const mean = (f: (v: number) => number): number => [...data].reduce((n, v) => n + f(v), 0) / data.length;
    return { loss: mean(v => v), both: [mean(v => v), mean(v => v * v)] };
  }

  async save() {
    return new Map([['w', f32([1], () => this.loss(this.steps - 1))]]);
  }

  async load(): Promise<void> {}
  dispose(): void {}
}

const columns = (tensors: Tensors) => new Map([...tensors].map(([name, value]) => [name, stored(value)]));

const rowsOf = (n: number) =>
  makeDataset(
    't',
    [{ name: 'x', type: tensor('f32', [D.symbol('N')]) }],
    columns(new Map([['x', f32([n], i => i)]])),
    'f',
  );

function observer(due: (step: number) => boolean = () => false) {
  const steps: Measured[] = [];
  const epochs: (Measured | undefined)[] = [];
  const checkpoints: Position[] = [];
  const interrupts: Position[] = [];
  return {
    steps,
    epochs,
    checkpoints,
    interrupts,
    step: (m: Measured) => void steps.push(m),
    evaluating: () => {},
    epoch: (_: number, m: Measured | undefined) => epochs.push(m) < 0,
    due: ({ step }: Position) => due(step),
    checkpoint: (_: unknown, position: Position) => void checkpoints.push(position),
    interrupt: (_: unknown, position: Position) => void interrupts.push(position),
  };
}

describe('the training loop', () => {
  const options = { data: rowsOf(10), batch: 2, steps: 12, shuffle: true, seed: 3, keepLast: false };

  it('keeps a few steps in flight and reports in order', async () => {
    const trainer = new Fake();
    const seen = observer();
    await runTraining(trainer, { ...options, validation: rowsOf(3) }, seen);
    expect(seen.steps.map(s => s.metrics.loss)).toEqual(Array.from({ length: 12 }, (_, i) => i));
    expect(seen.steps.map(s => s.epoch)).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2]);
    expect(trainer.most).toBe(3);
    // Twice a whole epoch, and the part of one before what ends it.
    expect(seen.checkpoints).toEqual([
      { step: 5, epoch: 1, batches: 0 },
      { step: 10, epoch: 2, batches: 0 },
      { step: 12, epoch: 2, batches: 2 },
    ]);
    expect(seen.epochs.map(m => [m!.step, m!.metrics.loss])).toEqual([
      [4, 1],
      [9, 1],
      [11, 1],
    ]);
  });

  it('weights batches by their size, partial ones included', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 9 }), async (n, batch) => {
        const { loss, both } = (await evaluate(new Fake(), rowsOf(n), { batch, epoch: 0 }))!;
        expect(loss).toBeCloseTo((n - 1) / 2, 9);
        expect((both as number[])[1]).toBeCloseTo(((n - 1) * (2 * n - 1)) / 6, 7);
      }),
    );
  });

  it('stops at a loss that is not finite and saves nothing more', async () => {
    const seen = observer();
    const trainer = new Fake(step => (step === 6 ? Number.POSITIVE_INFINITY : step));
    await expect(runTraining(trainer, options, seen)).rejects.toThrow(
      'the loss of step 6 (epoch 1) is infinite',
    );
    expect(seen.checkpoints).toEqual([{ step: 5, epoch: 1, batches: 0 }]);
    expect(seen.steps.at(-1)!.step).toBe(6);
  });

  it('does not save weights that are not finite', async () => {
    const seen = observer();
    const trainer = new Fake();
    trainer.save = async () => new Map([['w', f32([2], i => (i === 1 ? Number.NaN : 0))]]);
    await expect(runTraining(trainer, options, seen)).rejects.toThrow('w after step 4 is not a number');
    expect(seen.checkpoints).toEqual([]);
  });

  it('makes checkpoints where they are due, when every step before them is reported', async () => {
    const seen = observer(step => step % 2 === 0);
    const reported: number[] = [];
    seen.checkpoint = (_, position) => {
      seen.checkpoints.push(position);
      reported.push(seen.steps.length);
    };
    await runTraining(new Fake(), { ...options, steps: 8 }, seen);
    expect(seen.checkpoints.map(c => [c.step, c.epoch, c.batches])).toEqual([
      [2, 0, 2],
      [4, 0, 4],
      [5, 1, 0],
      [6, 1, 1],
      [8, 1, 3],
    ]);
    expect(reported).toEqual([2, 4, 5, 6, 8]);
  });

  it('goes on from anywhere with the batches and steps that an unbroken run has', async () => {
    const trace = async (from: Position, steps: number): Promise<string[]> => {
      const seen: string[] = [];
      const trainer = new Fake();
      const { step } = trainer;
      trainer.step = async function (this: Fake, batch?: Batch) {
        seen.push(`${this.steps}: ${batch!.x!.data.join()}`);
        return step.call(this);
      } as Fake['step'];
      await runTraining(trainer, { ...options, steps, from }, observer());
      return seen;
    };
    const whole = await trace(beginning, 12);
    expect(whole).toHaveLength(12);
    for (const [step, epoch, batches] of [
      [0, 0, 0],
      [3, 0, 3],
      [5, 0, 5],
      [5, 1, 0],
      [11, 2, 1],
      [12, 2, 2],
    ] as const)
      expect(await trace({ step, epoch, batches }, 12)).toEqual(whole.slice(step));
  });

  it('ends where it is told to, also while it evaluates', async () => {
    // Before each of five batches, then of three of the validation data, for every epoch.
    for (const [asked, position] of [
      [1, { step: 0, epoch: 0, batches: 0 }],
      [3, { step: 2, epoch: 0, batches: 2 }],
      [6, { step: 5, epoch: 0, batches: 5 }],
      [8, { step: 5, epoch: 0, batches: 5 }],
      [9, { step: 5, epoch: 1, batches: 0 }],
      [18, { step: 11, epoch: 2, batches: 1 }],
      [19, { step: 12, epoch: 2, batches: 2 }],
    ] as const) {
      let times = 0;
      const seen = observer();
      const interrupted = () => ++times >= asked;
      const ending = await runTraining(new Fake(), { ...options, validation: rowsOf(6), interrupted }, seen);
      expect(ending).toBe('interrupted');
      expect(seen.interrupts).toEqual([position]);
      expect(seen.checkpoints.at(-1)).toEqual(position);
      expect(seen.steps).toHaveLength(position.step);
    }
  });

  it('passes on what a step throws', async () => {
    const trainer = new Fake();
    trainer.step = () => Promise.reject(new Error('lost'));
    await expect(runTraining(trainer, options, observer())).rejects.toThrow('lost');
  });
});

it('formats times and metrics', () => {
  expect([clock(5), clock(65.4), clock(7265)]).toEqual(['0:05', '1:05', '2:01:05']);
  expect(formatMetrics({ loss: 0.12345, map: [1], tiny: 1e-7, zero: 0 }, 'val ')).toBe(
    'val loss 0.1235  val tiny 1.000e-7  val zero 0.0000',
  );
});
