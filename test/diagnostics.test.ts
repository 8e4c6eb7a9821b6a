import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { readSource } from '../src/cli/files.ts';
import { type Compiled, check, compile } from '../src/compile.ts';
import { readSafetensors, toNdArray } from '../src/interop/safetensors.ts';
import type { Diagnostic } from '../src/support/diagnostic.ts';
import { DiagnosticError } from '../src/support/diagnostic.ts';
import { githubAnnotation } from '../src/support/github.ts';
import { pages } from '../src/support/pages/index.ts';
import { printManual, printPage } from '../src/support/pages/print.ts';
import { renderDiagnostic } from '../src/support/render.ts';
import type { Source } from '../src/support/source.ts';
import { dnnc } from './cli/helpers.ts';

/**
 * A folder for each code in `cases/diagnostics` (`E0204`, or `E0204-result` for one more case), with what raises it:
 * `command.txt`, a command line a line, run in a copy of the folder; or `input.safetensors`, read; or `input.dnn`,
 * compiled. `expected.txt` is what is shown: `npx vitest run test/diagnostics.test.ts -u` writes it.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
const casesFolder = join(root, 'test/cases/diagnostics');
const cases = readdirSync(casesFolder).sort();

/** Codes that need more than a folder, with the test that raises them. */
const elsewhere: Readonly<Record<string, string>> = {
  E0416: 'test/cli/train-resume.test.ts',
  E0501: 'test/cli/train-faults.test.ts',
};

const codeOf = (name: string): string => name.slice(0, 5);

function compileText(text: string, folder?: string): Compiled {
  const resolve = (path: string): Source | undefined => {
    const file = folder && join(folder, path);
    return file && existsSync(file) ? { name: path, text: readFileSync(file, 'utf8') } : undefined;
  };
  // Gradients, which are all that is found after checking, are those of steps.
  return compile({ name: 'input.dnn', text }, { resolve, only: name => name.includes('.step') });
}

const show = (list: readonly Diagnostic[]): string => `${list.map(d => renderDiagnostic(d)).join('\n\n')}\n`;

function readTensors(file: string): Diagnostic[] {
  try {
    const { tensors } = readSafetensors(readFileSync(file), 'input.safetensors');
    for (const [name, tensor] of tensors) toNdArray(tensor, `input.safetensors: ${name}`);
    return [];
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    return [...error.diagnostics];
  }
}

const temporary = mkdtempSync(join(tmpdir(), 'dnnc-diagnostics-'));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

/** What the commands say on standard error, and how they end. */
async function runCommands(folder: string, name: string): Promise<string> {
  const copy = join(temporary, name);
  cpSync(folder, copy, { recursive: true });
  const before = process.cwd();
  process.chdir(copy);
  try {
    const parts: string[] = [];
    for (const line of readFileSync('command.txt', 'utf8').trim().split('\n')) {
      const { code, err } = await dnnc(...line.split(' ').slice(1));
      parts.push(`$ ${line}\n${err}exit code ${code}\n`);
    }
    return parts.join('\n');
  } finally {
    process.chdir(before);
  }
}

describe('cases', () => {
  test.each(cases)('%s', async name => {
    const folder = join(casesFolder, name);
    const has = (file: string): boolean => existsSync(join(folder, file));
    let text: string;
    if (has('command.txt')) text = await runCommands(folder, name);
    else if (has('input.safetensors')) text = show(readTensors(join(folder, 'input.safetensors')));
    else text = show(compileText(readFileSync(join(folder, 'input.dnn'), 'utf8'), folder).diagnostics);
    expect(text).toMatch(new RegExp(`(error|warning)\\[${codeOf(name)}\\]`));
    await expect(text).toMatchFileSnapshot(join(folder, 'expected.txt'));
  });

  test('there is one for every code, and no code without a page', () => {
    const covered = new Set([...cases.map(codeOf), ...Object.keys(elsewhere)]);
    expect([...pages.keys()].filter(code => !covered.has(code))).toEqual([]);
    expect([...covered].filter(code => !pages.has(code))).toEqual([]);
  });

  test.each(Object.entries(elsewhere))('%s is raised in %s', (code, file) => {
    expect(readFileSync(join(root, file), 'utf8')).toContain(code);
  });
});

