import { test } from 'vitest';
import { printWat } from '../../src/codegen/wasm/module.ts';
import * as K from '../kernel/build.ts';
import { WasmKernels } from './run.ts';
test('x', async () => {
  const i = K.builtin('group');
  const k = K.kernel('f', [K.buffer('x','f32'), K.buffer('y','f32','read_write')], [
    K.bind('v', K.load('x', K.add(i, K.i32(0)))),
    K.store('y', i, K.unary('sin', K.ref('v','f32')))], {workgroupSize: 1, groups: 8, comments: ['hello there']});
  console.log(await printWat([{kernel: k, uniforms: []}]));
  const w = await WasmKernels.of([{kernel:k, uniforms: []}]);
  const x = Float64Array.from([0, 1, 2, 1000, 1e7, 3e38, -1e30, Infinity].map(Math.fround)), y = new Float64Array(8);
  const b = {x, y};
  w.run(0, b);
  console.log(b.y, x.map(Math.sin));
});
