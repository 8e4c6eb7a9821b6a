import type { UniformWord } from '../../src/codegen/wgsl/kernel.ts';
import { entryPoint, printKernel, usesUniforms } from '../../src/codegen/wgsl/kernel.ts';
import type { DimEnv } from '../../src/ir/dim.ts';
import { evaluate } from '../../src/ir/dim.ts';
import type { Kernel } from '../../src/ir/kernel.ts';
import type { DType } from '../../src/ir/type.ts';

/** Elements as the interpreter holds them, one number each. */
export type Buffers = Record<string, Float64Array>;

function pack(data: Float64Array, dtype: DType): ArrayBuffer {
  if (dtype === 'u8') {
    const bytes = new Uint8Array(Math.ceil(data.length / 4) * 4);
    bytes.set(data);
    return bytes.buffer;
  }
  const words =
    dtype === 'f32' ? new Float32Array(data) : dtype === 'i32' ? new Int32Array(data) : new Uint32Array(data);
  return words.buffer;
}

function unpack(bytes: ArrayBuffer, dtype: DType): Float64Array {
  if (dtype === 'f32') return Float64Array.from(new Float32Array(bytes));
  return Float64Array.from(dtype === 'i32' ? new Int32Array(bytes) : new Uint32Array(bytes));
}

/** Runs one kernel once; returns the contents of its writable buffers. */
export async function runOnGpu(
  device: GPUDevice,
  kernel: Kernel,
  buffers: Buffers,
  uniforms: Readonly<Record<string, number>> = {},
  words: readonly UniformWord[] = [],
): Promise<Buffers> {
  device.pushErrorScope('validation');
  const code = printKernel(kernel, words);
  const module = device.createShaderModule({ code });
  const { messages } = await module.getCompilationInfo();
  const errors = messages.filter(m => m.type === 'error');
  if (errors.length > 0)
    throw new Error(`${errors.map(e => `${e.lineNum}: ${e.message}`).join('\n')}\n${code}`);
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module, entryPoint: entryPoint(kernel) },
  });
  const storage = kernel.buffers.map(b => {
    const data = pack(buffers[b.name]!, b.dtype);
    const buffer = device.createBuffer({ size: data.byteLength, usage: 0x80 | 0x4 | 0x8 });
    device.queue.writeBuffer(buffer, 0, data);
    return buffer;
  });
  const bound = [...storage];
  if (usesUniforms(kernel)) {
    const view = new DataView(new ArrayBuffer(4 * words.length));
    words.forEach((w, i) => {
      const value = uniforms[w.name] ?? 0;
      if (w.dtype === 'f32') view.setFloat32(4 * i, value, true);
      else view.setUint32(4 * i, value, true);
    });
    const block = device.createBuffer({ size: 4 * words.length, usage: 0x40 | 0x8 });
    device.queue.writeBuffer(block, 0, view.buffer);
    bound.push(block);
  }
  const entries = bound.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  const groups = evaluate(kernel.groups, uniforms as DimEnv);
  const rows = Math.ceil(groups / 65535);
  pass.dispatchWorkgroups(Math.ceil(groups / rows), rows);
  pass.end();
  const results: Buffers = {};
  const staged = storage.map(buffer => {
    const copy = device.createBuffer({ size: buffer.size, usage: 0x1 | 0x8 });
    encoder.copyBufferToBuffer(buffer, 0, copy, 0, buffer.size);
    return copy;
  });
  device.queue.submit([encoder.finish()]);
  const error = await device.popErrorScope();
  if (error) throw new Error(`${error.message}\n${code}`);
  for (const [i, b] of kernel.buffers.entries()) {
    if (b.access === 'read') continue;
    await staged[i]!.mapAsync(1);
    results[b.name] = unpack(staged[i]!.getMappedRange().slice(0), b.dtype).slice(0, buffers[b.name]!.length);
  }
  for (const b of [...bound, ...staged]) b.destroy();
  return results;
}
