import { drawMasks, segmentation, shapes } from '../scripts/segment.mjs';

const [file, size] = ['examples/unet/unet.dnn', 32];

export const about = {
  title: 'U-Net (Ronneberger et al., 2015) on shapes: pictures, their classes, what the net says',
  command:
    'dnnc train unet/unet.dnn segment -D Channels=3 -D Width=8 -D Size=64 -D Pad=1 -D Classes=4 --data data/shapes.mjs --out runs/unet',
};

export async function run({ smoke, seed, out, dnnc }) {
  const test = shapes({ seed: 1000 + seed, count: 60, size });
  const { said, iou } = await segmentation({
    ...{ dnnc, file, seed, out, test, program: 'segment', net: 'UNet' },
    define: ['-D', 'Width=8', '-D', `Size=${size}`, '-D', 'Pad=1', '-D', 'Channels=3', '-D', 'Classes=4'],
    train: shapes({ seed, count: smoke ? 160 : 800, size }),
    ...{ epochs: smoke ? 5 : 10, batch: 8 },
  });
  return {
    figures: { 'mean IoU': { value: iou, reach: smoke ? 0.25 : 0.7, better: 'higher', digits: 3 } },
    pictures: [drawMasks(`${out}/masks.png`, test, [test.y, said])],
  };
}
