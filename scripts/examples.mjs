// Runs every example and checks its evidence (examples/README.md):
//   npm run examples [-- --smoke] [--only NAME,NAME] [--seeds N] [--jobs N] [--write] [--from FOLDER]
import { fork } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { shown, shownReach, summarise } from './examples/figures.mjs';
import { mostBytes, writeGallery } from './examples/gallery.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const worker = fileURLToPath(new URL('examples/work.mjs', import.meta.url));
/** Longer than any example takes on a slow machine; minutes. */
const patience = { smoke: 3, whole: 60 };

function usage(message) {
  console.error(message);
  process.exit(2);
}

function optionsOf(args) {
  const text = { type: 'string' };
  const flag = { type: 'boolean', default: false };
  const options = { smoke: flag, write: flag, only: text, seeds: text, jobs: text, from: text };
  let values;
  try {
    ({ values } = parseArgs({ args, options }));
  } catch (error) {
    usage(error.message);
  }
  for (const name of ['seeds', 'jobs'])
    if (values[name] !== undefined && !/^[1-9]\d*$/.test(values[name]))
      usage(`--${name} must be an integer from 1`);
  if (values.smoke && values.write) usage('--write is for what whole examples reach, not for --smoke');
  return values;
}

const options = optionsOf(process.argv.slice(2));
const folder = resolve(options.from ?? join(root, 'examples'));
process.chdir(root);
if (!options.from && !existsSync('dist/src/bin/dnnc.js')) usage('dnnc is not built yet: npm ci');

const all = readdirSync(folder)
  .filter(name => existsSync(join(folder, name, 'evidence.mjs')))
  .sort();
const only = options.only?.split(',');
for (const name of only ?? [])
  if (!all.includes(name)) usage(`no example ${name}: there are ${all.join(', ')}`);

const examples = await Promise.all(
  all
    .filter(name => only?.includes(name) ?? true)
    .map(async name => {
      const file = join(folder, name, 'evidence.mjs');
      const { about } = await import(pathToFileURL(file).href);
      const seeds = Number(options.seeds ?? (options.smoke ? 1 : 3));
      return { name, file, about, seeds: Math.min(seeds, about.seeds ?? 3) };
    }),
);
const widest = Math.max(...examples.map(e => e.name.length));

const began = performance.now();
const terminal = process.stdout.isTTY;
const running = new Map();
/** What is under way, on one line of a terminal. */
function showProgress() {
  if (!terminal) return;
  const text = [...running].map(([key, said]) => `${key} ${said}`).join(' · ');
  process.stdout.write(`\r\x1b[K${text.slice(0, (process.stdout.columns ?? 80) - 1)}`);
}
function print(text) {
  if (terminal) process.stdout.write('\r\x1b[K');
  console.log(text);
}

/** Runs an example with one seed: its result, or an error's text. */
function runOne({ name, file }, seed) {
  const out = join(root, 'out', 'examples', `${name}-${seed}`);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const key = `${name} (seed ${seed})`;
  running.set(key, '');
  showProgress();
  const child = fork(worker, [file, JSON.stringify({ smoke: options.smoke, seed, out })], {
    stdio: 'inherit',
  });
  const minutes = options.smoke ? patience.smoke : patience.whole;
  const timer = setTimeout(() => child.kill('SIGKILL'), minutes * 60_000);
  return new Promise(done => {
    let answer;
    child.on('message', message => {
      if (message.said === undefined) answer = message;
      else running.set(key, message.said);
      showProgress();
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      running.delete(key);
      done(answer ?? { error: `it ended with ${signal ?? code} and no result, or took ${minutes} minutes` });
    });
  });
}

/** Prints what an example has reached, and says whether that is enough. */
function finish(example, answers, seconds) {
  const lines = [];
  const line = (what, ...rest) =>
    lines.push([example.name.padEnd(widest), what.padEnd(26), ...rest].join(' ').trimEnd());
  const failed = answers.find(a => a.error);
  const skipped = answers.find(a => a.result?.skipped);
  let enough = true;
  let entry;
  if (failed) {
    line('failed');
    lines.push(failed.error);
    enough = false;
  } else if (skipped) line(`skipped: ${skipped.result.skipped}`);
  else {
    const results = answers.map(a => a.result);
    const figures = summarise(results);
    if (figures.length === 0) throw new Error(`${example.name} has no figures`);
    for (const figure of figures) {
      const state = figure.ok ? 'ok' : 'FALLS SHORT';
      line(figure.name, shown(figure).padEnd(20), shownReach(figure).padEnd(14), state);
    }
    const large = (results[0].pictures ?? []).filter(path => statSync(path).size > mostBytes);
    for (const path of large) line(`${basename(path)} has`, `${statSync(path).size} bytes`, `≤ ${mostBytes}`);
    enough = figures.every(f => f.ok) && large.length === 0;
    entry = { name: example.name, about: example.about, figures, pictures: results[0].pictures ?? [] };
  }
  lines[0] += `  ${seconds.toFixed(0)} s`;
  print(lines.join('\n'));
  return { enough, entry };
}

/** Those that take longest begin first: one of them begun last would leave the other jobs idle. */
const longest = ['unet', 'yolo'];
examples.sort((a, b) => longest.includes(b.name) - longest.includes(a.name));

/** What is reached stays, also where a later example takes everything down. */
function ending(example, { answers, seconds }) {
  const { enough, entry } = finish(example, answers, seconds);
  if (options.write && enough && entry) writeGallery(folder, [entry]);
  return enough;
}

const jobs = Number(options.jobs ?? availableParallelism());
const tasks = examples.flatMap(example => {
  const state = { answers: [], seconds: 0 };
  return Array.from({ length: example.seeds }, (_, seed) => ({ example, seed, state }));
});
const ended = [];
await Promise.all(
  Array.from({ length: jobs }, async () => {
    for (let task = tasks.shift(); task; task = tasks.shift()) {
      const { example, seed, state } = task;
      const start = performance.now();
      state.answers[seed] = await runOne(example, seed);
      state.seconds += (performance.now() - start) / 1000;
      if (Object.keys(state.answers).length === example.seeds) ended.push(ending(example, state));
      showProgress();
    }
  }),
);
const short = ended.filter(enough => !enough).length;
const minutes = ((performance.now() - began) / 60_000).toFixed(1);
print(
  `${ended.length} examples in ${minutes} minutes: ${short === 0 ? 'all show what they must' : `${short} fall short`}`,
);
process.exitCode = short === 0 ? 0 : 1;
