import { asFloats, digits, load, plot, save, sheet, writeSplit } from '../scripts/kit.mjs';

const file = 'examples/adversarial/adversarial.dnn';

export const about = {
  title:
    'Adversarial examples (Goodfellow et al., 2014): accuracy of LeNet as pixels move; digits, what is added, and what it makes',
  command:
    'dnnc run adversarial/adversarial.dnn --net Attack --weights runs/lenet/weights.safetensors --inputs digits.safetensors --outputs attack.safetensors',
};

export async function run({ smoke, seed, out, dnnc }) {
  const { train } = writeSplit(out, { examples: smoke ? 700 : 1437 });
  await dnnc(
    ...['train', 'examples/lenet/lenet.dnn', 'mnist', '--data', train],
    ...['--epochs', smoke ? 4 : 15, '--seed', seed, '--out', `${out}/lenet`],
  );
  const { x, y } = digits({ first: 1437, examples: 360 });
  const images = asFloats(x);
  const attack = async (net, strength, weights) => {
    const from = `${out}/in.safetensors`;
    const eps = { dtype: 'f32', shape: [], data: Float32Array.of(strength) };
    save(from, net === 'Attack' ? { x: images, y, eps } : { x: images, eps });
    await dnnc(
      ...['run', file, '--net', net, '--weights', weights, '--inputs', from],
      ...['--outputs', `${out}/out.safetensors`, '--seed', seed],
    );
    const results = load(`${out}/out.safetensors`);
    return { ...results, accuracy: accuracy(results.logits ?? results.out, y) };
  };
  const plain = `${out}/lenet/weights.safetensors`;
  const strengths = smoke ? [0, 0.1] : [0, 0.05, 0.1, 0.15, 0.2];
  const curves = { attacked: [], noise: [] };
  let shown;
  for (const eps of strengths) {
    const attacked = await attack('Attack', eps, plain);
    curves.attacked.push([eps, attacked.accuracy]);
    if (eps === 0.1) shown = attacked;
    if (!smoke) curves.noise.push([eps, (await attack('Noise', eps, plain)).accuracy]);
  }
  const at = (curve, eps) => curve.find(([x]) => x === eps)[1];
  const percent = (value, reach, better) => ({ value: 100 * value, reach, better, unit: '%' });
  const figures = {
    'accuracy on digits as they are': percent(at(curves.attacked, 0), smoke ? 80 : 97, 'higher'),
    'attacked, ε = 0.1': percent(at(curves.attacked, 0.1), smoke ? 70 : 60, 'lower'),
  };
  if (!smoke) {
    figures['attacked, ε = 0.2'] = percent(at(curves.attacked, 0.2), 20, 'lower');
    figures['noise, ε = 0.2'] = percent(at(curves.noise, 0.2), 90, 'higher');
    const rising = curves.attacked.slice(1).filter(([, a], i) => a > curves.attacked[i][1]);
    figures['steps of ε at which accuracy rises'] = { value: rising.length, reach: 0, better: 'lower' };
    await dnnc(
      ...['train', file, 'defend', '--data', train, '--weights', plain],
      ...['--epochs', 10, '--seed', seed, '--out', `${out}/defended`],
    );
    const defended = await attack('Attack', 0.1, `${out}/defended/weights.safetensors`);
    figures['attacked, ε = 0.1, after the defence'] = percent(defended.accuracy, 80, 'higher');
    curves.defended = [];
    for (const eps of strengths)
      curves.defended.push([
        eps,
        (await attack('Attack', eps, `${out}/defended/weights.safetensors`)).accuracy,
      ]);
  }
  const rows = [images, shown.change, shown.picture].map(firstOf);
  return {
    figures,
    pictures: [
      sheet(`${out}/attack.png`, rows, { columns: 10 }),
      plot(`${out}/accuracy.png`, { title: 'accuracy', x: 'eps', curves, low: 0, high: 1 }),
    ],
  };
}

const firstOf = ({ shape, data, dtype }) => ({
  dtype,
  shape: [10, ...shape.slice(1)],
  data: data.slice(0, 10 * 784),
});

function accuracy({ data }, { data: labels }) {
  const right = labels.filter((label, i) => {
    const row = data.subarray(10 * i, 10 * i + 10);
    return row.indexOf(Math.max(...row)) === label;
  });
  return right.length / labels.length;
}
