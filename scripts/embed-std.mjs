// Writes src/std/embedded.ts: the standard library's .dnn sources as one module,
// so that the compiler needs no file system and runs in a browser as well.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const folder = new URL('../src/std/', import.meta.url);
const entries = readdirSync(folder)
  .filter(name => name.endsWith('.dnn'))
  .sort()
  .map(name => {
    const text = readFileSync(new URL(name, folder), 'utf8');
    // Only declarations begin at the left edge (`dnnc fmt`).
    const declares = [...text.matchAll(/^(?:const|fn|op|block|net) (\w+)/gm)].map(m => [m[1], m.index]);
    return `  { name: ${JSON.stringify(name)}, declares: ${JSON.stringify(declares)}, text: ${JSON.stringify(text)} },\n`;
  });
const text =
  '// Made by scripts/embed-std.mjs from the .dnn files beside it. Do not edit.\n' +
  'export interface StandardSource {\n  readonly name: string;\n  /** Names, and where each declaration begins. */\n  readonly declares: readonly (readonly [name: string, at: number])[];\n  readonly text: string;\n}\n' +
  `export const sources: readonly StandardSource[] = [\n${entries.join('')}];\n`;
const target = new URL('embedded.ts', folder);
let before = '';
try {
  before = readFileSync(target, 'utf8');
} catch {}
if (before !== text) writeFileSync(target, text);
