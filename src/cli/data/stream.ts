import { threefry2x32 } from '../../ir/scalar.ts';
import { fail, unusableData } from '../../support/errors/data.ts';
import { readBytes } from '../files.ts';
import type { TensorSpec } from '../tensors.ts';
import type { Batch } from '../training/trainer.ts';
import { type Column, fitColumns } from './column.ts';
import { Collector, type ModuleSource, told } from './module.ts';

/** How an epoch is fed. */
export interface FeedOrder {
  readonly epoch: number;
  /** Seed of the shuffling; in order where it is absent. */
  readonly shuffle?: number;
  /** Examples of a batch. */
  readonly size: number;
  /** Whether the last batch may be smaller. */
  readonly keepLast: boolean;
  /** Batches of the epoch that have been fed before. */
  readonly skip?: number;
}

export interface Feed {
  readonly examples: number;
  readonly batch: Batch;
}

/** Examples that are known beforehand: to check their types, and for what is shown of them. */
const held = 256;
/** Of so many examples the next is drawn. */
const window = 2048;
/** Sets these numbers apart from those of `permutation`. */
const site = 0x73747265;

/** Examples that a module makes while they are trained on, `source.length` in an epoch. */
export interface Stream {
  /** Columns of which the first rows alone are there. */
  readonly columns: ReadonlyMap<string, Column>;
  readonly held: number;
  feeds(order: FeedOrder): AsyncGenerator<Feed>;
}

export async function openStream(
  path: string,
  source: ModuleSource & { readonly length: number },
  specs: readonly TensorSpec[],
  seed: number,
): Promise<Stream> {
  const { length } = source;
  // Of the first examples it keeps the types, against which later ones are checked.
  const collector = new Collector(path);
  for await (const { example, n } of counted(0, Math.min(held, length))) collector.add(example, n);
  const known = fitColumns(collector.columns(), specs);
  const ready = collector.length;

  /** `most` examples of an epoch; one that has fewer is wrong. */
  async function* counted(epoch: number, most: number): AsyncGenerator<{ example: unknown; n: number }> {
    let n = 0;
    const iterable = await source.examples({ seed, epoch });
    const iterator =
      iterable[Symbol.asyncIterator]?.() ?? (iterable as unknown as Iterable<unknown>)[Symbol.iterator]();
    try {
      for (; n < most; n++) {
        const { value, done } = await told(
          path,
          async () => iterator.next(),
          () => n,
        );
        if (done)
          fail(
            unusableData(
              path,
              `epoch ${epoch} ends after ${n} examples, but the length is ${length}`,
              'export the number of examples as length, or none where they are read to the end',
            ),
          );
        yield { example: value, n };
      }
    } finally {
      await iterator.return?.();
    }
  }

  /** Drawn from a window that moves over the epoch, so that neighbours are not next to each other. */
  async function* drawn(epoch: number, shuffle: number | undefined) {
    const waiting: { example: unknown; n: number }[] = [];
    let draws = 0;
    const draw = () => {
      const at = Math.floor((threefry2x32(shuffle!, epoch, draws++, site) / 2 ** 32) * waiting.length);
      const taken = waiting[at]!;
      const last = waiting.pop()!;
      if (at < waiting.length) waiting[at] = last;
      return taken;
    };
    for await (const next of counted(epoch, length)) {
      if (shuffle === undefined) yield next;
      else if (waiting.push(next) === window) yield draw();
    }
    while (waiting.length > 0) yield draw();
  }

  async function* made({ epoch, shuffle, size, keepLast, skip = 0 }: FeedOrder): AsyncGenerator<Feed> {
    let left = skip * size;
    const feed = (): Feed => {
      const columns = fitColumns(collector.columns(), specs);
      const examples = collector.length;
      const batch = Object.fromEntries(specs.map(({ name }) => [name, columns.get(name)!.take()]));
      collector.clear();
      return { examples, batch };
    };
    collector.clear();
    for await (const { example, n } of drawn(epoch, shuffle)) {
      if (left-- > 0) continue;
      collector.add(example, n);
      if (collector.length === size) yield feed();
    }
    if (keepLast && collector.length > 0) yield feed();
  }

  const text = readBytes(path);
  return {
    held: ready,
    columns: new Map(
      [...known].map(([name, column]) => [
        name,
        {
          ...column,
          shape: [length, ...column.shape.slice(1)],
          // A batch may be larger than what is known; its first examples stand for the others.
          take: rows => column.take(rows && Array.from(rows, row => row % ready)),
          hash: hash => hash.update(text),
        } satisfies Column,
      ]),
    ),
    async *feeds(order) {
      const batches = made(order);
      let next = batches.next();
      try {
        for (;;) {
          const { value, done } = await next;
          if (done) return;
          // The next batch is made while the device computes this one.
          next = batches.next();
          next.catch(() => {});
          yield value;
        }
      } finally {
        await batches.return(undefined);
      }
    },
  };
}
