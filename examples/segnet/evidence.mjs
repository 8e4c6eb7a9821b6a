import { drawMasks, segmentation, shapes } from '../scripts/segment.mjs';

const [file, size] = ['examples/segnet/segnet.dnn', 32];

export const about = {
  title: 'SegNet (Badrinarayanan et al., 2015) on shapes: pictures, their classes, what the net says',
  command:
    'dnnc train segnet/segnet.dnn segment -D Width=8 -D Size=64 -D Classes=4 --data data/shapes.mjs --out runs/segnet',
};

export async function run({ smoke, seed, out, dnnc }) {
  const test = shapes({ seed: 1000 + seed, count: 60, size });
  const { said, iou } = await segmentation({
    ...{ dnnc, file, seed, out, test, program: 'segment', net: 'SegNet' },
    define: ['-D', `Width=${smoke ? 4 : 8}`, '-D', `Size=${size}`, '-D', 'Classes=4', '-D', 'Rate=0.02'],
    train: shapes({ seed, count: smoke ? 160 : 800, size }),
    ...{ epochs: smoke ? 6 : 10, batch: 16 },
  });
  return {
    figures: { 'mean IoU': { value: iou, reach: smoke ? 0.25 : 0.6, better: 'higher', digits: 3 } },
    pictures: [drawMasks(`${out}/masks.png`, test, [test.y, said])],
  };
}
