import { describe, expect, test } from 'vitest';
import { wasmTarget } from '../../src/ir/target.ts';
import { agreeInWasm, eagerTarget } from '../fuzz/check.ts';
import { Counts, wasmPasses } from '../fuzz/counts.ts';
import { shapeCases } from './shapes.ts';

const counts = new Counts();

describe('WebAssembly gives what the graph does', () => {
  test.each(shapeCases.map(c => [c.name, c] as const))('%s', async (_, { text, sizes }) => {
    await agreeInWasm({ text, sizes, seed: 5 }, [wasmTarget, eagerTarget], counts);
  });

  test('by every pass and every schedule', () => {
    expect(counts.of('compared', 'yes')).toBeGreaterThan(300);
    expect(wasmPasses.filter(p => counts.of('pass that changed something', p) === 0)).toEqual([]);
    expect(counts.zeros().filter(name => name.startsWith('schedule: cpu'))).toEqual([]);
  });
});
