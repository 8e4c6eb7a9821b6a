// Writes src/std/embedded.ts: the standard library's .dnn sources as one module,
// so that the compiler needs no file system and runs in a browser as well.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const folder = new URL('../src/std/', import.meta.url);
const entries = readdirSync(folder)
  .filter(name => name.endsWith('.dnn'))
  .sort()
  .map(
    name => `  ${JSON.stringify(name)}: ${JSON.stringify(readFileSync(new URL(name, folder), 'utf8'))},\n`,
  );
const text =
  '// Made by scripts/embed-std.mjs from the .dnn files beside it. Do not edit.\n' +
  `export const sources: Readonly<Record<string, string>> = {\n${entries.join('')}};\n`;
const target = new URL('embedded.ts', folder);
let before = '';
try {
  before = readFileSync(target, 'utf8');
} catch {}
if (before !== text) writeFileSync(target, text);
