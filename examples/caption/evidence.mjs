import { captioned, sentence } from '../data/captions.mjs';
import { load, save, sheet } from '../scripts/kit.mjs';

const file = 'examples/caption/caption.dnn';

export const about = {
  title:
    'Image captioning with attention (Xu et al., 2015): pictures, and where it looks before each of the words “a green cross above a red disc”',
  command:
    'dnnc train caption/caption.dnn learn --data captions.safetensors --batch 32 --epochs 150 --out runs/caption',
};

export async function run({ smoke, seed, out, dnnc, say }) {
  const examples = smoke ? 16 : 64;
  const { x, caption } = captioned(examples, seed);
  const data = save(`${out}/captions.safetensors`, { x, caption });
  const { metrics } = await dnnc(
    ...['train', file, 'learn', '--data', data, '--batch', examples / 2],
    ...['--epochs', smoke ? 50 : 150, '--seed', seed, '--out', `${out}/run`],
  );
  say('captions');
  await dnnc(
    ...['run', file, '--net', 'Caption', '--weights', `${out}/run/weights.safetensors`],
    ...['--inputs', save(`${out}/x.safetensors`, { x }), '--outputs', `${out}/said.safetensors`],
  );
  const { words, looks } = load(`${out}/said.safetensors`);
  const said = (ids, i) => sentence(ids.data.subarray(8 * i, 8 * i + 8));
  const right = Array.from({ length: examples }, (_, i) => i).filter(
    i => said(words, i) === said(caption, i),
  );
  const percent = (value, reach) => ({ value: 100 * value, reach, better: 'higher', unit: '%' });
  return {
    figures: {
      'words, each told the one before': percent(metrics.accuracy, smoke ? 80 : 99),
      'whole captions, said alone': percent(right.length / examples, smoke ? 30 : 95),
    },
    pictures: [
      sheet(
        `${out}/looks.png`,
        [0, 1, 2, 3].map(i => looked(x, looks, i)),
        { columns: 8, scale: 2 },
      ),
    ],
  };
}

/** A picture, then for each of seven words what is looked at of it: the brighter, the more. */
function looked(x, looks, image) {
  const plane = 256;
  const picture = x.data.subarray(image * 3 * plane, (image + 1) * 3 * plane);
  const frames = Array.from({ length: 8 }, (_, k) => {
    if (k === 0) return picture;
    const look = looks.data.subarray((image * 8 + k - 1) * 16, (image * 8 + k) * 16);
    const most = Math.max(...look);
    return picture.map((v, i) => {
      const [row, column] = [Math.floor((i % plane) / 16), i % 16];
      const share = look[4 * Math.floor(row / 4) + Math.floor(column / 4)] / most;
      return v * (0.15 + 0.85 * share);
    });
  });
  return { dtype: 'f32', shape: [8, 3, 16, 16], data: Float32Array.from(frames.flatMap(f => [...f])) };
}
