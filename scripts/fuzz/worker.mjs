import { readdirSync, readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { makeInputs } from './inputs.mjs';
import { randomFrom } from './random.mjs';
import { runInput } from './run-input.mjs';
import { shrink } from './shrink.mjs';

const root = new URL('../../', import.meta.url);
const load = file => import(new URL(`dist/${file}`, root).href);
const api = {
  ...(await load('src/index.js')),
  ...(await load('src/support/utf8.js')),
  ...(await load('src/support/errors/syntax.js')),
  ...(await load('src/interop/safetensors.js')),
  ...(await load('runtime/index.js')),
};

const list = (folder, ending) =>
  readdirSync(new URL(folder, root), { recursive: true })
    .filter(name => name.endsWith(ending))
    .sort()
    .map(name => new URL(`${folder}/${name}`, root));
const texts = ['src/std', 'examples', 'test/cases/fuzz']
  .flatMap(f => list(f, '.dnn'))
  .map(f => readFileSync(f, 'utf8'));
const files = list('test/cases', '.st')
  .map(f => new Uint8Array(readFileSync(f)))
  .filter(bytes => bytes.length < 100_000);

const { seed, seconds, slow } = workerData;
const random = randomFrom(seed);
const inputs = makeInputs(texts, files, random);
const kinds = ['program', 'program', 'program', 'words', 'bytes', 'safetensors'];

/** What went wrong, in a line; undefined where nothing did. */
function failure(kind, input) {
  const start = performance.now();
  try {
    runInput(api, kind, input);
  } catch (error) {
    // The first words name the fault; the rest may change while the input shrinks.
    return {
      why: String(error?.message ?? error).split('\n')[0],
      key: `${error?.name} ${(error?.stack ?? '').match(/\n\s+at .*/)?.[0]}`,
    };
  }
  const took = performance.now() - start;
  return took < slow ? undefined : { why: `took ${Math.round(took)} ms`, key: 'slow', took };
}

/** A machine that is busy makes anything slow now and then. */
function confirmed(kind, input) {
  const found = failure(kind, input);
  if (found?.key !== 'slow') return found;
  for (let i = 0; i < 2; i++) if (failure(kind, input)?.key !== 'slow') return undefined;
  return found;
}

const end = performance.now() + seconds * 1000;
const seen = new Set();
while (performance.now() < end) {
  const kind = random.pick(kinds);
  const input = inputs[kind]();
  parentPort.postMessage({ type: 'begin', kind, input });
  const found = confirmed(kind, input);
  if (found === undefined || seen.has(found.key)) continue;
  seen.add(found.key);
  const small = shrink(input, candidate => {
    parentPort.postMessage({ type: 'try', kind, input: candidate });
    return failure(kind, candidate)?.key === found.key;
  });
  parentPort.postMessage({ type: 'failed', kind, input: small, why: found.why });
}
parentPort.postMessage({ type: 'end' });
