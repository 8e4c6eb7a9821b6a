import { readFileSync } from 'node:fs';
import { asFloats, digits, load, save, sheet } from '../scripts/kit.mjs';

const file = 'examples/custom/custom.dnn';

export const about = {
  title:
    'Functions, operations and layers of one’s own; pictures, what an attack adds, and pictures that mislead the net',
  command:
    'dnnc train custom/custom.dnn attack --data pictures.safetensors --weights runs/fit/weights.safetensors --out runs/attack',
};

/** Digits 0 to 4, 8 × 8 in three channels: what the net of the example takes. */
function five({ x, y }) {
  const kept = [...y.data.keys()].filter(i => y.data[i] < 5);
  const size = 3 * 64;
  const data = new Uint8Array(kept.length * size);
  kept.forEach((from, to) => {
    data.set(x.data.subarray(from * size, (from + 1) * size), to * size);
  });
  return {
    x: asFloats({ shape: [kept.length, 3, 8, 8], data }),
    y: { dtype: 'i32', shape: [kept.length], data: Int32Array.from(kept, i => y.data[i]) },
  };
}

export async function run({ smoke, seed, out, dnnc }) {
  const train = save(
    `${out}/train.safetensors`,
    five(digits({ size: 8, channels: 3, examples: smoke ? 600 : 1437 })),
  );
  const seen = five(digits({ size: 8, channels: 3, first: 1437, examples: 360 }));
  const count = seen.y.shape[0];
  const test = save(`${out}/test.safetensors`, seen);
  const fit = ['--data', train, '--epochs', smoke ? 3 : 30, '--seed', seed, '--out', `${out}/fit`];
  await dnnc('train', file, 'fit', ...fit);
  // The attack's own parameter: nothing is added at first.
  const weights = load(`${out}/fit/weights.safetensors`);
  weights['attack.delta'] = { dtype: 'f32', shape: seen.x.shape, data: new Float32Array(count * 192) };
  const start = save(`${out}/start.safetensors`, weights);
  await dnnc(
    ...['train', file, 'attack', '--data', test, '--batch', count, '--steps', 10, '--no-shuffle'],
    ...['--weights', start, '--seed', seed, '--out', `${out}/attack`],
  );
  const harm = readFileSync(`${out}/attack/metrics.jsonl`, 'utf8')
    .trim()
    .split('\n')
    .map(line => -JSON.parse(line).loss);
  const { data } = load(`${out}/attack/weights.safetensors`)['attack.delta'];
  const delta = Float32Array.from(data, v => Math.max(-0.1, Math.min(0.1, v)));
  const attacked = seen.x.data.map((v, i) => v + delta[i]);
  const accuracy = async (name, pictures) => {
    const inputs = save(`${out}/${name}.safetensors`, { x: { ...seen.x, data: pictures } });
    const outputs = `${out}/${name}-out.safetensors`;
    await dnnc(
      ...['run', file, '--net', 'Toy', '--weights', `${out}/fit/weights.safetensors`],
      ...['--inputs', inputs, '--outputs', outputs],
    );
    const { y } = load(outputs);
    const right = [...seen.y.data].filter((label, i) => {
      const row = y.data.subarray(5 * i, 5 * i + 5);
      return row.indexOf(Math.max(...row)) === label;
    });
    return (100 * right.length) / count;
  };
  const rows = [seen.x.data, delta.map(v => 0.5 + 5 * v), attacked].map(values => ({
    shape: [10, 3, 8, 8],
    dtype: 'f32',
    data: values.slice(0, 10 * 192),
  }));
  return {
    figures: {
      accuracy: {
        value: await accuracy('clean', seen.x.data),
        reach: smoke ? 80 : 92,
        better: 'higher',
        unit: '%',
      },
      'accuracy under attack': {
        value: await accuracy('attacked', attacked),
        ...{ reach: smoke ? 60 : 70, better: 'lower', unit: '%' },
      },
      'loss, times': { value: harm.at(-1) / harm[0], reach: 2, better: 'higher', digits: 1 },
    },
    pictures: [sheet(`${out}/attack.png`, rows, { columns: 10, scale: 4, range: [0, 1] })],
  };
}