describe('pages', () => {
  test('there is one for every code that the sources raise, and for no other', () => {
    const used = new Set(
      ['src', 'runtime'].flatMap(folder =>
        readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
          .filter(path => path.endsWith('.ts') && !path.replaceAll('\\', '/').startsWith('support/pages/'))
          .flatMap(path => readFileSync(join(root, folder, path), 'utf8').match(/\bE0\d{3}\b/g) ?? []),
      ),
    );
    expect([...used].sort()).toEqual([...pages.keys()]);
  });

  const dnn = [...pages.values()].filter(page => page.language === 'dnn');

  test.each(dnn.map(page => [page.code, page.example] as const))(
    'the example of %s raises it',
    (code, example) => {
      const { diagnostics } = compileText(example);
      expect(diagnostics.map(d => d.code)).toContain(code);
      expect(new Set(diagnostics.map(d => d.code)).size).toBe(1);
    },
  );

  test.each(dnn.flatMap(page => (page.fixed === undefined ? [] : [[page.code, page.fixed] as const])))(
    'the cure of %s helps',
    (_, fixed) => {
      expect(compileText(fixed).diagnostics.map(d => renderDiagnostic(d))).toEqual([]);
    },
  );

  test('the manual is current', async () => {
    await expect(printManual()).toMatchFileSnapshot(join(root, 'docs/errors.md'));
  });

  test('no line is too long for a terminal', () => {
    for (const page of pages.values())
      for (const line of printPage(page).split('\n')) expect(line.length).toBeLessThanOrEqual(130);
  });
});

describe('warnings', () => {
  const codes = (text: string): string[] =>
    check({ name: 'input.dnn', text }).diagnostics.map(d => `${d.severity} ${d.code}`);

  test('of gradients are given by `check`, and by `compile` once', () => {
    const { example } = pages.get('E0301')!;
    const found = check({ name: 'input.dnn', text: example }).diagnostics;
    expect(found.map(d => d.code)).toEqual(['E0301', 'E0301']);
    expect(compileText(example).diagnostics).toEqual(found);
  });

  const folders = readdirSync(join(root, 'examples'), { withFileTypes: true }).filter(f => f.isDirectory());
  const examples = folders.flatMap(({ name }) =>
    readdirSync(join(root, 'examples', name))
      .filter(file => file.endsWith('.dnn'))
      .map(file => join(root, 'examples', name, file)),
  );

  test.each(examples)('none in %s', file => {
    const { source, resolve } = readSource(file);
    const found = check(source, { resolve }).diagnostics.map(d => `${d.severity} ${d.code}`);
    // What the compiler does not translate yet is no fault of an example.
    expect(found.filter(code => code !== 'error E0901')).toEqual([]);
  });

  const adversaries = (step: string): string => `
net G(z: f32[N, 4]) -> f32[N, 8] { return z -> dense(8) -> batch_norm }
net D(x: f32[N, 8]) -> f32[N, 1] { return x -> dense(8) -> batch_norm -> relu -> dense(1) }
train gan {
  data real: f32[N, 8]
  step d {
    fake = stop(G(randn(N, 4)))
    loss = bce_logits(D(real), 1) + bce_logits(D(fake), 0)
    minimize loss over D by sgd(lr = 0.1)
  }
  ${step}
}`;

  test('state that another step of the program owns is no fault', () => {
    const other = 'step g { minimize bce_logits(D(G(randn(N, 4))), 1) over G by sgd(lr = 0.1) }';
    expect(codes(adversaries(other))).toEqual([]);
    expect(codes(adversaries(''))).toEqual(['warning E0304']);
  });

  test('no state, no parameter, no probability is missed or made up where nets are nested', () => {
    const body = (how: string): string => `
net Body(x: f32[N, 8]) -> f32[N, 8] { return x -> dense(8) -> batch_norm }
net Whole(x: f32[N, 8]) -> f32[N, 2] { return ${how} -> head: dense(2) }
train fit {
  data x: f32[N, 8]
  data y: i32[N]
  minimize cross_entropy(Whole(x), y) over Whole.head by sgd(lr = 0.1)
}`;
    expect(codes(body('(infer Body(x))'))).toEqual([]);
    expect(codes(body('Body(x)'))).toEqual(['warning E0304']);
    expect(codes(body('softmax(infer Body(x))'))).toEqual([]);
  });

  test('a value is read wherever it may be', () => {
    const text = `
fn f(x: f32[N, 4]) -> f32[N, 4] {
  size = 2
  width = 3
  last = x
  (first, rest) = split(x, 2, axis = 1)
  repeat i in 0..2 {
    x = x + last
    last = x * size
  }
  y = if size > 1 { x[:, 0:width + 1] } else { x }
  return y -> repeat size { relu } -> add(concat(first, first, axis = 1))
}

block B(n: int)(x: f32[N, 4]) -> f32[N, 4] {
  whole = 2 * n
  param w: f32[whole] = ones
  unread = f(x)
  return x * w
}

net A(x: f32[N, 4]) -> f32[N, 4] { return x -> B(2) -> f }

train t {
  data x: f32[N, 4]
  _note = x
  out = A(x)
  rate = 0.1
  target = out
  step one { minimize mean(target ^ 2) over out by sgd(lr = rate) }
  step two { rate = 0.2 minimize mean(A(x)) over A by sgd(lr = rate) }
}`;
    expect(compileText(text).diagnostics.map(d => renderDiagnostic(d))).toEqual([]);
  });
});

