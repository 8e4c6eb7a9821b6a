import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';
import { rolldown } from 'rolldown';
import { expect, it } from 'vitest';
import type * as Api from '../../src/index.ts';

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

it('the compiler needs nothing of Node: bundled for a page it compiles with a bare global object', async () => {
  // What prints WebAssembly comes when it is asked for.
  const bundle = await rolldown({
    input: path('src/index.ts'),
    platform: 'browser',
    external: ['binaryen'],
  });
  const { output } = await bundle.generate({ format: 'iife', name: 'dnnc' });
  const [{ code, imports }] = output;
  expect(imports).toEqual([]);
  const context = vm.createContext({});
  vm.runInContext(code, context);
  const { check, compile, format } = vm.runInContext('dnnc', context) as typeof Api;
  const source = { name: 'lenet.dnn', text: readFileSync(path('examples/lenet/lenet.dnn'), 'utf8') };
  expect(check(source).diagnostics).toHaveLength(0);
  expect(compile(source).entries!.map(e => e.name)).toEqual(['LeNet', 'mnist']);
  expect(format(source).text).toBe(source.text);
  expect(check({ name: 't.dnn', text: 'net A(' }).diagnostics[0]!.span!.start).toBeGreaterThan(0);
});
