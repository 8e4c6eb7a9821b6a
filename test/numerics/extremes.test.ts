import { describe, expect, test, vi } from 'vitest';
import { open } from '../../runtime/index.ts';
import { isSoftware } from '../../runtime/node/index.ts';
import { expandGraph } from '../../src/cli/graphs.ts';
import { buildModel } from '../../src/codegen/model.ts';
import { compile } from '../../src/compile.ts';
import { interpretGraph } from '../../src/ir/interpret/graph.ts';
import { interpretProgram } from '../../src/ir/interpret/program.ts';
import { ndarray } from '../../src/ir/ndarray.ts';
import { gpuTarget, softwareTarget } from '../../src/ir/target.ts';
import { getDevice } from '../gpu.ts';

vi.setConfig({ testTimeout: 120_000 });

const device = await getDevice();

const sizes = [0, 1e-8, 1e-4, 0.3, 1, 5, 20, 87, 88, 89, 104, 1000, 1e4];
const points = [...sizes, ...sizes.slice(1).map(x => -x)].map(Math.fround);

/**
 * Values and gradients of `body`, a function of x, by the graph in f64, and how far from them the kernels in f32 are, on
 * the interpreter and on the device.
 */
async function gaps(body: string, shape: readonly number[]) {
  const type = `f32[${['N', ...shape.slice(1)].join(', ')}]`;
  const text = `net P(x: ${type}) -> (y: f32[...], slope: ${type}) {
  y = ${body}
  return y, grad(sum(y), x)
}
`;
  const { module, compiled, entries, diagnostics } = compile(
    { name: 'extremes.dnn', text },
    {
      target: device && isSoftware(device.adapterInfo) ? softwareTarget : gpuTarget,
      only: name => name === 'P',
    },
  );
  if (!compiled) throw new Error(diagnostics.map(d => d.message).join('\n'));
  const x = ndarray(
    'f32',
    shape,
    points.slice(
      0,
      shape.reduce((a, b) => a * b),
    ),
  );
  const dims = { N: shape[0]! };
  const exact = interpretGraph(expandGraph(module!.nets[0]!.predict), { x }, { dims }).outputs;
  const { program, scheduled } = compiled.programs.get('P')!;
  const found: [string, ReadonlyMap<string, { readonly data: ArrayLike<number> }>][] = [
    ['kernels', interpretProgram(program, { x }, { dims, precision: 'f32', kernels: scheduled }).outputs],
  ];
  if (device) {
    const session = await open(buildModel(entries![0]!, compiled.layout), { device });
    const outputs = await session.run('predict', { x: { data: Float32Array.from(x.data), shape } });
    session.dispose();
    found.push(['device', new Map(Object.entries(outputs))]);
  }
  const problems: string[] = [];
  for (const [how, outputs] of found)
    for (const name of ['y', 'slope']) {
      const [wanted, given] = [exact.get(name)!.data, outputs.get(name)!.data];
      for (const [i, e] of wanted.entries()) {
        if (!Number.isFinite(e) || Math.abs(e) > 3e38) continue;
        const gap = Math.abs(given[i]! - e);
        // Below the smallest normal number a device may give 0.
        if (!(gap <= 2e-5 * Math.abs(e) + 2e-6))
          problems.push(
            `${name}(${points[wanted.length === points.length ? i : 0]}) by ${how}: ${given[i]} against ${e}`,
          );
      }
    }
  return problems;
}

const flat = [points.length];

describe('where f64 is finite f32 is, and so is its gradient', () => {
  test.each([
    ...['sigmoid(x)', 'tanh(x)', 'softplus(x)', 'log_sigmoid(x)', 'gelu(x)', 'gelu(x, approximate = true)'],
    ...['silu(x)', 'mish(x)', 'elu(x)', 'selu(x)', 'celu(x)', 'softsign(x)', 'erf(x)', 'hard_swish(x)'],
    ...['bce_logits(x, x * 0, reduction = "none")', 'bce_logits(x, x * 0 + 1, reduction = "none")'],
    ...['focal(x, x * 0 + 1, reduction = "none")', 'huber(x, x * 0, reduction = "none")'],
    ...['x ^ 2', 'x ^ 3', 'x ^ 4', 'x ^ 5', 'x ^ 7', 'where(x == 0, 1, x) ^ -1', 'where(x == 0, 1, x) ^ -2'],
    ...['x ^ (x * 0 + 3)', 'x ^ (x * 0 + 2)', 'sqrt(x ^ 2 + 1)', 'sqrt(max(x, 0) + 1e-12)'],
    ...['log(abs(x) + 1)', 'exp(min(x, 80))', 'cos(x / 10)', 'prod(reshape(x * 0 + 1.5, [1, N]), axis = 1)'],
  ])('%s', async body => {
    expect(await gaps(body, flat)).toEqual([]);
  });

  test.each([
    ...['softmax(x)', 'log_softmax(x)', 'log_sum_exp(x, axis = 1)', 'softmax(x) * log_softmax(x)'],
    ...[
      'cross_entropy(x, iota(N), reduction = "none")',
      'cross_entropy(x, iota(N), smoothing = 0.1, reduction = "none")',
    ],
    ...['soft_cross_entropy(x, softmax(x * 0), reduction = "none")'],
    ...['kl(log_softmax(x), softmax(x * 0), reduction = "none")'],
  ])('rows: %s', async body => {
    expect(await gaps(body, [5, 5])).toEqual([]);
  });
});

test('the comparison finds what overflows', async () => {
  expect((await gaps('log(1 + exp(x))', flat)).length).toBeGreaterThan(4);
});
