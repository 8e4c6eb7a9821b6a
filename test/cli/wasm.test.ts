import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { dnnc, readTensorFile, tiny, tinyFiles, writeTensors } from './helpers.ts';

const { at, file, inputs, data } = tinyFiles(tiny, 12);

const y = async (...more: string[]) => {
  const outputs = at(`y${more.join('')}.safetensors`);
  const { code, err } = await dnnc(
    'run',
    file,
    '--net',
    'Tiny',
    '--inputs',
    inputs,
    '--outputs',
    outputs,
    ...more,
  );
  expect({ code, err }).toMatchObject({ code: 0 });
  return { data: [...Object.values(readTensorFile(outputs))[0]!.data], err };
};

it('run gives what the interpreter gives, with any number of threads', async () => {
  const expected = await y('--target', 'interpret');
  const one = await y('--target', 'wasm', '--threads', '1');
  expect(one.err).toBe('adapter: WebAssembly (1 thread)\n');
  one.data.forEach((v, i) => {
    expect(v).toBeCloseTo(expected.data[i]!, 5);
  });
  expect((await y('--target', 'wasm', '--threads', '3')).data).toEqual(one.data);
});

it('run takes WebAssembly for `auto` where there is no GPU', async () => {
  const { data, err } = await y('--target', 'auto');
  expect(data).toHaveLength(6);
  expect(err).toMatch(/^adapter: (WebAssembly \(\d+ threads?\)|.*hardware\))\n$/);
});

it('trains, resumes to the same bits and evaluates', async () => {
  const train = (...more: string[]) => dnnc('train', file, 'fit', '--data', data, '--quiet', ...more);
  const begin = ['--batch', '4', '--target', 'wasm', '--out'];
  expect(await train(...begin, at('whole'), '--steps', '30')).toMatchObject({ code: 0, err: '' });
  expect(await train(...begin, at('parts'), '--steps', '12', '--threads', '1')).toMatchObject({ code: 0 });
  expect(await train('--resume', at('parts'), '--steps', '30')).toMatchObject({ code: 0, err: '' });
  const weights = at('whole/weights.safetensors');
  expect(readFileSync(at('parts/weights.safetensors')).equals(readFileSync(weights))).toBe(true);
  const other = await train('--resume', at('parts'), '--steps', '40', '--target', 'interpret');
  expect(other.err).toContain('--target: the training has wasm, here it is interpret');
  const evaluate = (target: string) =>
    dnnc('eval', file, 'fit', '--data', data, '--weights', weights, '--target', target);
  const [compiled, interpreted] = [await evaluate('wasm'), await evaluate('interpret')];
  const loss = ({ out }: { out: string }) => Number(/^loss (\S+)/m.exec(out)![1]);
  expect(loss(compiled)).toBeCloseTo(loss(interpreted), 3);
});

it('says which batch is too large for 4 GiB', async () => {
  const wide = at('wide.dnn');
  writeFileSync(wide, tiny.replaceAll('dense(5)', 'dense(65536)'));
  const many = writeTensors(at('many.safetensors'), {
    x: { dtype: 'f32', shape: [20_000, 4], data: new Float32Array(80_000) },
    y: { dtype: 'i32', shape: [20_000], data: new Int32Array(20_000) },
  });
  const { code, err } = await dnnc(
    ...['train', wide, 'fit', '--data', many, '--batch', '20000', '--steps', '1', '--target', 'wasm'],
    ...['--out', at('wide')],
  );
  expect(code).toBe(1);
  expect(err).toMatch(
    /error\[E0501\]: fit\.step with N = 20000 takes \d{5}\.\d MiB in one buffer, the device allows 40\d\d\.\d MiB/,
  );
  expect(err).toMatch(/--batch \d+ would fit/);
}, 120_000);

it('compile writes a module for each target, or one that chooses', async () => {
  const compile = async (target: string) => {
    const { code, out } = await dnnc('compile', file, '-o', at(target), '--target', target);
    expect(code).toBe(0);
    expect(
      out
        .trim()
        .split('\n')
        .map(f => f.slice(at(target).length + 1))
        .sort(),
    ).toEqual(readdirSync(at(target)).sort());
    return out;
  };
  await compile('webgpu');
  expect(readdirSync(at('webgpu')).sort()).toEqual(['tiny.d.ts', 'tiny.js', 'tiny.wgsl']);
  await compile('wasm');
  expect(readdirSync(at('wasm')).sort()).toEqual(['tiny.d.ts', 'tiny.js', 'tiny.wasm']);
  await compile('auto');
  const read = (name: string) => readFileSync(at(name), 'utf8');
  expect(readdirSync(at('auto')).sort()).toEqual(
    ['tiny.d.ts', 'tiny.js', 'tiny.wasm', 'tiny.wasm.js', 'tiny.webgpu.js', 'tiny.wgsl'].sort(),
  );
  expect(read('auto/tiny.webgpu.js')).toBe(read('webgpu/tiny.js'));
  expect(read('auto/tiny.wasm.js')).toBe(read('wasm/tiny.js'));
  const types = (target: string) => read(`${target}/tiny.d.ts`).replace(/'dnnc\/runtime.*'/, '');
  expect(types('auto')).toBe(types('webgpu'));
  expect(types('wasm')).toBe(types('webgpu'));
});
