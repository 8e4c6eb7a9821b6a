import { load, sheet } from '../scripts/kit.mjs';
import { digitsAccuracy, parameters, tables } from '../scripts/published.mjs';

const file = 'examples/nin/nin.dnn';

export const about = {
  title: 'Network in Network (Lin et al., 2013); the first filters of a narrow copy on digits',
  command: 'dnnc train nin/nin.dnn cifar --data cifar-10-batches-bin --out runs/nin',
};

export async function run(given) {
  const { smoke, out, dnnc } = given;
  const nets = await tables(dnnc, file);
  const dense = nets.NIN.layers.filter(l => l.weights > 0 && !l.output.includes(',')).length;
  const accuracy = await digitsAccuracy(given, {
    ...{ file, program: 'digits', size: 32 },
    flags: ['-D', 'Slim=8', '-D', 'Drop=0'],
    ...(smoke ? { epochs: 2, examples: 640 } : { epochs: 20 }),
  });
  const filters = load(`${out}/run/weights.safetensors`)['NIN.mlp1.conv.weight'];
  return {
    figures: {
      ...parameters(nets, { NIN: 966_986 }),
      'dense layers': { value: dense, reach: 0, better: 'equal' },
      'digits, 1/8 of the channels': { value: accuracy, reach: smoke ? 12 : 95, better: 'higher', unit: '%' },
    },
    pictures: [sheet(`${out}/filters.png`, filters, { columns: 8, scale: 8 })],
  };
}
