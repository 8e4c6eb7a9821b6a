import { scene } from '../data/scene.mjs';
import { load, save, sheet } from '../scripts/kit.mjs';
import { trainTiny, visible } from './tiny.mjs';

const file = 'examples/dream/dream.dnn';

export const about = {
  title:
    'Deep dream (Mordvintsev et al., 2015): a picture, and what becomes of it when a net that knows digits wants to see more',
  command:
    'dnnc train dream/dream.dnn dream --data scene.safetensors --weights runs/tiny/weights.safetensors --batch 1 --steps 60 --out runs/dream',
};

export async function run(given) {
  const { smoke, seed, out, dnnc, say } = given;
  const { weights, accuracy } = await trainTiny(given);
  say('dream');
  const content = scene(smoke ? 32 : 80);
  const data = save(`${out}/scene.safetensors`, { content });
  const dream = async steps => {
    const { metrics } = await dnnc(
      ...['train', file, 'dream', '--data', data, '--weights', weights, '--batch', 1],
      ...['--steps', steps, '--seed', seed, '--out', `${out}/dream-${steps}`],
    );
    return { metrics, image: load(`${out}/dream-${steps}/weights.safetensors`)['dream.image'] };
  };
  const first = await dream(1);
  const last = await dream(smoke ? 15 : 80);
  return {
    figures: {
      'accuracy of the net': { value: 100 * accuracy, reach: smoke ? 30 : 95, better: 'higher', unit: '%' },
      'what its layer sees, after against before': {
        value: last.metrics.seen / first.metrics.seen,
        reach: smoke ? 1.5 : 2,
        better: 'higher',
        digits: 2,
      },
    },
    pictures: [sheet(`${out}/dream.png`, [content, visible(last.image)].reduce(beside), { columns: 2 })],
  };
}

const beside = (a, b) => ({
  ...a,
  shape: [2, ...a.shape.slice(1)],
  data: Float32Array.from([...a.data, ...b.data]),
});
