// Looks for inputs that make the compiler throw or think for more than a second:
// `npm run fuzz:parser -- --seconds 60 [--seed N]`. Failing inputs are made small and written to out/fuzz.
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' } },
});
const seconds = Number(values.seconds);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
if (!(seconds > 0) || !Number.isInteger(seed)) {
  console.error('usage: npm run fuzz:parser -- --seconds 60 [--seed N]');
  process.exit(2);
}
/** Milliseconds that an input may take, and after which it is taken to go on for ever. */
const slow = 1000;
const hung = 30_000;

const folder = fileURLToPath(new URL('../out/fuzz/', import.meta.url));
const counts = new Map();
let failures = 0;
let last;
let since = performance.now();

console.log(`seed ${seed}, ${seconds} s`);
const worker = new Worker(new URL('fuzz/worker.mjs', import.meta.url), {
  workerData: { seed, seconds, slow },
});
const watch = setInterval(() => {
  if (last === undefined || performance.now() - since < hung) return;
  keep(last.kind, last.input, `no end after ${hung / 1000} s`);
  finish();
}, 1000);

worker.on('message', message => {
  since = performance.now();
  if (message.type === 'begin') counts.set(message.kind, (counts.get(message.kind) ?? 0) + 1);
  if (message.type === 'begin' || message.type === 'try') last = message;
  if (message.type === 'failed') keep(message.kind, message.input, message.why);
  if (message.type === 'end') finish();
});
worker.on('error', error => {
  console.error(error);
  process.exit(1);
});

function keep(kind, input, why) {
  mkdirSync(folder, { recursive: true });
  const file = `${folder}${seed}-${failures++}.${kind === 'safetensors' ? 'st' : 'dnn'}`;
  writeFileSync(file, input);
  const shown = JSON.stringify(typeof input === 'string' ? input : Buffer.from(input).toString('latin1'));
  console.log(`${kind}: ${why}\n  ${shown.slice(0, 400)}\n  written to ${file}`);
}

function finish() {
  clearInterval(watch);
  const total = [...counts.values()].reduce((sum, n) => sum + n, 0);
  const list = [...counts].map(([kind, n]) => `${n} ${kind}`).join(', ');
  console.log(`${total} inputs (${list}): ${failures === 0 ? 'nothing found' : `${failures} failures`}`);
  process.exit(failures === 0 ? 0 : 1);
}
