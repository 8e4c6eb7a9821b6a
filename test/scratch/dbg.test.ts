import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import { compile } from '../../src/compile.ts';
import * as D from '../../src/ir/dim.ts';
import { interpretGraph } from '../../src/ir/interpret/graph.ts';
import { interpretProgram } from '../../src/ir/interpret/program.ts';
import { size } from '../../src/ir/ndarray.ts';
import { gpuTarget, softwareTarget } from '../../src/ir/target.ts';
import { difference, generator, randomLike } from '../arbitrary/numbers.ts';
test.each([softwareTarget, gpuTarget])('x', target => {
  const text = readFileSync('examples/lenet/lenet.dnn', 'utf8');
  const { compiled } = compile({ name: 'l', text }, { target });
  for (const name of ['digits.step', 'digits.evaluate']) {
    const p = compiled!.programs.get(name)!;
    const next = generator(3);
    const inputs: any = {};
    for (const n of p.graph.nodes) if (n.kind === 'input') {
      const t = n.outputs[0].type; const shape = t.shape.map(d => D.evaluate(d, { N: 4 }));
      const a = randomLike({ dtype: t.dtype, shape, data: new Float64Array(size(shape)) }, next);
      if (t.dtype === 'f32') for (let i = 0; i < a.data.length; i++) a.data[i]! *= 0.1;
      if (n.name === 'y') a.data.set([3, 1, 9, 0]);
      if (n.name === 'x') for (let i = 0; i < a.data.length; i++) a.data[i] = (i * 7919) % 256;
      if (n.name === 'key') a.data.set([1, 2]);
      inputs[n.name] = a;
    }
    const e = interpretGraph(p.graph, inputs, { dims: { N: 4 } });
    for (const run of [{}, { kernels: p.scheduled }]) {
      const a = interpretProgram(p.program, inputs, { dims: { N: 4 }, ...run });
      for (const o of p.graph.outputs) {
        const got = o.role === 'update' ? a.state.get(o.target!) : a.outputs.get(o.name);
        const wrong = difference(got!, e.outputs.get(o.name)!, 1e-9);
        if (wrong || o.role !== 'update') console.log(target.name, name, Object.keys(run), o.name, wrong, got!.data[0]);
      }
    }
  }
});
