// Replaces dist/src/parser/chevrotain.js by one file with all that it imports, and writes the licences beside it.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const file = fileURLToPath(new URL('../dist/src/parser/chevrotain.js', import.meta.url));
const bundle = await rolldown({
  input: file,
  platform: 'neutral',
  resolve: { mainFields: ['module', 'main'] },
});
const { output } = await bundle.generate({ format: 'esm' });
await bundle.close();
const [{ code, moduleIds }] = output;
writeFileSync(file, code);

const licences = new Map();
for (const id of moduleIds) {
  let folder = dirname(id);
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  const names = ['LICENSE', 'LICENSE.txt'].map(name => join(folder, name));
  const licence = names.find(existsSync);
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  if (licence) licences.set(name, `${name} ${version}\n\n${readFileSync(licence, 'utf8')}`);
}
licences.delete('dnnc');
writeFileSync(file.replace(/\.js$/, '.licenses.txt'), [...licences.values()].join('\n'));
