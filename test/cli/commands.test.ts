import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exitCode, report } from '../../src/cli/errors.ts';
import { parseDefine } from '../../src/cli/options.ts';
import { neededFlags, passNames } from '../../src/cli/pass-names.ts';
import { InternalError } from '../../src/support/internal-error.ts';
import { dnnc, tinyFiles } from './helpers.ts';

const { at, file } = tinyFiles();

describe('the command line', () => {
  it('shows help and version', async () => {
    const help = await dnnc('--help');
    expect(help.code).toBe(0);
    for (const name of ['check', 'compile', 'run', 'train', 'explain', 'dump', 'devices'])
      expect(help.out).toContain(name);
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(await dnnc('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' });
    expect((await dnnc('train', '--help')).out).toContain('--keep-last');
  });

  it.each([
    [['chek', file], "unknown command 'chek'"],
    [['check'], "missing required argument 'file'"],
    [['check', file, 'more'], 'too many arguments'],
    [['compile', file], "required option '-o, --out <dir>' not specified"],
    [['compile', file, '-o', 'x', '--profile', 'cpu'], 'Allowed choices are gpu, software, auto'],
    [['check', file, '-D', 'Rate'], 'name=value'],
    [['explain', file, '--dim', 'N=0'], 'an integer of at least 1'],
    [['train', file, 'fit', '--data', 'd', '--out', 'o', '--batch', '1.5'], 'an integer of at least 1'],
    [
      ['train', file, 'fit', '--data', 'd', '--out', 'o', '--epochs', '1', '--steps', '1'],
      'cannot be used with',
    ],
    [['train', file, 'fit', '--data', 'd', '--out', 'o', '--seed', '-1'], 'from 0 to 4294967295'],
    [['dump', file, '--after', 'fusion'], 'there is no pass `fusion`'],
    [['dump', file, '--after', 'fold', '--program', 'tiny'], 'did you mean `Tiny`?'],
    [['check', at('none.dnn')], 'there is no such file'],
    [['check', '.'], 'it is a folder'],
  ])('ends %j with the usage code', async (args, message) => {
    const { code, err } = await dnnc(...args);
    expect(err).toContain(message);
    expect(code).toBe(exitCode.usage);
  });

  it('reads the values of -D', () => {
    expect(parseDefine('A=1e-3', { B: 2 })).toEqual({ A: 0.001, B: 2 });
    expect(parseDefine('A=true')).toEqual({ A: true });
    expect(parseDefine('A=x=1')).toEqual({ A: 'x=1' });
    expect(parseDefine('A=')).toEqual({ A: '' });
    expect(() => parseDefine('1=A')).toThrow();
  });

  it('says that a fault of the compiler is one, in one line, without a stack', () => {
    let err = '';
    const io = { out: () => {}, err: (text: string) => void (err += text), color: false };
    expect(report(new InternalError('pass fuse failed: no\nmore', 'before:\n…'), io)).toBe(exitCode.internal);
    expect(err).toBe('internal error: pass fuse failed: no; please report it with the .dnn file\n');
    err = '';
    expect(report(new TypeError('x is undefined'), io)).toBe(exitCode.internal);
    expect(err).not.toContain('at ');
  });
});

describe('check', () => {
  it('accepts what is right', async () => {
    expect(await dnnc('check', file)).toEqual({
      code: 0,
      out: `${file}: net Tiny, train fit: no errors\n`,
      err: '',
    });
  });

  it('shows diagnostics under the path that was given', async () => {
    const bad = at('bad.dnn');
    writeFileSync(bad, 'net A(x: f32[N, 4]) -> f32[N, 3] {\n  return x -> dens(3)\n}\n');
    const { code, out, err } = await dnnc('check', bad);
    expect(code).toBe(exitCode.diagnostics);
    expect(out).toBe('');
    expect(err).toMatch(/error\[E01\d\d\]/);
    expect(err).toContain(`${bad}:2:15`);
    expect(err).toContain('1 error');
  });

  it.each(['', '\u0000', 'net', 'net A(', 'train t { }', '}{', 'net A(x: f32[N]) -> f32[N] { return A(x) }'])(
    'survives %j',
    async text => {
      const odd = at('odd.dnn');
      writeFileSync(odd, text);
      const { code, err } = await dnnc('check', odd);
      expect([0, 1]).toContain(code);
      expect(err).not.toContain('internal error');
    },
  );

  it('refuses what is no text', async () => {
    const binary = at('binary.dnn');
    writeFileSync(binary, new Uint8Array([0xff, 0xfe, 0x80]));
    const { code, err } = await dnnc('check', binary);
    expect(code).toBe(1);
    expect(err).toContain('error[E0112]: this is not UTF-8 text: byte 0xff at offset 0');
    expect(err).toContain(`${binary}:1:1`);
  });

  it('resolves imports beside the file', async () => {
    writeFileSync(at('lib/parts.dnn'), 'fn twice(x: f32[...]) -> f32[...] {\n  return 2 * x\n}\n');
    const main = at('main.dnn');
    writeFileSync(
      main,
      'import { twice } from "./lib/parts.dnn"\nnet A(x: f32[N]) -> f32[N] {\n  return x -> twice\n}\n',
    );
    expect(await dnnc('check', main)).toMatchObject({ code: 0, err: '' });
    writeFileSync(main, 'import { twice } from "./lib/none.dnn"\n');
    const { code, err } = await dnnc('check', main);
    expect(code).toBe(1);
    expect(err).toContain(`${main}:1:`);
  });
});

