// What an app does, the same in Node and in a page: trains LeNet for ten steps and predicts, before and after.

const batch = 16;

/** Pictures of ten classes: a bright bar whose place tells the class, over a fixed pattern. */
function pictures(first) {
  const x = new Uint8Array(batch * 784);
  const y = new Int32Array(batch);
  for (let i = 0; i < batch; i++) {
    y[i] = (first + 3 * i) % 10;
    for (let at = 0; at < 784; at++) {
      const bar = Math.floor((at % 28) / 2.8) === y[i];
      x[i * 784 + at] = (bar ? 160 : 20) + ((at * 7 + i * 13 + first) % 64);
    }
  }
  return { x, y };
}

/** @param options of the training program and of the net: a page may leave the device to the module. */
export async function work({ loadLeNet, loadMnist }, training, inference) {
  const trainer = await loadMnist({ seed: 1, ...training });
  const images = Float32Array.from(pictures(0).x, v => v / 255);
  const weights = await trainer.save();
  const net = await loadLeNet({ weights, extra: true, ...inference });
  const before = await net.predict({ data: images, shape: [batch, 1, 28, 28] });
  const steps = [];
  for (let i = 0; i < 10; i++) steps.push(await trainer.step(pictures(i), { epoch: i >> 1 }));
  await net.load(await trainer.save(), { extra: true });
  const after = await net.predict(images);
  const evaluated = await trainer.evaluate(pictures(0));
  const result = {
    shape: before.shape,
    before: [...before.data],
    losses: steps.map(s => s.loss),
    accuracies: steps.map(s => s.accuracy),
    after: [...after.data],
    evaluated: [evaluated.loss, evaluated.accuracy],
  };
  trainer.dispose();
  net.dispose();
  return result;
}
