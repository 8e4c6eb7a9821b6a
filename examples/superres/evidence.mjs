import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWeights } from 'dnnc/runtime';
import { asFloats, load, save, sheet, writeSplit } from '../scripts/kit.mjs';
import { onnxWeights } from '../scripts/onnx-weights.mjs';

const file = 'examples/superres/superres.dnn';

export const about = {
  title:
    'Super resolution, ESPCN (Shi et al., 2016): held-out digits as 4×4 pixels, doubled by bicubic and by the net, and as they are',
  command: 'dnnc run superres/superres.dnn --net SuperRes --inputs small.safetensors --outputs large.png',
};

export async function run({ smoke, seed, out, dnnc }) {
  // Digits of 8x8 are large here, and 4x4 small.
  const sizes = ['-D', 'Scale=2', '-D', 'Size=4'];
  const { train, test } = writeSplit(out, { size: 8, as: ({ x }) => ({ large: asFloats(x) }) });
  const { val } = await dnnc(
    ...['train', file, 'learn', ...sizes, '--data', train, '--val', test],
    ...['--epochs', smoke ? 2 : 15, '--seed', seed, '--out', `${out}/run`],
  );
  const { large } = load(test);
  const some = { ...large, shape: [16, 1, 8, 8], data: large.data.slice(0, 16 * 64) };
  const small = halved(some);
  const enlarged = async net => {
    const weights = net === 'Small' ? ['--weights', `${out}/run/weights.safetensors`] : [];
    await dnnc(
      ...['run', file, '--net', net, ...sizes, ...weights],
      ...[
        '--inputs',
        save(`${out}/small.safetensors`, { x: small }),
        '--outputs',
        `${out}/${net}.safetensors`,
      ],
    );
    return load(`${out}/${net}.safetensors`).out;
  };
  const rows = [doubled(small), await enlarged('Bicubic'), await enlarged('Small'), some];
  return {
    figures: {
      'decibels above bicubic': {
        value: val.psnr_learned - val.psnr_bicubic,
        reach: smoke ? 0.5 : 2,
        better: 'higher',
        unit: 'dB',
        digits: 2,
      },
      ...(await published({ out, dnnc })),
    },
    pictures: [sheet(`${out}/digits.png`, rows, { columns: 16, scale: 2, range: [0, 1] })],
  };
}

/** With the published weights, where they are given: a picture, and what another runtime makes of it. */
async function published({ out, dnnc }) {
  const path = join(process.env.DNNC_MODELS ?? 'examples/models', 'superres_espcn_x3.onnx');
  const [input, output] = ['in', 'out'].map(kind => path.replace('.onnx', `.${kind}.st`));
  if (![path, input, output].every(p => existsSync(p))) return {};
  const weights = Object.entries(onnxWeights(readFileSync(path))).map(([k, v]) => [`SuperRes.${k}`, v]);
  writeFileSync(`${out}/published.safetensors`, writeWeights(Object.fromEntries(weights)));
  const x = save(`${out}/published-in.safetensors`, { x: load(input)['in0.x'] });
  const large = `${out}/published-out.safetensors`;
  const how = ['--weights', `${out}/published.safetensors`, '--inputs', x, '--outputs', large];
  await dnnc('run', file, '--net', 'SuperRes', ...how);
  const [ours, theirs] = [load(large).out.data, load(output)['out0.output'].data];
  const gap = ours.reduce((most, v, i) => Math.max(most, Math.abs(v - theirs[i])), 0);
  return { 'gap to onnxruntime': { value: gap, reach: 1e-5, better: 'lower', digits: 7 } };
}

const halved = tensor => shrunk(tensor, 2);

/** Means of squares. */
function shrunk({ dtype, shape: [n, c, h, w], data }, by) {
  const [rows, columns] = [h / by, w / by];
  const small = new Float32Array(n * c * rows * columns);
  data.forEach((v, i) => {
    const [plane, row, column] = [Math.floor(i / h / w), Math.floor(i / w) % h, i % w];
    small[(plane * rows + Math.floor(row / by)) * columns + Math.floor(column / by)] += v / (by * by);
  });
  return { dtype, shape: [n, c, rows, columns], data: small };
}

/** Every pixel as a square, so that it fits beside the others. */
function doubled({ dtype, shape: [n, c, h, w], data }) {
  const value = (_, i) => {
    const [plane, row, column] = [Math.floor(i / 4 / h / w), Math.floor(i / 2 / w) % (2 * h), i % (2 * w)];
    return data[(plane * h + Math.floor(row / 2)) * w + Math.floor(column / 2)];
  };
  return { dtype, shape: [n, c, 2 * h, 2 * w], data: Float32Array.from({ length: 4 * data.length }, value) };
}
