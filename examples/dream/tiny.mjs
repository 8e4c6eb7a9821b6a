// The small net of dream.dnn, trained on digits.
import { writeSplit } from '../scripts/kit.mjs';

/** Trains it in `out`: the path of its weights, and its accuracy on held-out digits. */
export async function trainTiny({ smoke, seed, out, dnnc }) {
  const { train, test } = writeSplit(`${out}/digits`, { channels: 3, examples: smoke ? 500 : 1437 });
  const { val } = await dnnc(
    ...['train', 'examples/dream/dream.dnn', 'learn', '--data', train, '--val', test],
    ...['--batch', 16, '--epochs', smoke ? 3 : 6, '--seed', seed, '--out', `${out}/tiny`],
  );
  return { weights: `${out}/tiny/weights.safetensors`, accuracy: val.accuracy };
}

/** Pictures brought into 0 to 1. */
export const visible = ({ dtype, shape, data }) => ({
  dtype,
  shape,
  data: data.map(v => Math.max(0, Math.min(1, v))),
});