describe('dnnc explain CODE', () => {
  test('shows the page', async () => {
    const { code, out, err } = await dnnc('explain', 'E0204');
    expect([code, err]).toEqual([0, '']);
    expect(out).toBe(printPage(pages.get('E0204')!));
    expect(out).toContain('Cure: ');
    expect((await dnnc('explain', 'e0204')).out).toBe(out);
  });

  test('a code that does not exist', async () => {
    const { code, out, err } = await dnnc('explain', 'E0294');
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('there is no diagnostic `E0294`');
    expect(err).toContain('did you mean `E0204`?');
  });
});

describe('annotations', () => {
  const source: Source = { name: 'nets/a,b.dnn', text: 'net A\n  x = 100%\n}\n' };

  test('what separates is escaped, what follows the message stands on lines of its own', () => {
    const diagnostic: Diagnostic = {
      code: 'E0211',
      severity: 'warning',
      message: 'at 100%: odd',
      span: { source, start: 8, end: 9 },
      label: 'this',
      notes: [{ message: 'and that', span: { source, start: 4, end: 5 } }, { message: 'in all' }],
      hint: 'leave it',
    };
    expect(githubAnnotation(diagnostic)).toBe(
      '::warning file=nets/a%2Cb.dnn,line=2,col=3,endLine=2,endColumn=4,title=E0211::at 100%25: odd%0Athis%0A' +
        'and that (nets/a,b.dnn:1:5)%0Ain all%0Ahint: leave it',
    );
  });

  test('a mark over several lines, and no mark', () => {
    const diagnostic: Diagnostic = { code: 'E0401', severity: 'error', message: 'no' };
    expect(githubAnnotation(diagnostic)).toBe('::error title=E0401::no');
    expect(githubAnnotation({ ...diagnostic, span: { source, start: 4, end: 9 } })).toBe(
      '::error file=nets/a%2Cb.dnn,line=1,col=5,endLine=2,title=E0401::no',
    );
  });

  test('of dnnc check', async () => {
    const file = join(casesFolder, 'E0107/input.dnn');
    const { code, out, err } = await dnnc('check', file, '--format', 'github');
    expect(code).toBe(1);
    expect(out).toBe(
      `::error file=${file},line=2,col=15,endLine=2,endColumn=19,title=E0107::` +
        'unknown layer or function `dens`%0Ahint: did you mean `dense`?\n',
    );
    expect(err).toBe('1 error\n');
  });
});
