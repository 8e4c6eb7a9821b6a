import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/program.ts';
import { complaints, models, print, stub } from './printed.ts';

const folder = mkdtempSync(join(tmpdir(), 'dnnc-names-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Ends of literals, comments and lines in the three languages, with code behind them. */
// biome-ignore-start lint/suspicious/noTemplateCurlyInString: that is what they try
const fileNames = [
  'a".dnn',
  "a'; hacked(); '.dnn",
  'a`; hacked(); `.dnn',
  '${hacked()}.dnn',
  '`${hacked()}`.dnn',
  'a\\.dnn',
  'a\\',
  'a\nhacked();\n.dnn',
  'a\rhacked();\r.dnn',
  'a\r\nhacked();.dnn',
  'a\u2028hacked();\u2029hacked();.dnn',
  'a\u0085hacked();\vhacked();\fhacked();.dnn',
  'a\u001b[2Jhacked().dnn',
  '\u202ehacked();.dnn',
  '# sourceMappingURL=hacked.dnn',
  '@ts-nocheck hacked().dnn',
  '<script>hacked()<script>.dnn',
  '__proto__.dnn',
  'hacked().dnn',
];
/** No file system has these, but `compile` takes any name. */
const sourceNames = [
  ...fileNames,
  'a*/ hacked(); /*.dnn',
  '/*.dnn',
  'a\0hacked();.dnn',
  'a\ud800.dnn',
  '../../hacked().dnn',
  '</script><script>hacked()</script>',
  '',
];
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: see above

const program = (layers: string, before = ''): string =>
  `${before}\nnet Net(x: f32[N, 4]) -> f32[N, 2] { return x -> ${layers} -> tanh }\n`;
const blocks = `block Twice(c: int)(x: f32[N, 4]) -> f32[N, c] {
  return x -> inner: dense(c) -> tanh
}
`;

/** A text without its comments; lines end where WGSL's do, which is wherever JavaScript's do and more. */
const withoutComments = (text: string): string =>
  text.replace(/\/\*.*?\*\//gs, '').replace(/\/\/[^\n\v\f\r\u0085\u2028\u2029]*/g, '');

describe('names of files', () => {
  it.each(sourceNames.map(name => [JSON.stringify(name), name]))(
    'reach neither code nor types nor shaders: %s',
    async (_, name) => {
      const own = print(name, program('head: dense(2)'));
      const imported = print(
        'net.dnn',
        program('Twice(3) -> head: dense(2)', 'import { Twice } from "x.dnn"'),
        () => ({ name, text: blocks }),
      );
      const places: string[] = [];
      for (const { js, types, wgsl } of [own, imported]) {
        const [model] = await models(js(stub));
        const { kernels } = model!.programs.predict!;
        places.push(...kernels.map(k => k.from));
        for (const text of [...kernels.map(k => k.code), types, wgsl]) {
          expect(withoutComments(text)).not.toContain('hacked');
        }
        // Nothing that cannot be seen, and nothing that editors or Git take for binary.
        for (const text of [js('r'), types, wgsl]) {
          expect(text.match(/[^\P{Cc}\n]|\p{Cf}|[\u2028\u2029]/gu)).toBeNull();
        }
      }
      // Errors name the place as it is.
      expect(places.some(from => from.startsWith(`${name}:2:`))).toBe(true);
      expect(globalThis).not.toHaveProperty('hacked');
    },
  );

  it('make three files beside each other, whose declarations TypeScript takes', async () => {
    const types = join(folder, 'types');
    mkdirSync(types);
    const names = fileNames.filter(name => process.platform === 'linux' || /^[\w ().]+$/.test(name));
    for (const [i, name] of names.entries()) {
      const [source, out] = [join(folder, `${i}`), join(folder, `out${i}`)];
      mkdirSync(source);
      writeFileSync(join(source, name), program('head: dense(2)'));
      let err = '';
      const io = { out: () => {}, err: (text: string) => void (err += text), color: false };
      const status = await runCli(
        ['compile', join(source, name), '-o', out, '--profile', 'software'],
        io as Parameters<typeof runCli>[1],
      );
      expect(status, err).toBe(0);
      const base = name.replace(/\.dnn$/, '');
      expect(readdirSync(out).sort()).toEqual([`${base}.d.ts`, `${base}.js`, `${base}.wgsl`].sort());
      const text = (extension: string) => readFileSync(join(out, `${base}.${extension}`), 'utf8');
      await models(text('js').replace("'dnnc/runtime'", JSON.stringify(stub)));
      expect(withoutComments(text('wgsl'))).not.toContain('hacked');
      writeFileSync(join(types, `net${i}.d.ts`), text('d.ts'));
    }
    expect(complaints(types)).toBe('');
    const expected = names.flatMap((_, i) => [`${i}`, `out${i}`]);
    expect(readdirSync(folder).sort()).toEqual([...expected, 'types'].sort());
  });
});
