import { describe, expect, test } from 'vitest';
import { buildModel } from '../../src/codegen/model.ts';
import { printModule } from '../../src/codegen/module.ts';
import type { LoopNode, OpNode } from '../../src/ir/graph.ts';
import { gpuTarget, softwareTarget } from '../../src/ir/target.ts';
import { verifyPlan } from '../../src/ir/verify/plan.ts';
import { compileText } from '../torch/run.ts';
import { moduleOf } from './unrolled.ts';

const lstm = (T: string, layers = 1) => `
net R(x: f32[N, ${T}, 8]) -> f32[N, ${T}, 5] { return x -> lstm(16, layers = ${layers}, dropout = 0.1) -> dense(5) }
train fit {
  data x: f32[N, ${T}, 8]
  data y: i32[N, ${T}]
  loss = cross_entropy(R(x), y)
  minimize loss over R by adam(lr = 1e-3)
}`;

const loopsOf = (text: string): LoopNode[] =>
  moduleOf(text).nets[0]!.predict.nodes.filter(n => n.kind === 'loop');

const opsIn = ({ body }: LoopNode): string[] =>
  body.nodes.filter((n): n is OpNode => n.kind === 'op').map(n => n.op.name);

describe('what a loop becomes does not grow with its length', () => {
  test.each([softwareTarget, gpuTarget])('for $name', target => {
    const [short, long, free] = ['64', '800', 'T'].map(T => {
      const { entries, compiled } = compileText('length', lstm(T), target);
      const { plan } = compiled.programs.get('fit.step')!;
      return {
        turns: plan.loops.map(({ from, to }) => to - from),
        dispatches: plan.dispatches.length,
        text: printModule('length.dnn', entries, compiled.layout).length,
      };
    });
    for (const other of [long!, free!]) {
      expect(other.turns).toEqual(short!.turns);
      // Outside the loops, work over all turns at once has larger tiles and sums in two parts where it is long.
      expect(other.dispatches / short!.dispatches).toBeLessThan(1.15);
      // Offsets of a free length are expressions, those of a known one numbers.
      expect(other.text / short!.text).toBeLessThan(other === free ? 2 : 1.25);
    }
  });

  test('memory grows with it by what is remembered alone', () => {
    const { compiled } = compileText('memory', lstm('T'));
    const { plan } = compiled.programs.get('fit.step')!;
    const bytes = (T: number) => plan.liveBytes({ N: 4, T });
    // Gates, states before, cell and output, inputs of both ways, and the loss: for each turn no more.
    expect((bytes(800) - bytes(8)) / 792).toBeLessThan(4 * 4 * 16 * 18);
    expect(verifyPlan(plan, compiled.layout)).toEqual([]);
    expect(verifyPlan(plan, compiled.layout, { N: 3, T: 50 })).toEqual([]);
  });

  test('gradients of weights are products over all turns, after the loop', () => {
    const { compiled } = compileText(
      'sums',
      `net R(x: f32[N, T, 3]) -> f32[N, T, 4] {
        param u: f32[4, 4] = xavier
        param b: f32[4] = zeros
        param w: f32[3, 4] = xavier
        r = scan(axis = 1) xt in x carry h = zeros(N, 4) { h = tanh(h @ u + b + xt @ w)  yield h }
        return r.out
      }
      train fit { data x: f32[N, T, 3]  minimize sum(R(x)) over R by sgd(lr = 1) }`,
    );
    const loops = compiled.programs.get('fit.step')!.graph.nodes.filter(n => n.kind === 'loop');
    const states = loops.map(({ body }) =>
      body.nodes.flatMap(n => (n.kind === 'input' && n.role === 'state' ? [n.name] : [])),
    );
    expect(states).toEqual([['h'], ['cotangent h']]);
    // Forwards h @ u and xt @ w; backwards what goes on through u alone, transposed outside.
    expect(loops.map(l => opsIn(l).filter(op => op === 'matmul').length)).toEqual([2, 1]);
    expect(opsIn(loops[1]!)).not.toContain('transpose');
  });

  test('prediction keeps no states of past turns', () => {
    const { compiled } = compileText('predict', lstm('T'));
    const { graph } = compiled.programs.get('R')!;
    for (const node of graph.nodes)
      if (node.kind === 'loop') expect(node.outputs.length).toBeLessThanOrEqual(3);
  });
});

describe('what does not depend on the turn stays outside', () => {
  test('products of weights, first values, constants', () => {
    const [loop] = loopsOf(`net A(x: f32[N, T, 3], w: f32[3, 3]) -> f32[N, T, 3] {
      r = scan(axis = 1) xt in x carry h = zeros(N, 3) {
        m = softmax(w @ w, axis = 1)
        h = tanh(xt + h @ m)
        yield h
      }
      return r.out
    }`);
    expect(opsIn(loop!)).toEqual(['matmul', 'add', 'tanh']);
  });

  test('products of the input with its weights, for all turns at once', () => {
    const [loop] = loopsOf('net A(x: f32[N, T, 3]) -> f32[N, T, 4] { return x -> lstm(4) }');
    expect(opsIn(loop!).filter(op => op === 'matmul')).toHaveLength(1);
  });

  test('from an inner loop, beyond the outer one', () => {
    const [loop] = loopsOf(`net A(x: f32[T, N, 3], y: f32[2, N, 3]) -> f32[N, 3] {
      r = scan() xt in x carry h = zeros(N, 3) {
        inner = scan() v in y carry g = h { g = g * v + exp(y[0]) + sin(xt) }
        h = inner.g
      }
      return r.h
    }`);
    expect(opsIn(loop!)).toEqual(['sin']);
    const inner = loop!.body.nodes.find((n): n is LoopNode => n.kind === 'loop')!;
    expect(opsIn(inner)).toEqual(['mul', 'add', 'add']);
  });
});

test('paths of recurrent layers', () => {
  const { state } = buildModelOf(
    'net R(x: f32[N, T, 3]) -> f32[N, T, 8] { return x -> rnn(4, layers = 2, bidirectional = true) }',
  );
  expect(state.map(s => s.name).sort()).toEqual(
    [0, 1]
      .flatMap(layer =>
        ['backward', 'forward'].flatMap(direction =>
          ['bias_hh', 'bias_ih', 'weight_hh', 'weight_ih'].map(
            w => `R.rnn.layer.${direction}[${layer}].${w}`,
          ),
        ),
      )
      .sort(),
  );
});

function buildModelOf(text: string) {
  const { entries, compiled } = compileText('model', text);
  return buildModel(entries![0]!, compiled!.layout);
}
