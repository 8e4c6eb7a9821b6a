import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { averagePrecision } from 'dnnc/vision';
import { boxes } from '../data/boxes.mjs';
import { drawBoxes } from '../scripts/draw-boxes.mjs';
import { detect, proposalsOf, size } from './host.mjs';
import { pictures, train } from './train.mjs';

export const about = {
  title: 'Faster R-CNN (Ren et al., 2015) on shapes: what it found (frames) and what there is (dots)',
  command: 'npm run examples -- --only faster-rcnn',
};

export async function run({ smoke, seed, out, dnnc, say }) {
  const define = ['-D', 'Width=12'];
  await dnnc('compile', 'examples/faster-rcnn/faster-rcnn.dnn', ...define, '--target', 'wasm', '-o', out);
  const { loadDetect } = await import(pathToFileURL(resolve(out, 'faster-rcnn.js')).href);
  const trainer = await loadDetect({ seed });
  await train(trainer, { seed, steps: smoke ? 60 : 600, say });
  const test = [...boxes({ seed: 1000 + seed, count: smoke ? 20 : 100, size })];
  const x = pictures(test);
  const proposed = await proposalsOf(trainer.nets.Proposals, x);
  const found = await detect(trainer.nets, x);
  trainer.dispose();
  const objects = test.map(t => t.objects);
  // Proposals have no class.
  const plain = list => list.map(box => ({ box, kind: 0, score: 0 }));
  const proposals = averagePrecision(
    proposed.map(plain),
    objects.map(list => plain(list.map(o => o.box))),
  );
  const { mean, recall } = averagePrecision(found, objects);
  const path = drawBoxes(
    `${out}/found.png`,
    test.slice(0, 8).map(t => t.x),
    { size, found, objects },
  );
  const figure = (value, reach) => ({ value, reach, better: 'higher', digits: 3 });
  return {
    figures: {
      'recall of 24 proposals': figure(proposals.recall, smoke ? 0.4 : 0.9),
      ...(!smoke && {
        'mAP at IoU 0.5': figure(mean, 0.8),
        recall: figure(recall, 0.85),
      }),
    },
    pictures: [path],
  };
}
