import { load, save, sheet } from '../scripts/kit.mjs';
import { compare, noise, overTime, realDigits } from './samples.mjs';

const file = 'examples/gan/gan.dnn';

export const about = {
  title:
    'Generative adversarial nets by least squares (Mao et al., 2016), Wasserstein with gradient penalty (Gulrajani et al., 2017) and BEGAN (Berthelot et al., 2017): digits of the first over time, then of the second; CycleGAN (Zhu et al., 2017): digits, their negatives and back',
  command: 'dnnc train gan/gan.dnn wasserstein --data digits.safetensors --epochs 60 --out runs/wasserstein',
};

export async function run(given) {
  const { smoke, seed, out } = given;
  const { train, test } = realDigits(out);
  const [{ real }, { real: heldOut }] = [load(train), load(test)];
  const z = noise(300, 16, seed);
  const play = (program, epochs) => overTime({ ...given, file, program, epochs, data: train, z });
  const figures = {};
  const judge = (name, samples, [quality, variety]) => {
    const found = compare(samples, real, heldOut);
    const figure = (value, reach) => ({ value, reach, better: 'lower', digits: 2 });
    figures[`${name}: distance of samples to real digits`] = figure(found.quality, quality);
    figures[`${name}: distance of real digits to samples`] = figure(found.variety, variety);
  };
  const squares = await play('least_squares', smoke ? [1, 6] : [1, 4, 12, 40]);
  judge('least squares', squares.at(-1).samples, smoke ? [2.2, 2.1] : [1.45, 1.4]);
  const rows = squares.map(s => first(s.samples, 12));
  if (!smoke) {
    const [{ samples }] = await play('wasserstein', [40]);
    judge('Wasserstein', samples, [1.9, 1.8]);
    rows.push(first(samples, 12));
    // Its game comes to rest where made pictures are copied half as badly as real ones; 0.09 at first.
    const [{ metrics }] = await play('began', [40]);
    figures['BEGAN: distance from its balance'] = {
      value: metrics['game.balance'],
      reach: 0.03,
      better: 'lower',
      digits: 3,
    };
  }
  if (!smoke) {
    const { seen, there, back, cycle } = await translate(given, real, heldOut);
    figures['CycleGAN: error after there and back'] = {
      value: cycle / 2,
      reach: 0.15,
      better: 'lower',
      digits: 3,
    };
    figures['CycleGAN: distance from the negative'] = {
      value: apart(there, negative(seen)),
      reach: 0.25,
      better: 'lower',
      digits: 3,
    };
    rows.push(...[seen, there, back].map(pictures => first(pictures, 12)));
  }
  return {
    figures,
    pictures: [sheet(`${out}/samples.png`, rows, { columns: 12, scale: 2, range: [-1, 1] })],
  };
}

/** Of half of the digits it sees the negatives, of the other half the digits. */
async function translate({ seed, out, dnnc, say }, { data }, seen) {
  const [half, file] = [700, 'examples/gan/cycle.dnn'];
  const part = from => ({
    dtype: 'f32',
    shape: [half, 1, 8, 8],
    data: data.slice(from * 64, (from + half) * 64),
  });
  const both = save(`${out}/ab.safetensors`, { a: part(0), b: negative(part(half)) });
  say('cycle');
  const { metrics } = await dnnc(
    ...['train', file, 'cycle', '--data', both, '--epochs', 30, '--seed', seed, '--out', `${out}/cycle`],
  );
  await dnnc(
    ...['run', file, '--net', 'Cycle', '--weights', `${out}/cycle/weights.safetensors`],
    ...['--inputs', save(`${out}/seen.safetensors`, { x: seen }), '--outputs', `${out}/there.safetensors`],
  );
  return { seen, ...load(`${out}/there.safetensors`), cycle: metrics['translators.cycle'] };
}

const negative = tensor => ({ ...tensor, data: tensor.data.map(v => -v) });

const apart = (a, b) => a.data.reduce((sum, v, i) => sum + Math.abs(v - b.data[i]), 0) / a.data.length;

const first = ({ dtype, data }, n) => ({ dtype, shape: [n, 1, 8, 8], data: data.slice(0, 64 * n) });
