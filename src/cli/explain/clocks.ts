/** Runs what it is given one after the other and finds the milliseconds of each. */
export interface Clock {
  /** How times are found, for people. */
  readonly name: string;
  time(runs: readonly (() => Promise<unknown>)[]): Promise<number[]>;
}

/** In WebAssembly a call has done its work when it returns. */
export const whileCalled: Clock = {
  name: 'a call for each dispatch',
  async time(runs) {
    const times: number[] = [];
    for (const run of runs) {
      const began = performance.now();
      const done = run();
      times.push(performance.now() - began);
      await done;
    }
    return times;
  },
};

/** From the submission to the moment at which the processor hears that it is done. */
export const untilDone: Clock = {
  name: 'a submission for each dispatch, since the adapter has no timestamp-query',
  async time(runs) {
    const times: number[] = [];
    for (const run of runs) {
      const began = performance.now();
      await run();
      times.push(performance.now() - began);
    }
    return times;
  },
};

/** The adapter's own clock, at the beginning and the end of the pass of each run. */
export const timestamps = (device: GPUDevice): Clock => ({
  name: 'timestamps of the adapter',
  async time(runs) {
    const times: number[] = [];
    for (let at = 0; at < runs.length; at += most)
      times.push(...(await stamped(device, runs.slice(at, at + most))));
    return times;
  },
});

export const clockOf = (device: GPUDevice): Clock =>
  device.features.has('timestamp-query') ? timestamps(device) : untilDone;

/** Passes between two readings: a query set has at most 4096 places. */
const most = 1024;
/** As in the specification; Node does not have their names. */
const usage = { mapRead: 0x1, source: 0x4, target: 0x8, resolve: 0x200 };

async function stamped(device: GPUDevice, runs: readonly (() => Promise<unknown>)[]): Promise<number[]> {
  const bytes = 16 * runs.length;
  const querySet = device.createQuerySet({ type: 'timestamp', count: 2 * runs.length });
  const resolved = device.createBuffer({ size: bytes, usage: usage.resolve | usage.source });
  const read = device.createBuffer({ size: bytes, usage: usage.target | usage.mapRead });
  const original = device.createCommandEncoder;
  let passes = 0;
  // The runtime records one pass for each run.
  device.createCommandEncoder = descriptor => {
    const encoder = original.call(device, descriptor);
    return {
      beginComputePass() {
        const at = 2 * passes++;
        return encoder.beginComputePass({
          timestampWrites: { querySet, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 },
        });
      },
      finish: () => encoder.finish(),
    } as GPUCommandEncoder;
  };
  try {
    await Promise.all(runs.map(run => run()));
  } finally {
    device.createCommandEncoder = original;
  }
  try {
    const encoder = device.createCommandEncoder();
    encoder.resolveQuerySet(querySet, 0, 2 * runs.length, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, read, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await read.mapAsync(usage.mapRead);
    const stamps = new BigUint64Array(read.getMappedRange());
    return runs.map((_, i) => Number(stamps[2 * i + 1]! - stamps[2 * i]!) / 1e6);
  } finally {
    for (const buffer of [resolved, read]) buffer.destroy();
    querySet.destroy();
  }
}
