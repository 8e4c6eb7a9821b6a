// Trains Faster R-CNN with the generated module: the proposals of each batch, as the network makes them by then, are what
// the detector learns from. `npm run examples -- --only faster-rcnn` runs it.
import { boxes } from '../data/boxes.mjs';
import { randomNumbers } from '../data/shapes.mjs';
import { anchorTargets, proposalsOf, regionTargets, size } from './host.mjs';

/** Pictures of some examples as one tensor. */
export function pictures(examples) {
  const data = new Float32Array(examples.length * 3 * size * size);
  examples.forEach(({ x }, i) => {
    data.set(x, i * x.length);
  });
  return { data, shape: [examples.length, 3, size, size] };
}

/** `trainer` is what `loadDetect` of the generated module gives; `say` hears of the losses. */
export async function train(trainer, { seed, steps, batch = 8, count = 600, say = () => {} }) {
  const random = randomNumbers(seed + 1);
  const examples = [...boxes({ seed, count, size })];
  for (let step = 0; step < steps; step++) {
    const chosen = Array.from({ length: batch }, () => examples[Math.floor(random() * count)]);
    const x = pictures(chosen);
    const proposed = await proposalsOf(trainer.nets.Proposals, x);
    const targets = chosen.map(({ objects }, i) => ({
      ...anchorTargets(objects, random),
      ...regionTargets(proposed[i], objects, random),
    }));
    const joined = name => {
      const parts = targets.map(t => t[name]);
      const all = new parts[0].constructor(parts.length * parts[0].length);
      parts.forEach((part, i) => {
        all.set(part, i * part.length);
      });
      return all;
    };
    const names = ['object', 'to_object', 'regions', 'kind', 'to_box'];
    const fed = Object.fromEntries(names.map(name => [name, joined(name)]));
    const losses = await trainer.step({ x, ...fed });
    if (step % 20 === 19) say(`step ${step + 1} of ${steps}, loss ${losses.loss.toFixed(3)}`);
  }
}
