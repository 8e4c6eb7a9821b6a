// A process of its own for one example and one seed: node work.mjs FILE OPTIONS, with OPTIONS as JSON. Sends its parent
// `{ said }`, and in the end `{ result }` or `{ error }`.
import { spawn } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const command = fileURLToPath(new URL('../../dist/src/bin/dnnc.js', import.meta.url));
const documents = ['check', 'run', 'train', 'eval', 'explain'];
const onDevice = ['run', 'train', 'eval'];

/** Runs the command line: its document where the command has one, else its text. */
function dnnc(...given) {
  const args = given.map(String);
  const [name] = args;
  const isDocument = documents.includes(name) && !/^E\d/.test(args[1] ?? '');
  if (isDocument && !args.includes('--format')) args.push('--format', 'json');
  // Of several examples at once each has a core.
  if (onDevice.includes(name)) {
    args.push('--quiet');
    if (!args.includes('--threads')) args.push('--threads', '1');
  }
  const child = spawn(process.execPath, [command, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8');
    child[name].on('data', part => (text[name] += part));
  }
  return new Promise((done, failed) => {
    child.on('error', failed);
    child.on('close', code => {
      if (code === 0) done(isDocument ? JSON.parse(text.stdout) : text.stdout);
      else
        failed(
          new Error(`dnnc ${args.join(' ')}\nended with exit code ${code}: ${text.stderr}${text.stdout}`),
        );
    });
  });
}

const [file, options] = process.argv.slice(2);
try {
  const { run } = await import(pathToFileURL(file).href);
  const say = said => process.send({ said: String(said) });
  process.send({ result: await run({ ...JSON.parse(options), dnnc, say }) });
} catch (error) {
  process.send({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}
process.disconnect();
