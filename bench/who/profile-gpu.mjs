// Milliseconds of each kernel by timestamps: a pass for each dispatch in place of one for all.
const most = 2048;
// As in the specification; Node does not have their names.
const usage = { mapRead: 0x1, source: 0x4, target: 0x8, resolve: 0x200 };

/** Runs `run` once; kernels by name, the slowest first. Undefined where the device has no timestamps. */
export async function profileGpu(device, run) {
  if (!device.features.has('timestamp-query')) return undefined;
  const names = [];
  const querySet = device.createQuerySet({ type: 'timestamp', count: 2 * most });
  const bytes = 16 * most;
  const resolved = device.createBuffer({ size: bytes, usage: usage.resolve | usage.source });
  const read = device.createBuffer({ size: bytes, usage: usage.target | usage.mapRead });
  const original = device.createCommandEncoder;
  device.createCommandEncoder = (...args) =>
    timed(original.apply(device, args), { names, querySet, resolved, read, bytes });
  try {
    await run();
  } finally {
    device.createCommandEncoder = original;
  }
  await read.mapAsync(usage.mapRead);
  const times = new BigUint64Array(read.getMappedRange());
  const ms = names.map((_, i) => Number(times[2 * i + 1] - times[2 * i]) / 1e6);
  for (const buffer of [resolved, read]) buffer.destroy();
  querySet.destroy();
  return byName(names, ms);
}

/** An encoder whose pass ends after each dispatch and begins again. */
function timed(encoder, { names, querySet, resolved, read, bytes }) {
  const beginComputePass = () => {
    const set = {};
    return {
      setPipeline(pipeline) {
        set.pipeline = pipeline;
      },
      setBindGroup(_, group) {
        set.group = group;
      },
      dispatchWorkgroups(...grid) {
        const at = 2 * names.push(set.pipeline.label) - 2;
        const timestampWrites = { querySet, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 };
        const pass = encoder.beginComputePass(at < 2 * most ? { timestampWrites } : {});
        pass.setPipeline(set.pipeline);
        if (set.group) pass.setBindGroup(0, set.group);
        pass.dispatchWorkgroups(...grid);
        pass.end();
      },
      end() {},
    };
  };
  const finish = () => {
    encoder.resolveQuerySet(querySet, 0, 2 * Math.min(most, names.length), resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, read, 0, bytes);
    return encoder.finish();
  };
  const copyBufferToBuffer = (...args) => encoder.copyBufferToBuffer(...args);
  return { beginComputePass, copyBufferToBuffer, finish };
}

export function byName(names, ms) {
  const found = new Map();
  names.forEach((kernel, i) => {
    const before = found.get(kernel) ?? { kernel, ms: 0, runs: 0 };
    found.set(kernel, { kernel, ms: before.ms + ms[i], runs: before.runs + 1 });
  });
  return [...found.values()].sort((a, b) => b.ms - a.ms);
}
