import { asFloats, load, save, sheet, writeSplit } from '../scripts/kit.mjs';

const kinds = 'examples/autoencoder/kinds.dnn';
const stack = 'examples/autoencoder/autoencoder.dnn';

export const about = {
  title:
    'Autoencoders: digits; what an undercomplete, a tied and a deep one keep of them; blackened digits and what a denoising one sees; digits of random codes',
  command: 'dnnc train autoencoder/kinds.dnn deep --data digits.safetensors --out runs/deep',
};

export async function run({ smoke, seed, out, dnnc, say }) {
  const flat = ({ x, y }) => ({ x: { ...asFloats(x), shape: [x.shape[0], 64] }, y });
  const onlyX = tensors => ({ x: flat(tensors).x });
  const labelled = writeSplit(`${out}/labelled`, { size: 8, as: flat });
  const plain = writeSplit(out, { size: 8, as: onlyX });
  const { x } = load(plain.test);
  const shown = first(x, 16);

  const train = async (file, program, { train: data, test }, ...args) => {
    say(program);
    const { val } = await dnnc(
      ...['train', file, program, '--data', data, '--val', test, '--seed', seed],
      ...['--epochs', smoke ? 4 : 25, '--out', `${out}/${program}`, ...args],
    );
    return val;
  };
  const predict = async (net, program, inputs) => {
    const to = `${out}/${net}.safetensors`;
    await dnnc(
      ...['run', kinds, '--net', net, '--weights', `${out}/${program}/weights.safetensors`, '--seed', seed],
      ...['--inputs', save(`${out}/${net}-in.safetensors`, { x: inputs }), '--outputs', to],
    );
    return load(to).out;
  };

  const figures = {};
  const figure = (name, value, reach, better = 'lower') => {
    figures[name] = { value, reach, better, ...(Math.abs(reach) > 1 ? { digits: 1 } : { digits: 4 }) };
  };
  const deep = await train(kinds, 'deep', plain);
  // The mean picture has an error of 0.07.
  figure('squared error, deep, code of 8', deep.error, smoke ? 0.045 : 0.018);
  const rows = [shown, await predict('Deep', 'deep', shown)];
  const denoising = await train(kinds, 'denoising', plain);
  figure('noise that a denoising one leaves', denoising.error / denoising.noise, smoke ? 0.75 : 0.4);
  const noisy = blackened(shown);
  rows.push(noisy, await predict('Denoising', 'denoising', noisy));

  if (!smoke) {
    const undercomplete = await train(kinds, 'undercomplete', plain);
    figure('squared error, undercomplete, code of 8', undercomplete.error, 0.045);
    const tied = await train(kinds, 'tied', plain);
    figure('squared error, tied, code of 8', tied.error, 0.045);
    const overcomplete = await train(kinds, 'overcomplete', plain);
    figure('squared error, overcomplete: it copies', overcomplete.error, 0.006);
    const sparse = await train(kinds, 'sparse', plain);
    figure('mean activity, sparse', sparse.active, 0.1);
    const contractive = await train(kinds, 'contractive', plain);
    figure('slope of the code, contractive against overcomplete', contractive.bend / overcomplete.bend, 0.05);
    rows.splice(
      1,
      0,
      await predict('Undercomplete', 'undercomplete', shown),
      await predict('Tied', 'tied', shown),
    );
    rows.push(first(await predict('Random', 'undercomplete', x), 16));
  }

  // Layer by layer, each beginning with what the one before has left, then all together.
  const small = ['-D', 'Pixels=64'];
  const after = program => [...small, '--weights', `${out}/${program}/weights.safetensors`];
  await train(stack, 'layer1', plain, ...small);
  await train(stack, 'layer2', plain, ...after('layer1'));
  const { accuracy } = await train(stack, 'finetune', labelled, ...after('layer2'));
  figures['accuracy after pre-training and fine-tuning'] = {
    value: 100 * accuracy,
    reach: smoke ? 85 : 96,
    better: 'higher',
    unit: '%',
  };
  const pictures = rows.map(row => ({ ...row, shape: [row.shape[0], 1, 8, 8] }));
  return {
    figures,
    pictures: [sheet(`${out}/pictures.png`, pictures, { columns: 16, scale: 2, range: [0, 1] })],
  };
}

const first = ({ dtype, data }, n) => ({ dtype, shape: [n, 64], data: data.slice(0, 64 * n) });

/** Without every third pixel or so. */
const blackened = ({ dtype, shape, data }) => ({
  dtype,
  shape,
  data: data.map((v, i) => ((i * 7919) % 100 < 33 ? 0 : v)),
});
