import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { save } from '../scripts/kit.mjs';
import { writing } from '../scripts/plot.mjs';

const file = 'examples/charnn/charnn.dnn';
const length = 64;

export const about = {
  title:
    'Two layers of LSTM (Hochreiter and Schmidhuber, 1997) that have read a nursery rhyme; what they write',
  command: 'dnnc train charnn/charnn.dnn text --data lines.safetensors --out runs/charnn',
};

export async function run({ smoke, seed, out, dnnc, say }) {
  const text = readFileSync('examples/charnn/rhyme.txt');
  const starts = Array.from({ length: Math.floor((text.length - length - 1) / 5) }, (_, i) => 5 * i);
  const windows = shift => ({
    dtype: 'i32',
    shape: [starts.length, length],
    data: Int32Array.from(starts.flatMap(at => [...text.subarray(at + shift, at + shift + length)])),
  });
  const data = save(`${out}/lines.safetensors`, { ids: windows(0), next: windows(1) });
  const flags = ['-D', `Width=${smoke ? 32 : 64}`, '-D', 'Symbols=128'];
  const { val } = await dnnc(
    ...['train', file, 'text', ...flags, '--data', data, '--val', data, '--keep-last'],
    ...['--batch', 16, '--epochs', smoke ? 40 : 60, '--seed', seed, '--out', `${out}/run`],
  );
  const bits = { value: val.loss / Math.LN2, reach: smoke ? 3.6 : 0.5, better: 'lower', digits: 2 };
  if (smoke) return { figures: { 'bits for a letter': bits } };

  say('writes');
  await dnnc('compile', file, ...flags, '-o', `${out}/app`, '--target', 'wasm');
  const { loadCharRNN } = await import(pathToFileURL(`${out}/app/charnn.js`).href);
  const net = await loadCharRNN({
    weights: readFileSync(`${out}/run/weights.safetensors`),
    extra: true,
    threads: 1,
  });
  const ids = [...new TextEncoder().encode('This is the cat')];
  // It reads what it has written so far, and the letter that it holds for the most likely follows.
  while (ids.length < 200) {
    const { data: scores } = await net.predict({ data: Int32Array.from(ids), shape: [1, ids.length] });
    const last = scores.subarray(scores.length - 128);
    ids.push(last.indexOf(Math.max(...last)));
  }
  net.dispose();
  const written = new TextDecoder().decode(Uint8Array.from(ids));
  const known = new Set(text.toString().split(/\W+/));
  // The last word may be cut off.
  const words = written.split(/\W+/).slice(0, -1);
  return {
    figures: {
      'bits for a letter': bits,
      'words that the rhyme has': {
        value: (100 * words.filter(word => known.has(word)).length) / words.length,
        ...{ reach: 95, better: 'higher', unit: '%' },
      },
    },
    pictures: [writing(`${out}/written.png`, written.split('\n'))],
  };
}
