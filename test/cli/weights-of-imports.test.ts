import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { dnnc, examples, f32, readTensorFile, temporaryFolder, tiny, writeTensors } from './helpers.ts';

const at = temporaryFolder();
writeFileSync(at('tiny.dnn'), tiny);
const file = at('uses.dnn');
writeFileSync(
  file,
  `
import { Tiny } from "./tiny.dnn"

net Turned(x: f32[N, 4]) -> f32[N, 3] {
  return Tiny(-x)
}

net Stack(x: f32[N, 4]) -> f32[N, 2] {
  return Tiny(x) -> head: dense(2)
}

train stack {
  data x: f32[N, 4]
  minimize mse(Stack(x), ones(N, 2)) over Stack by sgd(lr = 0.1)
}

train search {
  data x: f32[N, 4]
  param image: f32[4, 4] = zeros
  minimize mse(infer Tiny(image), ones(4, 3)) + 0 * sum(x) over image by sgd(lr = 0.1)
}
`,
);
const data = writeTensors(at('data.safetensors'), examples(8));
const x = writeTensors(at('x.safetensors'), { x: f32([2, 4], i => i / 8) });
const run = (weights: string, net = 'Turned') =>
  dnnc(
    ...['run', file, '--net', net, '--weights', weights, '--inputs', x],
    ...['--outputs', at('y.safetensors'), '--target', 'interpret'],
  );

async function trained(): Promise<string> {
  const args = ['--batch', '4', '--epochs', '1', '--overwrite', '--target', 'interpret'];
  await dnnc('train', at('tiny.dnn'), 'fit', '--data', data, ...args, '--out', at('fit'));
  return at('fit/weights.safetensors');
}

it('takes the weights of a training in the file that the net is imported from', async () => {
  const weights = await trained();
  expect(Object.keys(readTensorFile(weights))).toContain('fit.sgd.momentum.velocity.Tiny.head.bias');
  expect(await run(weights)).toMatchObject({ code: 0, err: '' });
  expect(await run(weights, 'Tiny')).toMatchObject({ code: 0, err: '' });
});

it('finds what an imported file says of weights and names beside that file, in a training too', async () => {
  const folder = at('below');
  mkdirSync(folder);
  writeFileSync(join(folder, 'names.json'), '{"^other\\\\.": "Tiny."}');
  const given = Object.entries(readTensorFile(await trained())).filter(([name]) => /^Tiny\./.test(name));
  writeTensors(
    join(folder, 'tiny.safetensors'),
    Object.fromEntries(given.map(([name, t]) => [name.replace(/^Tiny/, 'other'), t])),
  );
  writeFileSync(
    join(folder, 'known.dnn'),
    `block Whole()(x: f32[N, 4]) -> f32[N, 3] {
  return x -> hidden: dense(5) -> tanh -> head: dense(3)
}

net Tiny(x: f32[N, 4]) -> f32[N, 3] = Whole() weights "./tiny.safetensors" rename "./names.json"
`,
  );
  const user = at('user.dnn');
  writeFileSync(
    user,
    `import { Tiny } from "./below/known.dnn"

train search {
  data x: f32[N, H]
  param image: f32[4, 4] = zeros
  minimize mse(infer Tiny(image), ones(4, 3)) + 0 * sum(x) over image by sgd(lr = 0.1)
}
`,
  );
  const lengths = writeTensors(at('lengths.safetensors'), { x: f32([8, 3]) });
  const how = ['--batch', '4', '--steps', '1', '--target', 'interpret', '--out', at('searched')];
  expect(await dnnc('train', user, 'search', '--data', lengths, ...how)).toMatchObject({
    code: 0,
    err: expect.not.stringContaining('error'),
  });
});

it('names what is of nowhere, and all of it where something is missing', async () => {
  const { 'Tiny.head.bias': bias, ...rest } = readTensorFile(await trained());
  const unknown = await run(
    writeTensors(at('u.safetensors'), { ...rest, 'Tiny.head.bias': bias!, loose: f32([1]) }),
  );
  expect(unknown.code).toBe(1);
  expect(unknown.err).toContain('loose: net Turned has no such tensor');
  expect(unknown.err).not.toContain('velocity');
  const misspelt = await run(writeTensors(at('m.safetensors'), { ...rest, 'Tinny.head.bias': bias! }));
  expect(misspelt.code).toBe(1);
  expect(misspelt.err).toContain('Tiny.head.bias: missing, expected f32[3]');
  expect(misspelt.err).toContain(
    'Tinny.head.bias: net Turned has no such tensor (f32[3]); did you mean Tiny.head.bias?',
  );
});

it('trains a parameter of the program itself, which no weights need to have', async () => {
  const weights = await trained();
  const search = (from: string, out: string) =>
    dnnc(
      ...['train', file, 'search', '--data', x, '--weights', from, '--batch', '2', '--steps', '2'],
      ...['--target', 'interpret', '--out', at(out)],
    );
  expect(await search(weights, 'first')).toMatchObject({ code: 0 });
  const found = readTensorFile(at('first/weights.safetensors'));
  // It stays as it was, and the image goes on from where it is.
  expect(found['Tiny.head.weight']).toEqual(readTensorFile(weights)['Tiny.head.weight']);
  expect(await search(at('first/weights.safetensors'), 'second')).toMatchObject({ code: 0 });
  const after = readTensorFile(at('second/weights.safetensors'))['search.image']!.data;
  expect([...after]).not.toEqual([...found['search.image']!.data]);
});

it('begins nets anew of which the weights have nothing, and says so; none where they have nothing at all', async () => {
  const weights = await trained();
  const args = ['--batch', '2', '--steps', '1', '--target', 'interpret'];
  const stack = (from: string, out: string) =>
    dnnc('train', file, 'stack', '--data', x, '--weights', from, ...args, '--out', at(out));
  const fresh = await stack(weights, 'stack');
  expect(fresh).toMatchObject({ code: 0 });
  expect(fresh.out).toContain('net Stack begins anew: --weights has none of its tensors');
  const after = readTensorFile(at('stack/weights.safetensors'));
  expect(after['Tiny.head.weight']).toEqual(readTensorFile(weights)['Tiny.head.weight']);
  // Of what it has something of it must have all.
  const { 'Stack.head.bias': _, ...part } = after;
  const partial = await stack(writeTensors(at('p.safetensors'), part), 'partial');
  expect(partial.err).toContain('Stack.head.bias: missing, expected f32[2]');
  const other = await stack(writeTensors(at('o.safetensors'), { 'Other.w': f32([2]) }), 'other');
  expect(other.err).toContain('Tiny.head.bias: missing, expected f32[3]');
});
