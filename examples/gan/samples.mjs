// How good made digits are, and what trainings of games of nets have in common.
import { asFloats, load, save, writeSplit } from '../scripts/kit.mjs';

/** 8x8 digits from -1 to 1, as `real`. */
export const realDigits = out =>
  writeSplit(out, { size: 8, as: ({ x }) => ({ real: asFloats(x, 2 / 255, -1) }) });

/** The same noise for every look at the generator. */
export function noise(n, size, seed) {
  let state = (seed + 1) >>> 0;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
  return { dtype: 'f32', shape: [n, size], data: Float32Array.from({ length: n * size }, normal) };
}

/** Trains until each of some epochs, and gives what the generator makes there of the same noise. */
export async function overTime({ file, program, epochs, data, z, args = [], seed, out, dnnc, say }) {
  const folder = `${out}/${program}`;
  const inputs = save(`${out}/z.safetensors`, { z });
  const made = [];
  for (const [i, until] of epochs.entries()) {
    say?.(`${program}, epoch ${until}`);
    const how = i === 0 ? ['--seed', seed, '--out', folder] : ['--resume', folder];
    const { metrics } = await dnnc(
      'train',
      file,
      program,
      ...args,
      '--data',
      data,
      '--epochs',
      until,
      ...how,
    );
    await dnnc(
      ...['run', file, '--net', 'G', ...args, '--weights', `${folder}/weights.safetensors`],
      ...['--inputs', inputs, '--outputs', `${out}/made.safetensors`],
    );
    made.push({ metrics, samples: load(`${out}/made.safetensors`).out });
  }
  return made;
}

/**
 * How far samples are from the nearest real digit (`quality`), and held-out digits from the nearest sample (`variety`),
 * both as multiples of how far held-out digits are from as many real ones. Noise, and one digit again and again, are
 * far off.
 */
export function compare(samples, real, heldOut) {
  const few = {
    shape: [samples.shape[0], ...real.shape.slice(1)],
    data: real.data.subarray(0, samples.data.length),
  };
  const usual = nearest(heldOut, few);
  return {
    quality: nearest(samples, real) / nearest(heldOut, real),
    variety: nearest(heldOut, samples) / usual,
  };
}

/** The mean distance from each of `from` to the nearest of `to`. */
function nearest(from, to) {
  const [n, m] = [from.shape[0], to.shape[0]];
  const size = from.data.length / n;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    let least = Infinity;
    for (let j = 0; j < m; j++) {
      let distance = 0;
      for (let k = 0; k < size && distance < least; k++)
        distance += (from.data[i * size + k] - to.data[j * size + k]) ** 2;
      least = Math.min(least, distance);
    }
    sum += Math.sqrt(least);
  }
  return sum / n;
}
