import { expect, test } from 'vitest';
import { ndarray } from '../../src/ir/ndarray.ts';
import { gpuTarget } from '../../src/ir/target.ts';
import { compileText, graphBackend, kernelBackend } from '../torch/run.ts';

/** Division in kernels is made of divisions of non-negative numbers: nothing on the way may overflow. */
test.each([1, 2, 3, 1024, 1073741824])(
  'floor division and remainder by %i of the least integers',
  async by => {
    const text = `net Case(x: i32[6]) -> (q: i32[6], r: i32[6]) { return x ~/ ${by}, x % ${by} }`;
    const x = [-2147483648, -2147483647, -1073741825, -1, 0, 2147483647];
    const given = { x: ndarray('i32', [6], x) };
    const compiled = compileText('divide', text);
    for (const backend of [graphBackend, kernelBackend(gpuTarget)]) {
      const { q, r } = await backend.net(compiled, given);
      const quotients = x.map(v => Math.floor(v / by));
      expect([...q!.data], backend.name).toEqual(quotients);
      expect([...r!.data], backend.name).toEqual(x.map((v, i) => v - quotients[i]! * by));
    }
  },
);
