// Trains LeNet on the digits as the quickstart does, with three seeds, and prints the held-out accuracies.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeDigits } from '../scripts/digits.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const epochs = 15;

/** One row a seed, and one for the mean; `accuracy` is a fraction, `seconds` the whole training's. */
export function digits(adapter, target) {
  const folder = mkdtempSync(join(tmpdir(), 'dnnc-digits-'));
  try {
    const { train, test } = writeDigits(folder);
    const rows = [0, 1, 2].map(seed => {
      const out = join(folder, `seed${seed}`);
      const start = performance.now();
      const args = ['train', 'examples/lenet/lenet.dnn', 'mnist', '--data', train, '--val', test];
      const how = ['--batch', '32', '--epochs', String(epochs), '--seed', String(seed), '--out', out];
      execFileSync(process.execPath, ['dist/src/bin/dnnc.js', ...args, ...how], {
        cwd: root,
        stdio: 'ignore',
      });
      const lines = readFileSync(join(out, 'metrics.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map(l => JSON.parse(l));
      const { accuracy } = lines.findLast(l => l.val);
      const seconds = +((performance.now() - start) / 1000).toFixed(1);
      console.log(
        `seed ${seed}: held-out accuracy ${accuracy.toFixed(4)} after ${epochs} epochs, ${seconds} s`,
      );
      return {
        work: 'lenet-digits',
        who: 'dnnc',
        target: target.name,
        adapter,
        seed,
        epochs,
        accuracy,
        seconds,
      };
    });
    const mean = rows.reduce((sum, r) => sum + r.accuracy, 0) / rows.length;
    console.log(`mean ${mean.toFixed(4)}`);
    return [
      ...rows,
      { work: 'lenet-digits', who: 'dnnc', target: target.name, adapter, seed: 'mean', accuracy: mean },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
