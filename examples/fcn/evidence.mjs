import { drawMasks, segmentation, shapes } from '../scripts/segment.mjs';

const [file, size] = ['examples/fcn/fcn.dnn', 64];

export const about = {
  title:
    'FCN-32s, -16s and -8s (Long et al., 2015) on shapes: the finer the layers that are added, the finer the masks',
  command:
    'dnnc train fcn/fcn.dnn segment8 -D Width=8 -D Size=64 -D Classes=4 -D Rate=1e-3 --data data/shapes.mjs --out runs/fcn',
};

export async function run({ smoke, seed, out, dnnc, say }) {
  const test = shapes({ seed: 1000 + seed, count: 60, size });
  const train = shapes({ seed, count: smoke ? 120 : 500, size });
  const [figures, masks] = [{}, []];
  for (const stride of smoke ? [8] : [32, 16, 8]) {
    say(`FCN-${stride}s`);
    const { said, iou } = await segmentation({
      ...{ dnnc, file, seed, out, train, test, program: `segment${stride}`, net: `FCN${stride}s` },
      define: ['-D', 'Width=4', '-D', `Size=${size}`, '-D', 'Classes=4', '-D', 'Rate=2e-3'],
      ...{ epochs: smoke ? 5 : 12, batch: 8 },
    });
    const reach = smoke ? 0.25 : { 32: 0.3, 16: 0.4, 8: 0.5 }[stride];
    figures[`FCN-${stride}s mean IoU`] = { value: iou, reach, better: 'higher', digits: 3 };
    masks.push(said);
  }
  return { figures, pictures: [drawMasks(`${out}/masks.png`, test, [test.y, ...masks], 5)] };
}
