import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { NoAdapterError, release, requestDevice } from '../../runtime/node/index.ts';
import { Counts } from './counts.ts';
import { fuzz } from './fuzz.ts';

/** `npm run fuzz -- --seconds 60 [--seed S] [--no-device]`: see CONTRIBUTING.md. */
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    'no-device': { type: 'boolean', default: false },
    only: { type: 'string' },
    least: { type: 'string', default: '20' },
    most: { type: 'string', default: '200' },
  },
});
const seconds = Number(values.seconds);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
if (!(seconds > 0) || !Number.isInteger(seed)) {
  console.error('usage: npm run fuzz -- --seconds 60 [--seed N] [--no-device]');
  process.exit(2);
}

const device = values['no-device']
  ? undefined
  : await requestDevice().catch((error: unknown) => {
      if (!(error instanceof NoAdapterError)) throw error;
      console.log(`without a device: ${error.message}`);
      return undefined;
    });
const counts = new Counts();
const end = Date.now() + seconds * 1000;
let runs = 0;
let failures = 0;
const seen = new Set<string>();
/** No program may take the time of the others: milliseconds. */
const share = (seconds * 1000) / 12;
console.log(`seed ${seed}, ${seconds} s${device ? '' : ', no device'}`);
const size = { least: Number(values.least), most: Number(values.most) };
for (; Date.now() < end && (values.only === undefined || runs === 0); runs++) {
  const own = values.only ? Number(values.only) : (seed + runs) % 2 ** 31;
  // What was rare until now comes first; `--only` has the programs that nothing was wished of.
  const wishes = values.only ? [] : counts.rarest();
  const failure = await fuzz(own, size, counts, { device, seen, wishes, limit: share, shrinking: 2 * share });
  if (!failure) continue;
  failures++;
  mkdirSync('out/fuzz', { recursive: true });
  const file = `out/fuzz/${own}.dnn`;
  writeFileSync(file, failure.text);
  writeFileSync(`out/fuzz/${own}.whole.dnn`, failure.whole);
  console.log(`\ncase ${own}: ${failure.message.slice(0, 1500)}\nwritten to ${file}\n${failure.text}`);
}
const zeros = counts.zeros();
console.log(`\n${counts.print()}`);
console.log(zeros.length > 0 ? `\nnever exercised:\n  ${zeros.join('\n  ')}` : '\nnothing stayed at zero');
console.log(`\n${runs} programs: ${failures === 0 ? 'nothing found' : `${failures} failures`}`);
if (device) {
  device.destroy();
  release?.();
}
process.exit(failures === 0 ? 0 : 1);
