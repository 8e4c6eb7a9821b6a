import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compile } from '../../src/compile.ts';
import { softwareTarget } from '../../src/ir/target.ts';
import { i32 } from '../elaborate/helpers.ts';
import { type Compilation, fusedBackend } from '../torch/run.ts';

const defines = { Characters: 12, Embedding: 6, Hidden: 12, Rate: 0.05 };

/** A character model, with a cell written out and with the layer of the library, learns a line by heart. */
test.each(['cell', 'layer'])(
  '%s.dnn halves its loss in 30 steps',
  async name => {
    const url = new URL(`../cases/charnn/${name}.dnn`, import.meta.url);
    const source = { name: `${name}.dnn`, text: readFileSync(url, 'utf8') };
    const { diagnostics, ...compiled } = compile(source, { target: softwareTarget, defines });
    expect(diagnostics).toEqual([]);
    const backend = fusedBackend(softwareTarget);
    const training = await backend.training({ diagnostics, ...compiled } as Compilation, {});
    const line = [...'abcabdabcabeabfa'].map(c => c.charCodeAt(0) - 97);
    const [N, T] = [2, 7];
    const window = (from: number) => line.slice(from, from + T);
    const data = {
      ids: i32([N, T], [...window(0), ...window(7)]),
      next: i32([N, T], [...window(1), ...window(8)]),
    };
    const losses: number[] = [];
    for (let i = 0; i < 30; i++) losses.push((await training.step(data)).loss!.data[0]!);
    expect(losses[0]).toBeGreaterThan(2.2);
    expect(Math.min(...losses.slice(-3))).toBeLessThan(losses[0]! / 2);
  },
  60_000,
);
