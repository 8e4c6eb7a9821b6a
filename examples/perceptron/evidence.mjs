import { asFloats, load, sheet, writeSplit } from '../scripts/kit.mjs';

const file = 'examples/perceptron/perceptron.dnn';

export const about = {
  title:
    'Perceptron (Rosenblatt, 1958), logistic regression, softmax classifier, linear support vector machine; what softmax has learned of each digit',
  command: `dnnc train perceptron/perceptron.dnn perceptron --batch 1 --data data/iris.csv --val data/iris-test.csv --out runs/perceptron`,
};

export async function run({ smoke, seed, out, dnnc }) {
  const iris = ['--data', 'examples/data/iris.csv', '--val', 'examples/data/iris-test.csv'];
  const flat = ({ x, y }) => ({ x: { ...asFloats(x), shape: [x.shape[0], 64] }, y });
  const { train, test } = writeSplit(out, { size: 8, as: flat });
  const digits = ['--data', train, '--val', test, '-D', 'Features=64', '-D', 'Classes=10', '-D', 'Rate=0.1'];
  const figures = {};
  const learn = async (name, program, reach, ...args) => {
    const to = `${out}/${program}-${name.replaceAll(' ', '-')}`;
    const { val } = await dnnc('train', file, program, ...args, '--seed', seed, '--out', to);
    figures[`${program} on ${name}`] = { value: 100 * val.accuracy, reach, better: 'higher', unit: '%' };
    return load(`${to}/weights.safetensors`);
  };
  // One example after the other; setosa can be told from the others by a straight line.
  await learn('setosa', 'perceptron', 99.9, ...iris, '--batch', 1, '--epochs', 3);
  const iterations = ['--batch', 20, '--epochs', smoke ? 100 : 200];
  if (!smoke) {
    await learn('virginica', 'logistic', 90, ...iris, ...iterations, '-D', 'Positive=2');
    await learn('iris', 'softmax', 90, ...iris, ...iterations);
  }
  await learn('iris', 'svm', smoke ? 85 : 90, ...iris, ...iterations);
  if (!smoke) await learn('digits', 'svm', 95, ...digits, '--epochs', 15);
  const weights = await learn('digits', 'softmax', smoke ? 90 : 95, ...digits, '--epochs', smoke ? 3 : 15);
  const templates = { ...weights['Softmax.scores.weight'], shape: [10, 1, 8, 8] };
  return { figures, pictures: [sheet(`${out}/templates.png`, templates, { columns: 5, scale: 7 })] };
}
