import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dnnc, f32, kernelTargets, readTensorFile, temporaryFolder, writeTensors } from './helpers.ts';

const at = temporaryFolder();
const targets = await kernelTargets();

const duel = `
net G(z: f32[N, 2]) -> f32[N, 3] { return z -> hidden: dense(8) -> tanh -> out: dense(3) }
net D(x: f32[N, 3]) -> f32[N, 1] { return x -> hidden: dense(8) -> leaky_relu(0.2) -> out: dense(1) }

train duel {
  data real: f32[N, 3]
  step d {
    fake = stop(G(randn(N, 2)))
    loss = bce_logits(D(real), ones(N, 1)) + bce_logits(D(fake), zeros(N, 1))
    minimize loss over D by adam(lr = 0.01, beta1 = 0.5)
  }
  step g every 2 {
    loss = bce_logits(D(G(randn(N, 2))), ones(N, 1))
    minimize loss over G by adam(lr = 0.01, beta1 = 0.5)
  }
}`;

describe('a program of two steps', () => {
  const file = at('duel.dnn');
  writeFileSync(file, duel);
  const data = writeTensors(at('real.safetensors'), { real: f32([16, 3], i => Math.sin(i) + 1) });
  const train = (out: string, ...more: string[]) =>
    dnnc('train', file, 'duel', '--data', data, '--batch', '8', '--steps', '6', '--out', at(out), ...more);
  const lines = (out: string) =>
    readFileSync(at(`${out}/metrics.jsonl`), 'utf8')
      .trimEnd()
      .split('\n')
      .map(l => JSON.parse(l));

  it('alternates, and writes the metrics of what ran', async () => {
    const { code, err } = await train('i', '--target', 'interpret');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(lines('i').map(l => Object.keys(l).slice(2))).toEqual(
      [0, 1, 2, 3, 4, 5].map(i => (i % 2 === 0 ? ['d.loss', 'g.loss'] : ['d.loss'])),
    );
  });

  it.each(targets)('does the same on %s', async target => {
    expect((await train(target, '--target', target)).code).toBe(0);
    const [a, b] = [lines('i'), lines(target)];
    a.forEach((line, i) => {
      for (const [name, value] of Object.entries(line)) expect(b[i][name]).toBeCloseTo(value as number, 4);
    });
    const [x, y] = ['i', target].map(out => readTensorFile(at(`${out}/weights.safetensors`)));
    for (const [name, { data: values }] of Object.entries(x!))
      values.forEach((v, i) => {
        expect(y![name]!.data[i]).toBeCloseTo(v, 3);
      });
  });
});

describe('net … weights "file"', () => {
  const weight = f32([2, 2], i => i + 1);
  const bias = f32([2], i => 10 * (i + 1));
  writeTensors(at('old.safetensors'), { 'fc.weight': weight, 'fc.bias': bias, 'head.weight': f32([1]) });
  writeFileSync(at('names.json'), '{"^fc\\\\.": "body."}');
  const inputs = writeTensors(at('x.safetensors'), { x: f32([1, 2], () => 1) });
  const body = 'block Body(n: int)(x: f32[N, D]) -> f32[N, n] { return x -> body: dense(n) }\n';
  const run = async (net: string) => {
    writeFileSync(at('net.dnn'), body + net);
    const args = [
      '--net',
      'B',
      '--inputs',
      inputs,
      '--outputs',
      at('y.safetensors'),
      '--target',
      'interpret',
    ];
    return dnnc('run', at('net.dnn'), ...args);
  };

  it('is loaded when the program runs, renamed by a table; what the net does not have is left out', async () => {
    const { code, err } = await run(
      'net B(x: f32[N, 2]) -> f32[N, 2] = Body(2) weights "./old.safetensors" rename "./names.json"',
    );
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect([...readTensorFile(at('y.safetensors')).out!.data]).toEqual([13, 27]);
  });

  it('names what is missing, and its near misses', async () => {
    const { code, err } = await run('net B(x: f32[N, 2]) -> f32[N, 2] = Body(2) weights "./old.safetensors"');
    expect(code).toBe(1);
    expect(err).toMatch(/B\.body\.weight: missing, expected f32\[2, 2\]/);
    expect(err).toMatch(/B\.body\.bias: missing/);
  });

  it('is not needed to check', async () => {
    writeFileSync(
      at('net.dnn'),
      `${body}net B(x: f32[N, 2]) -> f32[N, 2] = Body(2) weights "./nowhere.safetensors"`,
    );
    expect((await dnnc('check', at('net.dnn'))).code).toBe(0);
    const { code, err } = await run(
      'net B(x: f32[N, 2]) -> f32[N, 2] = Body(2) weights "./nowhere.safetensors"',
    );
    expect(code).not.toBe(0);
    expect(err).toMatch(/nowhere\.safetensors/);
  });
});
