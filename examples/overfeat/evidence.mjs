import { averagePrecision, iou, suppress } from 'dnnc/vision';
import { drawBoxes } from '../scripts/draw-boxes.mjs';
import { join } from '../scripts/join.mjs';
import { load, save } from '../scripts/kit.mjs';
import { scenes, size, window, windows } from './data.mjs';

const file = 'examples/overfeat/overfeat.dnn';
const classes = 3;
/** Pixels from one output of the net to the next. */
const stride = 8;

export const about = {
  title: 'OverFeat (Sermanet et al., 2013) on shapes: trained on windows, shown whole pictures',
  command: 'dnnc train overfeat/overfeat.dnn detect --data overfeat/data.mjs --out runs/overfeat',
};

export async function run({ smoke, seed, out, dnnc }) {
  const square = [3, window, window];
  const shapes = { x: square, 'y:i32': [], box: [4] };
  const train = [...windows({ seed, count: smoke ? 800 : 2400 })];
  const data = save(`${out}/train.safetensors`, join(train, shapes));
  const define = ['-D', 'Width=12'];
  await dnnc(
    ...['train', file, 'detect', ...define, '--data', data, '--batch', 32, '--epochs', smoke ? 3 : 12],
    ...['--seed', seed, '--out', `${out}/run`],
  );
  const said = async (name, x) => {
    const [inputs, outputs] = [save(`${out}/${name}.safetensors`, { x }), `${out}/${name}-y.safetensors`];
    await dnnc(
      ...['run', file, '--net', 'OverFeat', ...define, '--inputs', inputs, '--outputs', outputs],
      ...['--weights', `${out}/run/weights.safetensors`],
    );
    return load(outputs);
  };

  // Windows: the class, and the box of what is there.
  const held = [...windows({ seed: 1000 + seed, count: 200 })];
  const { scores, boxes } = await said('windows', join(held, { x: square }).x);
  const kinds = held.map((_, i) => best(at => scores.data[i * (classes + 1) + at]).kind);
  const right = held.filter(({ y }, i) => kinds[i] === y).length / held.length;
  const overlaps = held.flatMap(({ y, box }, i) =>
    y > 0 ? [iou(box, boxes.data.subarray(4 * i, 4 * i + 4))] : [],
  );

  // Whole pictures: every window of them at once.
  const pictures = [...scenes({ seed: 2000 + seed, count: smoke ? 20 : 100 })];
  const maps = await said('pictures', join(pictures, { x: [3, size, size] }).x);
  const found = pictures.map((_, i) => detections(maps, i));
  const objects = pictures.map(p => p.objects);
  const { mean, recall } = averagePrecision(found, objects);
  const path = drawBoxes(
    `${out}/found.png`,
    pictures.slice(0, 4).map(p => p.x),
    { size, objects, found: found.map(list => list.filter(d => d.score > 0.5)) },
  );
  const figure = (value, reach) => ({ value, reach, better: 'higher', digits: 3 });
  return {
    figures: {
      'windows right': figure(right, smoke ? 0.5 : 0.9),
      ...(!smoke && {
        'mean IoU of their boxes': figure(overlaps.reduce((a, b) => a + b) / overlaps.length, 0.55),
        'pictures: mAP at IoU 0.5': figure(mean, 0.6),
        'pictures: recall': figure(recall, 0.75),
      }),
    },
    pictures: [path],
  };
}

/** The class with the highest of some scores, ground among them, and its probability. */
function best(scoreOf) {
  const scores = Array.from({ length: classes + 1 }, (_, c) => scoreOf(c));
  const top = Math.max(...scores);
  const total = scores.reduce((sum, v) => sum + Math.exp(v - top), 0);
  return { kind: scores.indexOf(top), score: 1 / total };
}

/** What the windows of picture i show, without doubles. */
function detections({ scores, boxes }, i) {
  const [, , rows, columns] = scores.shape;
  const plane = rows * columns;
  const all = [];
  for (let at = 0; at < plane; at++) {
    const { kind, score } = best(c => scores.data[(i * (classes + 1) + c) * plane + at]);
    if (kind === 0) continue;
    const corner = [(at % columns) * stride, Math.floor(at / columns) * stride];
    const box = [0, 1, 2, 3].map(k => corner[k % 2] + window * boxes.data[(4 * i + k) * plane + at]);
    all.push({ kind: kind - 1, score, box });
  }
  const kept = suppress(
    all.map(d => d.box),
    all.map(d => d.score),
    { overlap: 0.3 },
  );
  return kept.map(k => all[k]);
}
