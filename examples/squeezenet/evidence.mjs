import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load, plot, save, writeSplit } from '../scripts/kit.mjs';
import { onnxWeights } from '../scripts/onnx-weights.mjs';

const file = 'examples/squeezenet/squeezenet.dnn';
const weights = 'examples/squeezenet/squeezenet1_1.safetensors';

export const about = {
  title:
    'Transfer learning: SqueezeNet 1.1 (Iandola et al., 2016), its published weights, and a new head for digits',
  command: 'dnnc train squeezenet/squeezenet.dnn head --data out/digits/train.safetensors --out runs/head',
};

/** The published model, and with it an input and what another runtime makes of it, where there are such. */
function published() {
  const folder = process.env.DNNC_MODELS ?? 'examples/models';
  const model = join(folder, 'squeezenet1_1_fp32.onnx');
  const [input, output] = ['in', 'out'].map(kind => join(folder, `squeezenet1_1_fp32.${kind}.st`));
  return { model, input, output };
}

export async function run({ smoke, seed, out, dnnc, say }) {
  const { model, input, output } = published();
  if (!existsSync(weights)) {
    if (!existsSync(model))
      return {
        skipped:
          'its weights are not here; put squeezenet1_1_fp32.onnx into the folder that DNNC_MODELS names (see README.md)',
      };
    save(weights, onnxWeights(readFileSync(model)));
  }
  const figures = {};
  if (existsSync(input) && existsSync(output)) {
    say('prediction');
    const { data } = load(input)['in0.image_u8_hwc'];
    const x = new Uint8Array(data.length);
    for (let c = 0; c < 3; c++) for (let i = 0; i < 224 * 224; i++) x[c * 224 * 224 + i] = data[3 * i + c];
    const picture = save(`${out}/picture.safetensors`, {
      x: { dtype: 'u8', shape: [1, 3, 224, 224], data: x },
    });
    const answer = `${out}/answer.safetensors`;
    await dnnc('run', file, '--net', 'Predict', '--inputs', picture, '--outputs', answer);
    const [ours, theirs] = [Object.values(load(answer))[0].data, load(output)['out0.softmaxout_1'].data];
    const gap = ours.reduce((most, v, i) => Math.max(most, Math.abs(v - theirs[i])), 0);
    figures['gap to another runtime'] = { value: gap, reach: 1e-4, better: 'lower', digits: 7 };
  }
  const { train, test } = writeSplit(out, { size: 64, channels: 3, examples: smoke ? 320 : 1437 });
  const stage = async (program, from, epochs) => {
    say(program);
    const how = ['--data', train, '--val', test, '--seed', seed, '--epochs', epochs, ...from];
    const { val } = await dnnc('train', file, program, ...how, '--out', `${out}/${program}`);
    return val;
  };
  const head = await stage('head', [], smoke ? 2 : 8);
  figures['new head alone'] = {
    value: 100 * head.accuracy,
    reach: smoke ? 40 : 75,
    better: 'higher',
    unit: '%',
  };
  if (smoke) return { figures };
  const both = await stage('finetune', ['--weights', `${out}/head/weights.safetensors`], 8);
  figures['then two modules more'] = { value: 100 * both.accuracy, reach: 88, better: 'higher', unit: '%' };
  const curve = program =>
    readFileSync(`${out}/${program}/metrics.jsonl`, 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
      .filter(line => line.val)
      .map(line => 100 * line.accuracy);
  const [first, second] = [curve('head'), curve('finetune')];
  const title = 'Accuracy in %, epoch by epoch';
  const curves = {
    'head alone': first.map((v, i) => [i + 1, v]),
    'fire8, fire9 too': [first.at(-1), ...second].map((v, i) => [first.length + i, v]),
  };
  return { figures, pictures: [plot(`${out}/accuracy.png`, { title, curves, x: 'epochs' })] };
}
