import { scene } from '../data/scene.mjs';
import { trainTiny, visible } from '../dream/tiny.mjs';
import { load, save, sheet } from '../scripts/kit.mjs';

const file = 'examples/style/tiny.dnn';

export const about = {
  title:
    'Style transfer (Gatys et al., 2015): content, style, and the one in the style of the other, by a net that was trained on digits',
  command:
    'dnnc train style/tiny.dnn stylize --data pictures.safetensors --weights runs/tiny/weights.safetensors --batch 1 --steps 150 --out runs/style',
};

export async function run(given) {
  const { smoke, seed, out, dnnc, say } = given;
  const { weights } = await trainTiny(given);
  say('style');
  const size = smoke ? 32 : 64;
  const [content, style] = [scene(size), waves(size)];
  const data = save(`${out}/pictures.safetensors`, { content, style });
  const stylize = async steps => {
    const { metrics } = await dnnc(
      ...['train', file, 'stylize', '--data', data, '--weights', weights, '--batch', 1],
      ...['--steps', steps, '--seed', seed, '--out', `${out}/style-${steps}`],
    );
    return { metrics, image: load(`${out}/style-${steps}/weights.safetensors`)['stylize.image'] };
  };
  const first = await stylize(1);
  const last = await stylize(smoke ? 20 : 150);
  const distance = Math.sqrt(
    content.data.reduce((sum, v, i) => sum + (v - last.image.data[i]) ** 2, 0) / content.data.length,
  );
  const fall = name => last.metrics[name] / first.metrics[name];
  return {
    figures: {
      'loss, after against before': {
        value: fall('loss'),
        reach: smoke ? 0.6 : 0.2,
        better: 'lower',
        digits: 3,
      },
      'style loss, after against before': {
        value: fall('style_loss'),
        reach: smoke ? 0.6 : 0.2,
        better: 'lower',
        digits: 3,
      },
      'root mean square distance from the content': {
        value: distance,
        reach: 0.4,
        better: 'lower',
        digits: 3,
      },
    },
    pictures: [
      sheet(`${out}/style.png`, [content, style, visible(last.image)].reduce(beside), { columns: 3 }),
    ],
  };
}

/** A style to take: blue and gold waves. */
function waves(size) {
  const plane = size * size;
  const value = (_, i) => {
    const [c, y, x] = [Math.floor(i / plane), Math.floor(i / size) % size, i % size];
    const wave = 0.5 + 0.5 * Math.sin(0.7 * y + 3 * Math.sin(0.15 * x));
    return [0.1 + 0.85 * wave, 0.2 + 0.55 * wave, 0.6 - 0.45 * wave][c];
  };
  return { dtype: 'f32', shape: [1, 3, size, size], data: Float32Array.from({ length: 3 * plane }, value) };
}

const beside = (a, b) => ({
  ...a,
  shape: [a.shape[0] + b.shape[0], ...a.shape.slice(1)],
  data: Float32Array.from([...a.data, ...b.data]),
});
