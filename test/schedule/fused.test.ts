import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.ts';
import * as D from '../../src/ir/dim.ts';
import type { Graph, Value } from '../../src/ir/graph.ts';
import { interpretGraph } from '../../src/ir/interpret/graph.ts';
import { interpretProgram } from '../../src/ir/interpret/program.ts';
import { ndarray, size } from '../../src/ir/ndarray.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import { gpuTarget, softwareTarget, subgroupTarget, type Target, wasmTarget } from '../../src/ir/target.ts';
import { tensor } from '../../src/ir/type.ts';
import * as B from '../../src/ops/build.ts';
import { concat } from '../../src/ops/concat.ts';
import { convolution } from '../../src/ops/convolution.ts';
import { gradient } from '../../src/ops/gradient.ts';
import { matmul } from '../../src/ops/matmul.ts';
import { maxPool } from '../../src/ops/max-pool.ts';
import { relu } from '../../src/ops/relu.ts';
import { tanh } from '../../src/ops/tanh.ts';
import { windowSum } from '../../src/ops/window-sum.ts';
import { fuse } from '../../src/passes/fuse/index.ts';
import { pack, packGroups, stateOrder } from '../../src/passes/pack.ts';
import { runGraphPasses } from '../../src/passes/pass.ts';
import { graphPasses } from '../../src/passes/pipeline.ts';
import { layoutState } from '../../src/passes/plan-memory.ts';
import { schedule } from '../../src/passes/schedule/index.ts';
import { difference, generator, randomLike } from '../arbitrary/numbers.ts';

const N = D.symbol('N');

/** conv - bias - tanh - pool - conv - bias - relu - max pool - dense, squared error, momentum SGD. */
function trainingStep(): Graph {
  const b = new GraphBuilder('step');
  const param = (name: string, shape: number[]): Value => b.input('param', name, tensor('f32', shape));
  const names = {
    'conv1.weight': [4, 1, 3, 3],
    'conv1.bias': [4],
    'conv2.weight': [6, 4, 3, 3],
    'conv2.bias': [6],
    'head.weight': [5, 24],
    'head.bias': [5],
  };
  const p = Object.fromEntries(Object.entries(names).map(([name, shape]) => [name, param(name, shape)]));
  const x = b.input('data', 'x', tensor('f32', [N, 1, 8, 8]));
  const target = b.input('data', 'target', tensor('f32', [N, 5]));
  const lr = b.input('scalar', 'lr', tensor('f32', []));
  const bias = (v: Value, name: string): Value =>
    B.add(b, v, B.reshape(b, p[name]!, [1, p[name]!.type.shape[0]!, 1, 1]));
  let h = b.emit(tanh, [
    bias(b.emit(convolution, [x, p['conv1.weight']!], { pad_low: 1, pad_high: 1 }), 'conv1.bias'),
  ]);
  h = B.mul(b, b.emit(windowSum, [h], { kernel: 2, stride: 2 }), B.scalar(b, 0.25));
  h = b.emit(relu, [
    bias(b.emit(convolution, [h, p['conv2.weight']!], { pad_low: 1, pad_high: 1 }), 'conv2.bias'),
  ]);
  h = b.emitAll(maxPool, [h], { kernel: 2, stride: 2 })[0]!;
  const flat = B.reshape(b, h, [N, 24]);
  const y = B.add(b, b.emit(matmul, [flat, B.transpose(b, p['head.weight']!, [1, 0])]), p['head.bias']!);
  const gap = B.sub(b, y, target);
  const loss = B.reduceSum(b, B.mul(b, gap, gap));
  const params = Object.values(p);
  const grads = b.emitAll(gradient, [loss, ...params]);
  b.output({ name: 'loss', role: 'metric', value: loss });
  params.forEach((w, i) => {
    const name = Object.keys(names)[i]!;
    const v = b.input('state', `velocity.${name}`, w.type);
    const next = B.add(b, B.mul(b, v, B.scalar(b, 0.9)), grads[i]!);
    b.output({ name: `velocity.${name}`, role: 'update', value: next, target: `velocity.${name}` });
    b.output({ name, role: 'update', value: B.sub(b, w, B.mul(b, lr, next)), target: name });
  });
  return b.build();
}

