import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { dnnc, examples, f32, temporaryFolder, writeTensors } from './helpers.ts';

const at = temporaryFolder();
const document = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');

const blocks = (language: string): string[] =>
  [...document.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))].map(m => m[1]!);

/** Commands of the document with what they print; `…` stands for anything. */
const commands = blocks('console').flatMap(block =>
  block
    .split(/^\$ dnnc /m)
    .slice(1)
    .map(text => {
      const [line, ...output] = text.split('\n');
      return { line: line!, output: output.join('\n') };
    }),
);

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

it('every example of the document prints what it says', async () => {
  const [source] = blocks('dnn');
  writeFileSync(at('tiny.dnn'), source!);
  writeFileSync(at('typo.dnn'), source!.replace('head: dense', 'head: dens'));
  writeTensors(at('data.safetensors'), examples(12));
  writeTensors(at('x.safetensors'), { x: f32([2, 4]) });
  expect(commands.length).toBeGreaterThanOrEqual(8);
  const before = process.cwd();
  process.chdir(at('.'));
  try {
    for (const { line, output } of commands) {
      const { out, err } = await dnnc(...line.split(' '));
      const pattern = escaped(output).replaceAll('…', '[^]*?');
      expect(out + err, line).toMatch(new RegExp(`^${pattern}$`));
    }
  } finally {
    process.chdir(before);
  }
}, 300_000);
