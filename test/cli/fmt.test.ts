import { chmodSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { exitCode } from '../../src/cli/errors.ts';
import { type FmtOptions, fmtCommand } from '../../src/cli/fmt.ts';
import { dnnc, temporaryFolder } from './helpers.ts';

const at = temporaryFolder();
const ugly = 'const  A=[ 1,2 ] // two\n\n\n\nnet M( x:f32[N,4] )->f32[N,2]{ return x->dense( 2 ) }';
const good = 'const A = [1, 2] // two\n\nnet M(x: f32[N, 4]) -> f32[N, 2] { return x -> dense(2) }\n';

function file(name: string, content: string | Uint8Array): string {
  writeFileSync(at(name), content);
  return at(name);
}

const read = (path: string): string => readFileSync(path, 'utf8');

describe('fmt', () => {
  it('rewrites files, links followed, with their permissions', async () => {
    const target = file('ugly.dnn', ugly);
    chmodSync(target, 0o640);
    const link = at('link.dnn');
    symlinkSync(target, link);
    const other = file('good.dnn', good);
    const { mtimeMs } = statSync(other);
    expect(await dnnc('fmt', link, other)).toEqual({ code: 0, out: '', err: '' });
    expect(read(target)).toBe(good);
    expect(statSync(target).mode & 0o777).toBe(0o640);
    expect(statSync(other).mtimeMs).toBe(mtimeMs);
    expect(readdirSync(join(target, '..')).filter(name => name.endsWith('.tmp'))).toEqual([]);
  });

  it('--check names what is not formatted and writes nothing', async () => {
    const bad = file('a.dnn', ugly);
    const marked = file('b.dnn', `\ufeff${good}`);
    const fine = file('c.dnn', good);
    expect(await dnnc('fmt', '--check', bad, fine, marked)).toEqual({
      code: exitCode.diagnostics,
      out: `${bad}\n${marked}\n`,
      err: '',
    });
    expect(read(bad)).toBe(ugly);
    expect(await dnnc('fmt', '--check', fine)).toEqual({ code: 0, out: '', err: '' });
  });

  it('leaves a file with syntax errors as it is, and formats the others', async () => {
    const wrong = file('wrong.dnn', 'net M( {\n');
    const bytes = Uint8Array.from([...Buffer.from('// '), 0xff, 0x0a]);
    const binary = file('binary.dnn', bytes);
    const sound = file('sound.dnn', ugly);
    const { code, out, err } = await dnnc('fmt', wrong, binary, sound);
    expect(code).toBe(exitCode.diagnostics);
    expect(out).toBe('');
    expect(err).toContain(`error[E0102]`);
    expect(err).toContain(`${wrong}:1:8`);
    expect(err).toContain('error[E0112]: this is not UTF-8 text: byte 0xff at offset 3');
    expect(read(wrong)).toBe('net M( {\n');
    expect(readFileSync(binary)).toEqual(Buffer.from(bytes));
    expect(read(sound)).toBe(good);
  });

  it('ends with the usage code where a file is missing', async () => {
    const sound = file('sound.dnn', ugly);
    const { code, err } = await dnnc('fmt', at('none.dnn'), sound);
    expect(code).toBe(exitCode.usage);
    expect(err).toContain('there is no such file');
    expect(read(sound)).toBe(good);
    expect((await dnnc('fmt')).code).toBe(exitCode.usage);
  });

  it('- reads standard input and writes standard output', async () => {
    const run = async (input: string, options: FmtOptions = {}) => {
      let out = '';
      let err = '';
      const io = { out: (t: string) => void (out += t), err: (t: string) => void (err += t), color: false };
      const code = await fmtCommand(['-'], options, io, async () => Buffer.from(input));
      return { code, out, err };
    };
    expect(await run(ugly)).toEqual({ code: 0, out: good, err: '' });
    expect(await run(good, { check: true })).toEqual({ code: 0, out: '', err: '' });
    expect(await run(ugly, { check: true })).toEqual({ code: 1, out: '-\n', err: '' });
    const { code, out, err } = await run('net {');
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('error[E0102]');
  });

  it('finds the standard library and the examples formatted', async () => {
    const root = fileURLToPath(new URL('../../', import.meta.url));
    const files = ['src/std', 'examples'].flatMap(folder =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter(name => name.endsWith('.dnn'))
        .map(name => join(root, folder, name)),
    );
    expect(files.length).toBeGreaterThan(8);
    expect(await dnnc('fmt', '--check', ...files)).toEqual({ code: 0, out: '', err: '' });
  });
});
