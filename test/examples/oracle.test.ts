import { describe, expect, test, vi } from 'vitest';
import { graphBackend, wasmBackend } from '../torch/run.ts';
import { gapsOf } from './oracle.ts';
import { oracleNets } from './oracle-nets.ts';

// Seconds, and minutes where other work shares the machine.
vi.setConfig({ testTimeout: 300_000 });

describe.each(oracleNets.map(net => [net.example, net] as const))('%s as in PyTorch', (_, net) => {
  test.each([graphBackend, wasmBackend(1)].map(b => [b.name, b] as const))('%s', async (name, backend) => {
    const gaps = await gapsOf(net, backend);
    console.log(net.example, name, gaps);
  });
});
