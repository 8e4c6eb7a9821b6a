import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openNet, openTrainer } from '../../runtime/index.ts';
import { getDevice } from '../gpu.ts';
import { complaints, models, print, stub } from './printed.ts';

const device = await getDevice();
const folder = mkdtempSync(join(tmpdir(), 'dnnc-words-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  device?.destroy();
});

/** Words of JavaScript, TypeScript and WGSL, members of every object, and names that generated code uses itself. */
const words = (
  'constructor toString __proto__ then eval arguments await async class default new null undefined NaN this super ' +
  'Math Object Promise RangeError globalThis openNet across positive options Input Output any asserts type fn ' +
  'readonly var override u32 array storage Uniforms uniforms workgroup_id local_index __ predict step lost dispose'
).split(' ');

/** Uses a word wherever the language takes a name of one's own. */
const program = (word: string): string => `
net ${word}(x: f32[N, 4]) -> f32[N, 2] {
  return x -> ${word}: dense(2) -> tanh
}
net Net_(${word}: f32[${word}, 4]) -> f32[${word}, 2] {
  return ${word} -> ${word}: dense(2) -> tanh
}
train ${word}_ {
  data ${word}: f32[N, 4]
  data y: f32[N, 2]
  loss = mean((Net_(${word}) - y) ^ 2)
  minimize loss over Net_ by sgd(lr = 0.1, momentum = 0.9)
}
train fit_ {
  data x: f32[N, 4]
  data y: f32[N, 2]
  loss = mean((${word}(x) - y) ^ 2)
  minimize loss over ${word} by sgd(lr = 0.1)
  metric ${word} = max(x)
}
`;

describe('words of other languages as names', () => {
  const files = words.map((word, i) => ({ word, stem: `net${i}`, printed: print('net.dnn', program(word)) }));
  const x = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i));
  const batch = (name: string) =>
    Object.fromEntries([
      [name, x],
      ['y', new Float32Array(6)],
    ]);

  it.skipIf(!device)(
    'give modules that run',
    async () => {
      const options = { device: device!, seed: 1 };
      for (const { word, printed } of files) {
        const all = await models(printed.js(stub));
        const model = (name: string) => {
          const found = all.find(m => m.name === name);
          expect(found, `${word}: ${all.map(m => m.name)}`).toBeDefined();
          return found!;
        };
        for (const [train, net, data] of [
          [`${word}_`, 'Net_', word],
          ['fit_', word, 'x'],
        ] as const) {
          const trainer = await openTrainer(model(train), options);
          const first = await trainer.step(batch(data));
          const second = await trainer.step(batch(data));
          expect(second.loss as number, word).toBeLessThan(first.loss as number);
          if (net === word) expect(first[word], word).toBeCloseTo(Math.sin(8), 4);
          const weights = await trainer.save();
          const opened = await openNet(model(net), { ...options, weights, extra: true });
          const y = await opened.predict(x);
          expect(y, word).toMatchObject({ shape: [3, 2] });
          expect(Object.hasOwn(trainer.nets, net), word).toBe(true);
          expect(await trainer.nets[net]!.predict(x), word).toEqual(y);
          trainer.dispose();
          opened.dispose();
        }
      }
    },
    120_000,
  );

  it('give declarations that TypeScript takes', () => {
    const uses = files.map(({ stem, printed }) => {
      writeFileSync(join(folder, `${stem}.d.ts`), printed.types);
      const [load] = /load\w+/.exec(printed.types)!;
      return `import { ${load} as ${stem} } from './${stem}.js';
export const y${stem}: Promise<Float32Array> = ${stem}().then(n => n.predict(new Float32Array(4))).then(y => y.data);`;
    });
    writeFileSync(join(folder, 'use.ts'), uses.join('\n'));
    expect(complaints(folder)).toBe('');
  });
});
