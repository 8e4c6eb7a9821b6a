// Modules that are compiled before the clock starts, as an app ships them.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);
const folder = target => new URL(`out/bench/${target}/`, root);

export const compiledPath = ({ file }, target) => new URL(file.replace(/dnn$/, 'js'), folder(target)).href;

export function compileAhead({ file }, target, adapter) {
  const how = target === 'wasm' ? ['--target', 'wasm'] : ['--profile', adapter];
  const path = fileURLToPath(new URL(`bench/nets/${file}`, root));
  const args = ['dist/src/bin/dnnc.js', 'compile', path, '-o', fileURLToPath(folder(target)), ...how];
  execFileSync(process.execPath, args, { cwd: fileURLToPath(root), stdio: ['ignore', 'ignore', 'pipe'] });
}
