import { copyFileSync } from 'node:fs';
import { digits, save } from '../scripts/kit.mjs';

const file = 'examples/spp/spp.dnn';

export const about = {
  title: 'Spatial pyramid pooling (He et al., 2014): trained on digits of two sizes, tested on a third',
  command: 'dnnc train spp/spp.dnn digits --data digits-24.safetensors --out runs/spp',
};

export async function run({ smoke, seed, out, dnnc, say }) {
  const data = (name, size, options) =>
    save(`${out}/${name}-${size}.safetensors`, digits({ size, ...options }));
  const weights = `${out}/weights.safetensors`;
  const sizes = smoke ? [24, 32] : [24, 32, 24, 32];
  for (const [turn, size] of sizes.entries()) {
    say(`${size} × ${size}`);
    await dnnc(
      ...['train', file, 'digits', '--data', data('train', size, { examples: smoke ? 400 : 1437 })],
      ...['--epochs', smoke ? 3 : 4, '--seed', seed + 10 * turn, '--out', `${out}/turn-${turn}`],
      ...(turn > 0 ? ['--weights', weights] : []),
    );
    copyFileSync(`${out}/turn-${turn}/weights.safetensors`, weights);
  }
  const figures = {};
  for (const size of [24, 32, 40]) {
    const held = data('test', size, { first: 1437, examples: 360 });
    const { metrics } = await dnnc('eval', file, 'digits', '--data', held, '--weights', weights);
    const reach = smoke ? 70 : size === 40 ? 90 : 95;
    const value = 100 * metrics.accuracy;
    figures[`accuracy at ${size} × ${size}`] = { value, reach, better: 'higher', unit: '%' };
  }
  return { figures, pictures: [] };
}
