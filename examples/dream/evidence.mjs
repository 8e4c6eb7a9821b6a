import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { scene } from '../data/scene.mjs';
import { load, save, sheet } from '../scripts/kit.mjs';
import { onnxWeights } from '../scripts/onnx-weights.mjs';
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
  const figures = {
    'accuracy of the net': { value: 100 * accuracy, reach: smoke ? 20 : 92, better: 'higher', unit: '%' },
    'what its layer sees, after against before': rise(first, last, smoke ? 1.5 : 2),
  };
  const pictures = [sheet(`${out}/dream.png`, [content, visible(last.image)].reduce(beside), { columns: 2 })];
  if (!smoke && hasSqueezeNet()) {
    say('dream of photographs');
    const large = scene(72);
    const data = save(`${out}/large.safetensors`, { content: large });
    const dreamed = async steps => {
      const { metrics } = await dnnc(
        ...['train', 'examples/dream/squeeze.dnn', 'dream', '--data', data, '--batch', 1],
        ...['--steps', steps, '--seed', seed, '--out', `${out}/squeeze-${steps}`],
      );
      return { metrics, image: load(`${out}/squeeze-${steps}/weights.safetensors`)['dream.image'] };
    };
    const [before, after] = [await dreamed(1), await dreamed(40)];
    figures['the same of SqueezeNet'] = rise(before, after, 1.5);
    pictures.push(sheet(`${out}/squeeze.png`, visible(after.image)));
  }
  return { figures, pictures };
}

const rise = (before, after, reach) => ({
  value: after.metrics.seen / before.metrics.seen,
  reach,
  better: 'higher',
  digits: 2,
});

/** Whether SqueezeNet's published weights are here, or can be made of the model in the folder DNNC_MODELS. */
function hasSqueezeNet() {
  const weights = 'examples/squeezenet/squeezenet1_1.safetensors';
  const model = join(process.env.DNNC_MODELS ?? 'examples/models', 'squeezenet1_1_fp32.onnx');
  if (!existsSync(weights) && existsSync(model)) save(weights, onnxWeights(readFileSync(model)));
  return existsSync(weights);
}

const beside = (a, b) => ({
  ...a,
  shape: [2, ...a.shape.slice(1)],
  data: Float32Array.from([...a.data, ...b.data]),
});
