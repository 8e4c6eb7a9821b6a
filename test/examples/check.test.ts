import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeWeights } from '../../runtime/index.ts';
import { readSource } from '../../src/cli/files.ts';
import { stateOf } from '../../src/cli/graphs.ts';
import { check } from '../../src/compile.ts';
import { renderDiagnostic } from '../../src/support/render.ts';
import { dnnc } from '../cli/helpers.ts';
import { stripes } from './batches.ts';
import { exampleFile } from './train.ts';

const folder = new URL('../../examples/', import.meta.url);
const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter(path => path.endsWith('.dnn'))
  .map(path => path.split(/[\\/]/)[0]!)
  .sort();

function checkExample(name: string) {
  const file = readSource(exampleFile(name));
  return check(file.source, { resolve: file.resolve });
}

test.each(names)('%s is right in the sizes of its paper', name => {
  const { diagnostics } = checkExample(name);
  expect(diagnostics.map(d => renderDiagnostic(d))).toEqual([]);
});

/** What a rename table makes of the keys of another library. */
function renamed(example: string, keys: readonly string[]): string[] {
  const table = readFileSync(new URL(`${example}/torchvision.json`, folder), 'utf8');
  const patterns = Object.entries(JSON.parse(table) as Record<string, string>);
  return keys.map(key => patterns.reduce((text, [from, to]) => text.replace(new RegExp(from), to), key));
}

function tensorsOf(example: string, net: string): string[] {
  const { predict, init } = checkExample(example).module!.nets.find(n => n.name === net)!;
  return stateOf([predict, init]).map(s => s.name.slice(net.length + 1));
}

const normalisation = (name: string): string[] =>
  ['weight', 'bias', 'running_mean', 'running_var'].map(part => `${name}.${part}`);

/** The keys of torchvision's resnet50; `num_batches_tracked`, which says nothing here, is left out. */
function resnet50(): string[] {
  const blocks = [3, 4, 6, 3].flatMap((n, stage) =>
    Array.from({ length: n }, (_, i) => `layer${stage + 1}.${i}`).flatMap((block, i) => [
      ...[1, 2, 3].flatMap(k => [`${block}.conv${k}.weight`, ...normalisation(`${block}.bn${k}`)]),
      ...(i === 0 ? [`${block}.downsample.0.weight`, ...normalisation(`${block}.downsample.1`)] : []),
    ]),
  );
  return ['conv1.weight', ...normalisation('bn1'), ...blocks, 'fc.weight', 'fc.bias'];
}

/** Those of the convolutions of its vgg19: the features count activations and pools too. */
function vgg19(): string[] {
  const kinds = [2, 2, 4, 4, 4].flatMap(n => [
    ...Array.from({ length: n }, () => ['conv', 'relu']).flat(),
    'pool',
  ]);
  return kinds.flatMap((kind, i) => (kind === 'conv' ? [`features.${i}.weight`, `features.${i}.bias`] : []));
}

describe('rename tables know the names of torchvision', () => {
  test.each([
    ['transfer', 'Backbone', resnet50()],
    ['style', 'VGG', vgg19()],
  ])('%s: %s', (example, net, keys) => {
    expect(renamed(example, keys).sort()).toEqual(tensorsOf(example, net).sort());
  });
});

test('weights are missed only where a program runs, and by name', async () => {
  const file = exampleFile('transfer');
  const inputs = join(mkdtempSync(join(tmpdir(), 'dnnc-examples-')), 'x.safetensors');
  writeFileSync(inputs, writeWeights({ x: stripes([1, 3, 32, 32]) }));
  const sizes = ['-D', 'Size=32', '-D', 'Width=4'];
  expect(await dnnc('check', file, ...sizes)).toMatchObject({ code: 0, err: '' });
  const { code, err } = await dnnc(
    ...['run', file, ...sizes, '--net', 'Flowers', '--target', 'interpret'],
    ...['--inputs', inputs, '--outputs', `${inputs}.out`],
  );
  expect(code).toBe(2);
  expect(err).toMatch(
    /net Backbone takes its weights from "\.\/resnet50\.safetensors", but there is no file/,
  );
  expect(err).toContain('--weights');
});
