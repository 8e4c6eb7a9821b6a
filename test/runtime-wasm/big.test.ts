import { describe, expect, it } from 'vitest';
import { engine } from '../../runtime/wasm/engine.ts';
import { BufferError, open, type WasmModel } from '../../runtime/wasm/index.ts';
import { buildWasmModel } from '../../src/codegen/wasm-model.ts';
import { compile } from '../../src/compile.ts';
import { wasmTarget } from '../../src/ir/target.ts';

/** A table of 2.4 GB, of which nothing is ever written but a few rows: pages that nobody touches take no memory. */
const rows = 75_000_000;
const text = `net Table(t: i32[N]) -> (picked: f32[N, 8], last: f32[4, 8], sums: f32[1000]) {
  param table: f32[${rows}, 8] = zeros
  param behind: f32[8] = zeros
  return table[t] + behind, table[${rows - 10}:${rows - 6}] * 2, sum(reshape(table, [1000, ${(rows * 8) / 1000}])[:, ${(rows * 8) / 1000 - 100}:], axis = 1)
}`;

async function modelOf(source: string): Promise<WasmModel> {
  const { entries, compiled, diagnostics } = compile(
    { name: 'big.dnn', text: source },
    { target: wasmTarget, only: n => !n.endsWith('.init') },
  );
  expect(diagnostics).toEqual([]);
  return buildWasmModel(entries![0]!, compiled!.layout);
}

/** Room for it in addresses, if not in memory. */
function hasRoom(): boolean {
  try {
    return (
      new engine.WebAssembly.Memory({ initial: 40_000, maximum: 65_536, shared: true }).buffer.byteLength > 0
    );
  } catch {
    return false;
  }
}

describe('memory past 2 GiB', () => {
  it.skipIf(!hasRoom())(
    'is read where it is, by computed, constant and vector addresses',
    async () => {
      const model = await modelOf(text);
      const table = model.state.find(t => t.name === 'Table.table')!;
      const behind = model.state.find(t => t.name === 'Table.behind')!;
      expect(table.offset + 32 * rows).toBeGreaterThan(2 ** 31);
      // Windows into the table, so that nobody has to fill all of it.
      const window = (name: string, row: number) => ({
        ...table,
        name,
        shape: [4, 8],
        offset: table.offset + 32 * row,
      });
      const state = [behind, window('first', 0), window('middle', 67_108_862), window('last', rows - 10)];
      const values = (from: number) => Float32Array.from({ length: 32 }, (_, i) => from + i);
      const weights = {
        'Table.behind': new Float32Array(8).fill(0.5),
        first: values(100),
        // Rows on both sides of 2^31 bytes.
        middle: values(200),
        last: values(300),
      };
      const session = await open({ ...model, state }, { weights, threads: 2 });
      const t = new Int32Array([0, 3, 67_108_862, 67_108_863, 67_108_864, 67_108_865, rows - 10, rows - 7]);
      const { picked, last, sums } = await session.run('predict', { t });
      const row = (from: number) => Array.from({ length: 8 }, (_, i) => from + i + 0.5);
      expect([...picked!.data]).toEqual([100, 124, 200, 208, 216, 224, 300, 324].flatMap(from => row(from)));
      expect([...last!.data]).toEqual([...weights.last].map(x => 2 * x));
      // The end of the last of 1000 parts.
      expect(sums!.data[999]).toBe(weights.last.reduce((a, b) => a + b, 0));
      session.dispose();
    },
    120_000,
  );
});

it('does not begin what kernels cannot count', async () => {
  const model = await modelOf(`net A(x: f32[N], y: f32[M]) -> f32 {
    return mean(abs(reshape(x, [N, 1]) - reshape(y, [1, M])))
  }`);
  const session = await open(model, { threads: 1 });
  const long = new Float32Array(100_000);
  const error = await session.run('predict', { x: long, y: long }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(BufferError);
  expect((error as Error).message).toMatch(
    /^A\.predict with N = 100000, M = 100000: \w+ counts to 10000000000, at most 2147418112 in 32 bits$/,
  );
  const { out } = await session.run('predict', { x: new Float32Array([1, 3]), y: new Float32Array([2]) });
  expect([...out!.data]).toEqual([1]);
  session.dispose();
});
