import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readWeights } from '../../runtime/index.ts';
import { check } from '../../src/compile.ts';
import { readSafetensors } from '../../src/interop/safetensors.ts';
import { format } from '../../src/parser/format/index.ts';
import { DiagnosticError } from '../../src/support/diagnostic.ts';
import { renderDiagnostic } from '../../src/support/render.ts';
import { decodeUtf8 } from '../../src/support/utf8.ts';

/** Inputs that once made something throw, run on, or format differently the second time. */
const folder = new URL('../cases/fuzz/', import.meta.url);
const files = readdirSync(folder).sort();
const read = (file: string): Uint8Array => readFileSync(new URL(file, folder));

describe.each(files.filter(file => file.endsWith('.dnn')))('%s', file => {
  const source = { name: file, text: decodeUtf8(read(file)).text };

  test('is checked within seconds', () => {
    const start = performance.now();
    const { module, diagnostics } = check(source);
    expect(module !== undefined || diagnostics.length > 0).toBe(true);
    for (const each of diagnostics) expect(renderDiagnostic(each)).not.toContain('undefined');
    expect(performance.now() - start).toBeLessThan(20_000);
  }, 30_000);

  test('is formatted, or has diagnostics', () => {
    const { text, diagnostics } = format(source);
    if (text === undefined) expect(diagnostics).not.toEqual([]);
    else expect(format({ name: file, text }).text).toBe(text);
  });
});

test.each(files.filter(file => file.endsWith('.st')))('%s is refused in words', file => {
  expect(() => readSafetensors(read(file))).toThrow(DiagnosticError);
  expect(() => readWeights(read(file))).toThrow(/^not a safetensors file: /);
});
