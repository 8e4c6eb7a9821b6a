import { readFileSync } from 'node:fs';
import { asFloats, digits, plot, save } from '../scripts/kit.mjs';

const [file, before] = ['examples/transfer/transfer.dnn', 'examples/transfer/pretrain.dnn'];
const [size, classes] = [32, 5];

export const about = {
  title:
    'Transfer learning (Yosinski et al., 2014): a small ResNet that knows digits learns from 25 examples which pair they are of',
  command: 'npm run examples -- --only transfer',
};

/** Digits from `first` on with the label that `kindOf` makes of each: at most `each` of every one. */
function labelled({ first, examples, kindOf, each = Infinity }) {
  const { x, y } = digits({ size, channels: 3, first, examples });
  const counts = new Map();
  const rows = Array.from(y.data.keys()).filter(i => {
    const kind = kindOf(y.data[i]);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return counts.get(kind) <= each;
  });
  const picture = 3 * size * size;
  const data = new Uint8Array(rows.length * picture);
  rows.forEach((row, i) => {
    data.set(x.data.subarray(row * picture, (row + 1) * picture), i * picture);
  });
  return {
    x: asFloats({ shape: [rows.length, 3, size, size], data }, 2 / 255, -1),
    y: { dtype: 'i32', shape: [rows.length], data: Int32Array.from(rows, row => kindOf(y.data[row])) },
  };
}

const digit = d => d;
/** The new question: 0 or 1, 2 or 3, … 8 or 9. */
const pair = d => d >> 1;

export async function run({ smoke, seed, out, dnnc, say }) {
  const held = { first: 1437, examples: smoke ? 120 : 360 };
  const many = save(
    `${out}/many.safetensors`,
    labelled({ first: 0, examples: smoke ? 400 : 1137, kindOf: digit }),
  );
  // None that the backbone has seen, and others for every seed.
  const from = { first: 1137 + 100 * (seed % 3), examples: 100 };
  const few = save(`${out}/few.safetensors`, labelled({ ...from, kindOf: pair, each: 5 }));
  const tests = [digit, pair].map((kindOf, i) =>
    save(`${out}/test${i}.safetensors`, labelled({ ...held, kindOf })),
  );
  const small = ['-D', 'Width=8', '-D', 'Blocks=2', '-D', `Size=${size}`];
  const train = async (name, path, program, { data, test, batch, epochs }, ...flags) => {
    say(name);
    const how = ['--data', data, '--val', test, '--batch', batch, '--epochs', epochs, '--seed', seed];
    const { val } = await dnnc('train', path, program, ...small, ...flags, ...how, '--out', `${out}/${name}`);
    return { accuracy: 100 * val.accuracy, weights: ['--weights', `${out}/${name}/weights.safetensors`] };
  };
  const whole = { data: many, test: tests[0], batch: 32, epochs: smoke ? 3 : 8 };
  const known = await train('known', before, 'whole', whole);
  const task = { data: few, test: tests[1], batch: 5, epochs: smoke ? 2 : 40 };
  const five = ['-D', `Classes=${classes}`, '-D', 'Rate=1e-3'];
  const head = await train('head', file, 'head', task, ...five, ...known.weights);
  const figure = (value, reach) => ({ value, reach, better: 'higher', unit: '%' });
  // A head that has seen the few examples twice says nothing yet.
  if (smoke) return { figures: { 'what it knows already': figure(known.accuracy, 35) } };
  const scratch = await train('scratch', before, 'whole', task);
  const tuned = await train('finetune', file, 'finetune', { ...task, epochs: 20 }, ...five, ...head.weights);
  const curve = (name, from = 0) => curveOf(`${out}/${name}/metrics.jsonl`).map((v, i) => [from + i + 1, v]);
  const title = 'Accuracy in %, epoch by epoch';
  const curves = {
    'head alone': curve('head'),
    'last stage too': curve('finetune', task.epochs),
    'from scratch': curve('scratch'),
  };
  return {
    figures: {
      'what it knows already': figure(known.accuracy, 90),
      'new head alone': figure(head.accuracy, 60),
      'then the last stage too': figure(tuned.accuracy, 80),
      'more than from scratch': figure(tuned.accuracy - scratch.accuracy, 20),
    },
    pictures: [plot(`${out}/accuracy.png`, { title, curves, x: 'epochs' })],
  };
}

/** Accuracies in % over the test data. */
const curveOf = path =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
    .filter(line => line.val)
    .map(line => 100 * line.accuracy);
