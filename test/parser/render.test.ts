import { describe, expect, test } from 'vitest';
import type { Diagnostic } from '../../src/support/diagnostic.ts';
import { renderDiagnostic, summary } from '../../src/support/render.ts';
import type { Span } from '../../src/support/source.ts';

function diagnostic(text: string, marked: string | Span, more: Partial<Diagnostic> = {}): Diagnostic {
  const source = { name: 'net.dnn', text };
  const start = typeof marked === 'string' ? text.indexOf(marked) : 0;
  const span = typeof marked === 'string' ? { source, start, end: start + marked.length } : marked;
  return { code: 'E0204', severity: 'error', message: 'shapes do not match', span, ...more };
}

describe('renderDiagnostic', () => {
  test('label, notes and hint', () => {
    const text = `${'\n'.repeat(15)}  x -> ConvBN(4 * c, 1)\n    -> add(skip) -> relu\n`;
    const source = { name: 'net.dnn', text };
    const start = text.indexOf('ConvBN');
    const d = diagnostic(text, 'skip', {
      label: 'f32[N, 64, 56, 56]\nleft side is f32[N, 256, 56, 56]',
      notes: [
        { message: 'dim 1 differs: 4*c = 256 against Cin = 64' },
        { message: 'from here', span: { source, start, end: start + 6 } },
      ],
      hint: 'project the shortcut',
    });
    expect(renderDiagnostic(d)).toMatchInlineSnapshot(`
      "error[E0204]: shapes do not match
        ┌─ net.dnn:17:12
      17│     -> add(skip) -> relu
        │            ^^^^ f32[N, 64, 56, 56]
        │            left side is f32[N, 256, 56, 56]
        = dim 1 differs: 4*c = 256 against Cin = 64
        ┌─ net.dnn:16:8
      16│   x -> ConvBN(4 * c, 1)
        │        ------ from here
        hint: project the shortcut"
    `);
  });

  test('tabs, control characters and a span over lines', () => {
    expect(renderDiagnostic(diagnostic('\tx =\t\u001b[31mf(\n  1)', 'f(\n  1)'))).toMatchInlineSnapshot(`
      "error[E0204]: shapes do not match
       ┌─ net.dnn:1:11
      1│     x = �[31mf(
       │              ^^"
    `);
  });

  test('the end of a text, and an empty text', () => {
    const source = { name: 'net.dnn', text: 'x = 3 +' };
    const end = { source, start: 7, end: 7 };
    expect(renderDiagnostic(diagnostic(source.text, end))).toMatchInlineSnapshot(`
      "error[E0204]: shapes do not match
       ┌─ net.dnn:1:8
      1│ x = 3 +
       │        ^"
    `);
    const empty = { source: { name: 'net.dnn', text: '' }, start: 0, end: 0 };
    expect(renderDiagnostic(diagnostic('', empty, { label: 'nothing' }))).toMatchInlineSnapshot(`
      "error[E0204]: shapes do not match
       ┌─ net.dnn:1:1
      1│
       │ ^ nothing"
    `);
  });

  test('a long line is cut around the mark', () => {
    const text = `${'a + '.repeat(100)}HERE${' + b'.repeat(100)}`;
    const lines = renderDiagnostic(diagnostic(text, 'HERE')).split('\n');
    expect(lines[2]?.length).toBeLessThanOrEqual(103);
    expect(lines[2]?.indexOf('HERE')).toBe(lines[3]?.indexOf('^^^^'));
    const all = renderDiagnostic(diagnostic(text, text)).split('\n');
    expect(all[3]).toBe(` │ ${'^'.repeat(50)}`);
  });

  test('without a span, as a warning, in colour', () => {
    const plain: Diagnostic = { code: 'E0401', severity: 'warning', message: 'no weights' };
    expect(renderDiagnostic(plain)).toBe('warning[E0401]: no weights');
    expect(renderDiagnostic(plain, { color: true })).toBe(
      '\u001b[1;33mwarning[E0401]\u001b[0m: \u001b[1mno weights\u001b[0m',
    );
  });
});

test('summary', () => {
  const of = (severity: 'error' | 'warning'): Diagnostic => ({ code: 'E0000', severity, message: '' });
  expect(summary([])).toBe('no errors');
  expect(summary([of('warning')])).toBe('1 warning');
  expect(summary([of('error'), of('warning'), of('error')])).toBe('2 errors, 1 warning');
});
