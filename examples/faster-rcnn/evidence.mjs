import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { averagePrecision } from 'dnnc/vision';
import { boxes } from '../data/boxes.mjs';
import { drawBoxes } from '../scripts/draw-boxes.mjs';
import { detect, size } from './host.mjs';
import { pictures, train } from './train.mjs';

export const about = {
  title: 'Faster R-CNN (Ren et al., 2015) on shapes: what it found (frames) and what there is (dots)',
  command: 'npm run examples -- --only faster-rcnn',
};

export async function run({ smoke, seed, out, dnnc, say }) {
  const define = ['-D', `Width=${smoke ? 8 : 16}`];
  await dnnc('compile', 'examples/faster-rcnn/faster-rcnn.dnn', ...define, '--target', 'wasm', '-o', out);
  const { loadDetect } = await import(pathToFileURL(resolve(out, 'faster-rcnn.js')).href);
  const trainer = await loadDetect({ seed });
  await train(trainer, { seed, steps: smoke ? 60 : 1200, say });
  const test = [...boxes({ seed: 1000 + seed, count: smoke ? 20 : 100, size })];
  const found = await detect(trainer.nets, pictures(test));
  trainer.dispose();
  const objects = test.map(t => t.objects);
  const { mean, recall } = averagePrecision(found, objects);
  const path = drawBoxes(
    `${out}/found.png`,
    test.slice(0, 8).map(t => t.x),
    { size, found, objects },
  );
  return {
    figures: {
      'mAP at IoU 0.5': { value: mean, reach: smoke ? 0.02 : 0.7, better: 'higher', digits: 3 },
      recall: { value: recall, reach: smoke ? 0.1 : 0.8, better: 'higher', digits: 3 },
    },
    pictures: [path],
  };
}
