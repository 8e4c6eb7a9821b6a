import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../cli/helpers.ts';

const at = temporaryFolder();
const markers = '<!-- gallery: made by `npm run examples -- --write` -->\n\n<!-- end of the gallery -->\n';

/** A folder with an example of this evidence. */
function example(folder: string, name: string, evidence: string): string {
  mkdirSync(at(join(folder, name)), { recursive: true });
  writeFileSync(at(join(folder, name, 'evidence.mjs')), evidence);
  writeFileSync(at(join(folder, 'README.md')), `# Examples\n\n${markers}\nand more\n`);
  return at(folder);
}

function run(folder: string, ...args: readonly string[]) {
  const command = ['scripts/examples.mjs', '--from', folder, ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' });
  return { status, out: stdout, err: stderr };
}

/** Gives 90, 92 and 94 for the first seeds, and writes a picture. */
const good = `
import { writeFileSync } from 'node:fs';
export const about = { title: 'Good', command: 'dnnc check good.dnn' };
export async function run({ smoke, seed, out, say }) {
  say('works');
  writeFileSync(out + '/a.png', 'no picture, but small');
  return {
    figures: { accuracy: { value: smoke ? 50 : 90 + 2 * seed, reach: smoke ? 40 : 91.5, better: 'higher', unit: '%' } },
    pictures: [out + '/a.png'],
  };
}`;

describe('npm run examples', () => {
  it('compares the mean over three seeds, and writes the gallery', () => {
    const folder = example('good', 'one', good);
    const { status, out } = run(folder, '--write');
    expect(out).toMatch(/^one accuracy +92 ± 2 % +≥ 91\.50 % +ok/);
    expect(out).toContain('1 examples in 0.0 minutes: all show what they must');
    expect(status).toBe(0);
    expect(readdirSync(join(folder, 'gallery')).sort()).toEqual(['figures.json', 'one.png']);
    const readme = readFileSync(join(folder, 'README.md'), 'utf8');
    expect(readme).toContain('accuracy **92 ± 2 %** (≥ 91.50 %)');
    expect(readme).toContain('<img src="gallery/one.png"');
    expect(readme).toMatch(/^# Examples\n[\s\S]*and more\n$/);
    // Once more, and nothing changes.
    run(folder, '--write');
    expect(readFileSync(join(folder, 'README.md'), 'utf8')).toBe(readme);
  });

  it('ends with 1 where the mean falls short, though one seed is enough', () => {
    const folder = example('short', 'two', good.replace('91.5', '92.5'));
    const { status, out } = run(folder, '--write');
    expect(out).toContain('FALLS SHORT');
    expect(status).toBe(1);
    expect(existsSync(join(folder, 'gallery', 'two.png'))).toBe(false);
    expect(run(folder, '--smoke').status).toBe(0);
  });

  it.each([
    ['a value that is no number', good.replace('90 + 2 * seed', 'NaN'), 'FALLS SHORT'],
    ['an example that throws', good.replace("say('works')", "throw new Error('oh')"), 'Error: oh'],
    ['a process that ends', good.replace("say('works')", 'process.exit(3)'), 'it ended with 3'],
    [
      'a command that fails',
      good.replace('smoke, seed', 'dnnc, smoke, seed').replace("say('works')", "await dnnc('nothing')"),
      'dnnc nothing',
    ],
  ])('ends with 1 for %s', (_, evidence, said) => {
    const { status, out } = run(example('bad', 'three', evidence), '--seeds', '1');
    expect(out).toContain(said);
    expect(status).toBe(1);
  });

  it('says what is skipped, and why', () => {
    const evidence = good.replace("say('works')", "return { skipped: 'there are no weights' }");
    const { status, out } = run(example('skipped', 'four', evidence));
    expect(out).toContain('four skipped: there are no weights');
    expect(status).toBe(0);
  });

  it('tells wrong flags', () => {
    const folder = example('flags', 'five', good);
    expect(run(folder, '--only', 'six')).toMatchObject({
      status: 2,
      err: 'no example six: there are five\n',
    });
    expect(run(folder, '--seeds', '0').status).toBe(2);
    expect(run(folder, '--smoke', '--write').status).toBe(2);
  });
});

describe('the gallery', () => {
  const folder = 'examples';
  const figures = existsSync(`${folder}/gallery/figures.json`)
    ? (JSON.parse(readFileSync(`${folder}/gallery/figures.json`, 'utf8')) as Record<
        string,
        { pictures: string[] }
      >)
    : {};

  it('has the pictures that it shows, and no others', () => {
    const shown = Object.values(figures).flatMap(f => f.pictures);
    const there = existsSync(`${folder}/gallery`) ? readdirSync(`${folder}/gallery`) : [];
    expect(there.filter(name => name.endsWith('.png')).sort()).toEqual(shown.sort());
  });

  it('is in the README as its figures are', () => {
    const readme = readFileSync(`${folder}/README.md`, 'utf8');
    for (const name of Object.keys(figures)) expect(readme).toContain(`| [\`${name}\`](${name}): `);
  });
});
