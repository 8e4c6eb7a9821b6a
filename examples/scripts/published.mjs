// Evidence of nets that are too large to train here: the tables that `dnnc explain` prints, and a narrow copy on digits.
import { colours, write } from './plot.mjs';
import { canvas, put, writePng } from './png.mjs';
import { asFloats, writeSplit } from './tensors.mjs';

/** What `dnnc explain FILE --layers` says of each net, by name. */
export async function tables(dnnc, file, ...flags) {
  const { nets } = await dnnc('explain', file, '--layers', ...flags);
  return Object.fromEntries(nets.map(net => [net.name, net]));
}

/** Parameters of nets, each to be as published: `{ NET: 60_965_224 }`, or in millions `{ NET: 25.6 }`. */
export const parameters = (nets, published) =>
  Object.fromEntries(
    Object.entries(published).map(([name, reach]) => {
      const count = nets[name].parameters;
      const inMillions = reach < 1000;
      return [
        `${name}: parameters`,
        inMillions
          ? { value: Math.round(count / 1e5) / 10, reach, better: 'equal', unit: 'M', digits: 1 }
          : { value: count, reach, better: 'equal' },
      ];
    }),
  );

/** Trains a narrow copy on the digits and gives its accuracy on those that are held out, in percent. */
export async function digitsAccuracy(
  { dnnc, out, seed },
  { file, program, size, flags, epochs, examples, floats },
) {
  const as = floats ? ({ x, y }) => ({ x: asFloats(x, 2 / 255, -1), y }) : t => t;
  const { train, test } = writeSplit(out, { size, channels: 3, examples, as });
  const data = ['--data', train, '--val', test, '--epochs', epochs, '--seed', seed, '--out', `${out}/run`];
  const { val } = await dnnc('train', file, program, ...flags, ...data);
  return 100 * val.accuracy;
}

/** A bar with its name and number for each of `bars`, in a PNG. */
export function chart(path, { title, bars, unit = '', width = 360 }) {
  const entries = Object.entries(bars);
  const most = Math.max(...entries.map(([, v]) => v));
  const left = 8 * Math.max(...entries.map(([name]) => name.length)) + 12;
  const longest = 8 * Math.max(...entries.map(([, v]) => shownNumber(v, unit).length)) + 8;
  const target = canvas(width, 28 + 16 * entries.length);
  write(target, title, 6, 6);
  entries.forEach(([name, value], i) => {
    const top = 24 + 16 * i;
    write(target, name, 6, top + 1);
    const end = left + Math.max(1, Math.round(((width - left - longest) * value) / most));
    for (let y = top; y < top + 12; y++) for (let x = left; x < end; x++) put(target, x, y, colours[0]);
    write(target, shownNumber(value, unit), end + 4, top + 1);
  });
  return writePng(path, target);
}

const shownNumber = (value, unit) =>
  `${value >= 100 ? value.toFixed(0) : value.toPrecision(3)} ${unit}`.trimEnd();
