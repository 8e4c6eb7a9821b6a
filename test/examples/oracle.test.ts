import { expect, test, vi } from 'vitest';
import { wasmTarget } from '../../src/ir/target.ts';
import { graphBackend, wasmBackend } from '../torch/run.ts';
import { compileNet, type Gaps, gapsOf } from './oracle.ts';
import { oracleNets } from './oracle-nets.ts';

// Seconds, and minutes where other work shares the machine.
vi.setConfig({ testTimeout: 300_000 });

/** Far below what a wrong formula gives, and above what f32 loses: of the weights in several steps. */
const device: Gaps = { predicted: 1e-4, loss: 1e-4, grads: 1e-3, final: 5e-3, averages: 1e-3 };

test.each(oracleNets.map(net => [net.example, net] as const))(
  '%s predicts, differentiates and trains as in PyTorch',
  async (_, net) => {
    const compiled = compileNet(net, wasmTarget);
    // In doubles; the answers are kept as floats.
    for (const [what, gap] of Object.entries(await gapsOf(net, compiled, graphBackend, 1)))
      expect(gap, `${what} of the interpreter`).toBeLessThan(1e-6);
    for (const [what, gap] of Object.entries(await gapsOf(net, compiled, wasmBackend(1))))
      expect(gap, `${what} in WebAssembly`).toBeLessThan(device[what as keyof Gaps]);
  },
);

test('a wrong number is noticed', async () => {
  const net = oracleNets.find(n => n.example === 'nin')!;
  const wrong = { ...net, program: net.program.replace('lr = 0.02', 'lr = 0.0201') };
  const { loss, final } = await gapsOf(wrong, compileNet(wrong, wasmTarget), wasmBackend(1));
  expect(loss).toBeGreaterThan(device.loss);
  expect(final).toBeLessThan(1);
});
