import { test } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.ts';
import * as D from '../../src/ir/dim.ts';
import type { Graph, Value } from '../../src/ir/graph.ts';
import { gpuTarget, softwareTarget, type Target } from '../../src/ir/target.ts';
import { tensor } from '../../src/ir/type.ts';
import * as B from '../../src/ops/build.ts';
import { convolution } from '../../src/ops/convolution.ts';
import { gradient } from '../../src/ops/gradient.ts';
import { matmul } from '../../src/ops/matmul.ts';
import { reduceMax } from '../../src/ops/reduce-max.ts';
import { stop } from '../../src/ops/stop.ts';
import { tanh } from '../../src/ops/tanh.ts';
import { windowSum } from '../../src/ops/window-sum.ts';
import { compileModule } from '../../src/passes/pipeline.ts';
import { buildModel } from '../../src/codegen/model.ts';
import { open } from '../../runtime/index.ts';
import { requestDevice } from '../../runtime/node/index.ts';
import { writeFileSync } from 'node:fs';

const N = D.symbol('N');
function net(b: GraphBuilder, x: Value): { y: Value; params: [string, Value][] } {
  const params: [string, Value][] = [];
  const param = (name: string, shape: number[]): Value => { const v = b.input('param', name, tensor('f32', shape)); params.push([name, v]); return v; };
  const conv = (v: Value, name: string, o: number, i: number, pad: number) => {
    b.origin = { path: `LeNet.${name}` };
    const c = b.emit(convolution, [v, param(`${name}.weight`, [o, i, 5, 5])], { pad_low: pad, pad_high: pad });
    const t = b.emit(tanh, [B.add(b, c, B.reshape(b, param(`${name}.bias`, [o]), [1, o, 1, 1]))]);
    return B.mul(b, b.emit(windowSum, [t], { kernel: 2, stride: 2 }), B.scalar(b, 0.25));
  };
  const dense = (v: Value, name: string, o: number, i: number) => {
    b.origin = { path: `LeNet.${name}` };
    return B.add(b, b.emit(matmul, [v, B.transpose(b, param(`${name}.weight`, [o, i]), [1, 0])]), param(`${name}.bias`, [o])); };
  let h = conv(x, 'conv', 6, 1, 2);
  h = conv(h, 'conv_2', 16, 6, 0);
  h = B.reshape(b, h, [N, 400]);
  h = b.emit(tanh, [dense(h, 'dense', 120, 400)]);
  h = b.emit(tanh, [dense(h, 'dense_2', 84, 120)]);
  return { y: dense(h, 'head', 10, 84), params };
}
function predict(): Graph { const b = new GraphBuilder('LeNet'); const x = b.input('input', 'x', tensor('f32', [N, 1, 28, 28])); b.output({ name: 'out', role: 'result', value: net(b, x).y }); return b.build(); }
function step(): Graph {
  const b = new GraphBuilder('step');
  const x = B.mul(b, B.cast(b, b.input('data', 'x', tensor('u8', [N, 1, 28, 28])), 'f32'), B.scalar(b, 1 / 255));
  const t = b.input('data', 'y', tensor('i32', [N]));
  const { y, params } = net(b, x);
  b.origin = { path: 'loss' };
  const m = b.emit(stop, [b.emit(reduceMax, [y], { axes: [1], keep: true })]);
  const s = B.sub(b, y, m);
  const lse = B.log(b, B.reduceSum(b, B.exp(b, s), [1], true));
  const logp = B.sub(b, s, lse);
  const hot = B.eq(b, B.broadcastTo(b, B.reshape(b, t, [N, 1]), y.type.shape), B.iota(b, y.type.shape, 1, 'i32'));
  const picked = B.reduceSum(b, B.where(b, hot, logp, 0), [1]);
  const n = b.emit((B as any).size ?? (require('x')), []);
  return b.build();
}
void step; void gradient; void writeFileSync; void gpuTarget;
test('lenet predict', async () => {
  for (const [target, adapter] of [[softwareTarget, 'software'], [gpuTarget, 'software']] as [Target, 'software'][]) {
    const t0 = performance.now();
    const c = compileModule({ nets: [{ name: 'LeNet', predict: predict(), init: new GraphBuilder('init').build() }], trains: [] }, { target, diagnostics: [] });
    const plan = c.programs.get('LeNet')!.plan;
    const model = buildModel({ kind: 'net', name: 'LeNet', programs: [{ name: 'predict', plan }] }, c.layout);
    console.log(target.name, 'compile ms', performance.now() - t0);
    writeFileSync(`/tmp/lenet_${target.name}.wgsl`, model.programs.predict!.kernels.map(k => k.code).join('\n'));
    const device = await requestDevice({ adapter });
    const weights = Object.fromEntries(model.state.map(s => [s.name, Float32Array.from({ length: s.shape.reduce((a, b) => a * b, 1) }, () => Math.random() - 0.5)]));
    const t1 = performance.now();
    const session = await open(model, { device, weights });
    const x = new Float32Array(64 * 784).map(() => Math.random());
    await session.run('predict', { x });
    console.log('first', performance.now() - t1);
    const ts: number[] = [];
    for (let i = 0; i < 30; i++) { const t = performance.now(); await session.run('predict', { x }); ts.push(performance.now() - t); }
    ts.sort((a, b) => a - b);
    console.log(target.name, 'median', ts[15], 'min', ts[0], 'dispatches', model.programs.predict!.dispatches.length);
    session.dispose();
  }
});
