import { expect, test } from 'vitest';
import { f32, interpret, moduleOf, run } from './helpers.ts';

const files: Record<string, string> = {
  'lib/blocks.dnn': `import { twice } from "./deep/math.dnn"
    const Width = 3
    block Unit(n: int = Width)(x: f32[N, D]) -> f32[N, n] { return x -> dense(n) -> twice }
    net Shared(x: f32[N, 4]) -> f32[N, 2] { return x -> dense(2) }`,
  'lib/deep/math.dnn':
    'import { Unit } from "../blocks.dnn" fn twice(x: f32[...]) -> f32[...] { return x * 2 }',
};
const resolve = (name: string) => {
  const text = files[name];
  return text === undefined ? undefined : { name, text };
};

test('imports, relative to the importing file, cycles included', () => {
  const text = `import { Unit, Shared } from "../lib/blocks.dnn"
    net A(x: f32[N, 4]) -> f32[N, 3] { return x -> Unit }
    train t { data x: f32[N, 4] minimize mean(Shared(x)) over Shared by sgd(lr = 1) }`;
  const module = moduleOf(text, { resolve }, 'app/main.dnn');
  expect(module.nets.map(n => n.name)).toEqual(['A', 'Shared']);
  expect(module.nets[0]!.init.outputs.map(o => o.name)).toEqual(['A.Unit.dense.weight', 'A.Unit.dense.bias']);
  expect(module.trains[0]!.nets).toEqual(['Shared']);
});

test('a missing file or name is one error, and its uses are none', () => {
  const text =
    'import { Gone } from "./gone.dnn" import { Unot } from "./lib/blocks.dnn" net A(x: f32[N, 4]) -> f32[...] { return x -> Gone -> Unot }';
  expect(run(text, { resolve }, './main.dnn').diagnostics.map(d => d.code)).toEqual(['E0106', 'E0106']);
  const codes = run(text, { resolve }, 'main.dnn').diagnostics.map(d => `${d.code} ${d.hint ?? ''}`.trim());
  expect(codes.length).toBe(2);
});

test('a file’s own names shadow the standard library’s', () => {
  const text =
    'fn tanh(x: f32[...]) -> f32[...] { return x + 100 } net A(x: f32[N]) -> f32[N] { return x -> tanh }';
  expect(interpret(moduleOf(text).nets[0]!.predict, { x: f32([1], [1]) }).out).toEqual([101]);
});

test('consts, set in the file or from outside', () => {
  const text = 'const C = 3 const D = 2 * C net A(x: f32[N]) -> f32[N] { return x + D }';
  const of = (defines: Record<string, number>) =>
    interpret(moduleOf(text, { defines }).nets[0]!.predict, { x: f32([1], [1]) }).out;
  expect(of({})).toEqual([7]);
  expect(of({ C: 5 })).toEqual([11]);
  expect(of({ D: 0 })).toEqual([1]);
});

test('a tensor does not hide a function of its name', () => {
  const text =
    'net A(x: f32[N, 2]) -> f32[N] { sum = sum(x, axis = 1) mean = sum return mean + sum(x, axis = 1) }';
  expect(interpret(moduleOf(text).nets[0]!.predict, { x: f32([1, 2], [1, 2]) }).out).toEqual([6]);
});
