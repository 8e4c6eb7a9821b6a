import { compare, noise, overTime, realDigits } from '../gan/samples.mjs';
import { load, sheet } from '../scripts/kit.mjs';

const file = 'examples/dcgan/dcgan.dnn';

export const about = {
  title: 'DCGAN (Radford et al., 2015): digits that it makes of the same noise, over time',
  command:
    'dnnc train dcgan/dcgan.dnn dcgan --data pictures.safetensors --out runs/dcgan --report dcgan.html',
};

export async function run(given) {
  const { smoke, seed, out } = given;
  const { train, test } = realDigits(out);
  const [{ real }, { real: heldOut }] = [load(train), load(test)];
  const sizes = { Width: 24, Channels: 1, Start: 2, Doublings: 2 };
  const args = Object.entries(sizes).flatMap(([name, value]) => ['-D', `${name}=${value}`]);
  const epochs = smoke ? [1, 6] : [1, 4, 12, 40];
  const z = noise(300, 100, seed);
  const over = await overTime({ ...given, file, program: 'dcgan', epochs, data: train, z, args });
  const { quality, variety } = compare(over.at(-1).samples, real, heldOut);
  const figure = (value, reach) => ({ value, reach, better: 'lower', digits: 2 });
  const rows = over.map(({ samples: { dtype, data } }) => ({
    dtype,
    shape: [20, 1, 8, 8],
    data: data.slice(0, 64 * 20),
  }));
  return {
    figures: {
      'distance of samples to real digits': figure(quality, smoke ? 2.7 : 1.6),
      'distance of real digits to samples': figure(variety, smoke ? 2.5 : 1.4),
    },
    pictures: [sheet(`${out}/samples.png`, rows, { columns: 20, scale: 2, range: [-1, 1] })],
  };
}
