import { expect, test, vi } from 'vitest';
import { type KernelReport, reportKernels } from '../../src/cli/explain/kernels.ts';
import { chosen } from '../../src/cli/explain/programs.ts';
import { compile } from '../../src/compile.ts';
import { gpuTarget, softwareTarget, subgroupTarget, type Target, wasmTarget } from '../../src/ir/target.ts';

// Minutes, where other work shares the machine.
vi.setConfig({ testTimeout: 300_000 });

const channels = 16;
const pixels = 28 * 28;

/** Kernels of a prediction. */
function kernels(layers: string, target: Target, exact: boolean): readonly KernelReport[] {
  const text = `net A(x: f32[2, 8, 28, 28]) -> f32[2, ${channels}, _, _] {
    y = x -> ${layers}
    return relu(y)
  }`;
  const { compiled, diagnostics } = compile(
    { name: 'net.dnn', text },
    { target, exact, only: n => n === 'A' },
  );
  expect(diagnostics.filter(d => d.severity === 'error')).toEqual([]);
  const program = compiled!.programs.get('A')!;
  return reportKernels(chosen(program, {}).plan, {});
}

/** Those that run every time over what is as large as a picture. */
const whole = (list: readonly KernelReport[]): KernelReport[] =>
  list.filter(k => !k.once && k.bytesWritten > 4 * channels);

const flops = (list: readonly KernelReport[]): number => list.reduce((n, k) => n + k.flops, 0);

const kinds = [
  ['Winograd', 'conv(16, 3, pad = 1, bias = false)', false],
  ['a plain sum', 'conv(16, 3, pad = 1, bias = false)', true],
  ['one pixel', 'conv(16, 1, bias = false)', false],
  ['single channels', 'conv(16, 3, pad = 1, groups = 8, bias = false)', false],
] as const;

test.each(
  [gpuTarget, softwareTarget, subgroupTarget, wasmTarget].flatMap(target =>
    kinds.map(([kind, layer, exact]) => [target.name, kind, target, layer, exact] as const),
  ),
)('for %s batch norm after %s is part of its kernel at inference', (_n, _k, target, layer, exact) => {
  const plain = kernels(layer, target, exact);
  const normed = kernels(`${layer} -> batch_norm`, target, exact);
  expect(whole(normed)).toHaveLength(whole(plain).length);
  const last = whole(normed).at(-1)!;
  expect(last.absorbed).toContain('mul');
  expect(last.absorbed).toContain('sub');
  expect(last.bytesWritten).toBe(whole(plain).at(-1)!.bytesWritten);
  // What is left: at most a kernel over the channels alone; in WebAssembly that runs once for given parameters.
  const own = normed.filter(k => k.bytesWritten === 4 * channels);
  expect(own.length).toBeLessThanOrEqual(1);
  if (target === wasmTarget) expect(own.every(k => k.once)).toBe(true);
  // Of an element: less the mean, times the scale, plus the bias. Where no kernel has made the scale, its own three too.
  const more = flops(whole(normed)) - flops(whole(plain));
  expect(more / (2 * channels * pixels)).toBe(own.length === 1 ? 3 : 6);
});