function inputsFor(graph: Graph, n: number): Record<string, NdArray> {
  const next = generator(7);
  const made: Record<string, NdArray> = {};
  for (const node of graph.nodes)
    if (node.kind === 'input') {
      const { type } = node.outputs[0];
      const shape = type.shape.map(d => D.evaluate(d, { N: n }));
      made[node.name] = randomLike({ dtype: type.dtype, shape, data: new Float64Array(size(shape)) }, next);
    }
  return made;
}

describe.each<Target>([softwareTarget, subgroupTarget, gpuTarget, wasmTarget])(
  'a training step for $name',
  target => {
    const source = trainingStep();
    const graph = runGraphPasses(graphPasses, source, { diagnostics: [] });
    const fused = fuse(graph, target);
    const layout = layoutState(
      stateOrder(packGroups(fused), fused.tensors).map(t => ({
        name: t.path!,
        role: t.role as 'param',
        type: t.type,
      })),
    );
    const program = pack(fused, layout);
    const kernels = schedule(program, target);

    test.each([1, 3, 8])('works and kernels agree with the graph, N = %i', n => {
      const inputs = inputsFor(graph, n);
      const expected = interpretGraph(graph, inputs, { dims: { N: n } });
      for (const run of [{}, { kernels }]) {
        const actual = interpretProgram(program, inputs, { dims: { N: n }, ...run });
        for (const o of graph.outputs) {
          const got = o.role === 'update' ? actual.state.get(o.target!) : actual.outputs.get(o.name);
          const wrong = difference(got!, expected.outputs.get(o.name)!, 1e-10);
          if (wrong) throw new Error(`${o.name}: ${wrong}`);
        }
      }
    });

    test('few dispatches', () => {
      expect(program.works.length).toBeLessThanOrEqual(target.kind === 'cpu' ? 16 : 13);
    });
  },
);

describe('updates and memory', () => {
  const state = (b: GraphBuilder, name: string): Value => b.input('state', name, tensor('f32', [3]));
  const run = (graph: Graph, inputs: Record<string, number[]>) => {
    const program = fuse(runGraphPasses(graphPasses, graph, { diagnostics: [] }), softwareTarget);
    const arrays = Object.entries(inputs).map(([name, v]) => [name, ndarray('f32', [v.length], v)] as const);
    return interpretProgram(program, Object.fromEntries(arrays), { dims: {} });
  };
  const list = (x: NdArray | undefined): number[] => [...x!.data];

  test('two states change places', () => {
    const b = new GraphBuilder('swap');
    const [p, q] = [state(b, 'p'), state(b, 'q')];
    b.output({ name: 'p', role: 'update', value: q, target: 'p' });
    b.output({ name: 'q', role: 'update', value: p, target: 'q' });
    const { state: after } = run(b.build(), { p: [1, 2, 3], q: [4, 5, 6] });
    expect(list(after.get('p'))).toEqual([4, 5, 6]);
    expect(list(after.get('q'))).toEqual([1, 2, 3]);
  });

  test('the old content goes to another state and to the host', () => {
    const b = new GraphBuilder('history');
    const [p, q] = [state(b, 'p'), state(b, 'q')];
    b.output({ name: 'p', role: 'update', value: B.add(b, p, q), target: 'p' });
    b.output({ name: 'q', role: 'update', value: p, target: 'q' });
    b.output({ name: 'old', role: 'result', value: p });
    const { state: after, outputs } = run(b.build(), { p: [1, 2, 3], q: [4, 5, 6] });
    expect(list(after.get('p'))).toEqual([5, 7, 9]);
    expect(list(after.get('q'))).toEqual([1, 2, 3]);
    expect(list(outputs.get('old'))).toEqual([1, 2, 3]);
  });

  test('a state that is read in another order is not overwritten early', () => {
    const b = new GraphBuilder('shift');
    const p = state(b, 'p');
    const rolled = b.emit(concat, [B.slice(b, p, [1], [3]), B.slice(b, p, [0], [1])], { axis: 0 });
    b.output({ name: 'p', role: 'update', value: B.add(b, p, rolled), target: 'p' });
    expect(list(run(b.build(), { p: [1, 2, 3] }).state.get('p'))).toEqual([3, 5, 4]);
  });
});
