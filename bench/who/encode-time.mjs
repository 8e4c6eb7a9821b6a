// What a run costs the processor: from the first command that is recorded until the queue has all of them.

/** Watches a device. `times()` gives milliseconds and dispatches of each submission since, `stop()` ends it. */
export function watchEncoding(device) {
  const { createCommandEncoder, queue } = device;
  const { submit } = queue;
  const found = [];
  let [began, dispatches] = [0, 0];
  device.createCommandEncoder = (...args) => {
    began = performance.now();
    dispatches = 0;
    const encoder = createCommandEncoder.apply(device, args);
    const { beginComputePass } = encoder;
    encoder.beginComputePass = (...how) => {
      const pass = beginComputePass.apply(encoder, how);
      const { dispatchWorkgroups } = pass;
      pass.dispatchWorkgroups = (...grid) => {
        dispatches++;
        dispatchWorkgroups.apply(pass, grid);
      };
      return pass;
    };
    return encoder;
  };
  queue.submit = (...args) => {
    submit.apply(queue, args);
    if (dispatches > 0) found.push({ ms: performance.now() - began, dispatches });
  };
  return {
    times: () => found,
    stop() {
      device.createCommandEncoder = createCommandEncoder;
      queue.submit = submit;
    },
  };
}
