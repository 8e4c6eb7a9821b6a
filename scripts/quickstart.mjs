// Compiles LeNet, trains it on real digits, and runs an app on the result: `npm run quickstart`.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
if (!existsSync('dist/src/bin/dnnc.js')) {
  console.error('dnnc is not built yet: npm ci');
  process.exit(2);
}
const began = performance.now();
const { writeDigits } = await import('./digits.mjs');

const epochs = process.env.QUICKSTART_EPOCHS ?? '15';
const seed = process.env.QUICKSTART_SEED ?? '0';
const { train, test } = writeDigits('out/digits');

// For a real GPU and for WebAssembly: what training and app choose between.
step(`dnnc compile examples/lenet/lenet.dnn --target auto -o out/lenet`);
step(
  `dnnc train examples/lenet/lenet.dnn mnist --data ${train} --val ${test} ` +
    `--batch 32 --epochs ${epochs} --seed ${seed} --out out/lenet --overwrite`,
);
step('node examples/lenet/app.mjs');
console.log(`quickstart took ${((performance.now() - began) / 1000).toFixed(0)} s`);

/** Shows a command, runs it, and ends with its exit code where it fails. */
function step(command) {
  console.log(`\n$ ${command}`);
  const [name, ...args] = command.split(' ');
  const script = name === 'dnnc' ? ['dist/src/bin/dnnc.js', ...args] : args;
  const { status } = spawnSync(process.execPath, script, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