describe('compile', () => {
  it('writes a module, its types and its WGSL, the same every time', async () => {
    const folder = at('compiled');
    const { code, out } = await dnnc('compile', file, '-o', folder);
    expect(code).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(['tiny.d.ts', 'tiny.js', 'tiny.wgsl']);
    expect(out.trim().split('\n')).toHaveLength(3);
    const read = (): string[] => readdirSync(folder).map(f => readFileSync(`${folder}/${f}`, 'utf8'));
    const first = read();
    expect(first.join()).not.toContain(file.replace(basename(file), ''));
    expect(await dnnc('compile', file, '-o', folder)).toMatchObject({ code: 0 });
    expect(read()).toEqual(first);
    expect(first.join()).toContain('loadTiny');
    expect(first.join()).toContain('@compute');
  });

  it('tells profiles apart', async () => {
    await dnnc('compile', file, '-o', at('gpu'), '--profile', 'gpu');
    await dnnc('compile', file, '-o', at('software'), '--profile', 'software');
    expect(readFileSync(`${at('software')}/tiny.wgsl`, 'utf8')).toContain('software');
  });

  it('says where it cannot write', async () => {
    const { code, err } = await dnnc('compile', file, '-o', `${file}/x`);
    expect(err).toContain(`error[E0413]: cannot write ${file}/x: a part of the path is no folder`);
    expect(code).toBe(exitCode.diagnostics);
  });

  it('has nothing to write for a file of functions', async () => {
    const library = at('library.dnn');
    writeFileSync(library, 'fn twice(x: f32[...]) -> f32[...] {\n  return 2 * x\n}\n');
    const { code, err } = await dnnc('compile', library, '-o', at('nothing'));
    expect(code).toBe(1);
    expect(err).toContain('no net and no training program');
    expect(existsSync(at('nothing/library.js'))).toBe(false);
  });
});

describe('dump', () => {
  it.each([...passNames])('prints every program after %s', async pass => {
    const flags = (neededFlags[pass] ?? '').split(' and ')[0]!.split(' ').filter(Boolean);
    const { code, out } = await dnnc('dump', file, '--after', pass, ...flags);
    expect(code).toBe(0);
    for (const name of ['Tiny', 'Tiny.init', 'fit.step', 'fit.evaluate', 'fit.init'])
      expect(out).toContain(`// ${name}\n`);
    const one = await dnnc('dump', file, '--after', pass, '--program', 'fit.step', ...flags);
    expect(one.out).toMatch(/^\/\/ fit\.step\n/);
    expect(out).toContain(one.out);
    expect(one.out).not.toContain('// fit.evaluate\n');
  });

  it('says which flag a pass needs', async () => {
    const { code, err } = await dnnc('dump', file, '--after', 'narrow');
    expect([code, err]).toEqual([2, 'error: narrow runs with --precision f16 only\n']);
    const exact = await dnnc('dump', file, '--after', 'winograd', '--profile', 'software', '--exact');
    expect(exact.err).toBe('error: winograd runs with --profile software and without --exact only\n');
  });
});

describe.skipIf(!existsSync('dist/src/bin/dnnc.js'))('the installed command', () => {
  it('ends with the exit code and without a stack', async () => {
    const { spawnSync } = await import('node:child_process');
    const run = (...args: string[]) =>
      spawnSync(process.execPath, ['dist/src/bin/dnnc.js', ...args], { encoding: 'utf8' });
    expect(run('check', file)).toMatchObject({ status: 0 });
    const wrong = run('check', at('none.dnn'));
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).not.toMatch(/^\s+at /m);
  });
});
