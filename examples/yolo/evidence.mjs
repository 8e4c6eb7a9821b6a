import { averagePrecision, cellDetections } from 'dnnc/vision';
import { drawBoxes } from '../scripts/draw-boxes.mjs';
import { join } from '../scripts/join.mjs';
import { load, save } from '../scripts/kit.mjs';
import { examples, grid, scenes, size, unit } from './data.mjs';

export const about = {
  title: 'YOLO (Redmon et al., 2015) on shapes: what it found (frames) and what there is (dots)',
  command:
    'dnnc train yolo/yolo.dnn detect -D S=4 -D Halvings=4 -D Classes=3 -D Epochs=10 --data yolo/data.mjs --out runs/yolo',
};

export async function run({ smoke, seed, out, dnnc }) {
  const [file, S] = ['examples/yolo/yolo.dnn', grid.cells];
  const epochs = smoke ? 4 : 10;
  const define = [
    '-D',
    `S=${S}`,
    '-D',
    'Halvings=4',
    '-D',
    'Classes=3',
    '-D',
    'Width=8',
    '-D',
    `Epochs=${epochs}`,
  ];
  const data = join([...examples({ seed, count: smoke ? 200 : 1500 })], {
    x: [3, size, size],
    obj: [S, S],
    box: [S, S, 4],
    cls: [S, S, grid.classes],
  });
  await dnnc(
    ...['train', file, 'detect', ...define, '--data', save(`${out}/train.safetensors`, data)],
    ...['--batch', 16, '--epochs', epochs, '--seed', seed, '--out', `${out}/run`],
  );
  const test = [...scenes({ seed: 1000 + seed, count: 100 })];
  const inputs = save(`${out}/x.safetensors`, join(test, { x: [3, size, size] }));
  const outputs = `${out}/y.safetensors`;
  await dnnc(
    ...['run', file, '--net', 'Yolo', ...define, '--weights', `${out}/run/weights.safetensors`],
    ...['--inputs', inputs, '--outputs', outputs],
  );
  const said = Object.values(load(outputs))[0].data;
  const width = said.length / test.length;
  const found = test.map((_, i) => cellDetections(said.subarray(i * width, (i + 1) * width), grid));
  const objects = test.map(t => unit(t.objects));
  const { mean, recall } = averagePrecision(found, objects);
  const inPixels = list => list.map(d => ({ ...d, box: d.box.map(v => v * size) }));
  const path = drawBoxes(
    `${out}/found.png`,
    test.slice(0, 8).map(t => t.x),
    {
      ...{ size, objects: objects.map(inPixels) },
      found: found.map(list => inPixels(list.filter(d => d.score > 0.3))),
    },
  );
  return {
    figures: {
      'mAP at IoU 0.5': { value: mean, reach: smoke ? 0.001 : 0.5, better: 'higher', digits: 3 },
      recall: { value: recall, reach: smoke ? 0.01 : 0.7, better: 'higher', digits: 3 },
    },
    pictures: [path],
  };
}
