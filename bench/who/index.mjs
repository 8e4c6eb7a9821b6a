// Who is timed for each target. The first is ours.
// Peers that cannot train are not asked to.
const peer = (name, module, options, more) => ({
  name,
  module: `../peers/${module}.mjs`,
  options,
  peer: true,
  ...more,
});

export const targets = {
  wasm: [
    { name: 'dnnc', module: '../who/dnnc.mjs', options: { target: 'wasm' } },
    peer('onnxruntime-web', 'onnxruntime', { build: 'web', ep: 'wasm' }, { infers: true }),
    peer('onnxruntime-node', 'onnxruntime', { build: 'node', ep: 'cpu' }, { infers: true }),
    peer('tfjs', 'tfjs', { backend: 'wasm' }),
    peer('jax-js', 'jax', { backend: 'wasm' }),
  ],
  webgpu: [
    { name: 'dnnc', module: '../who/dnnc.mjs', options: { target: 'webgpu' } },
    // Its start takes half a minute where V8 optimises all of its module first.
    peer(
      'onnxruntime-web',
      'onnxruntime',
      { build: 'webgpu', ep: 'webgpu' },
      { infers: true, execArgv: ['--liftoff-only'] },
    ),
    peer('onnxruntime-node', 'onnxruntime', { build: 'node', ep: 'webgpu' }, { infers: true }),
    peer('tfjs', 'tfjs', { backend: 'webgpu' }),
    peer('jax-js', 'jax', { backend: 'webgpu' }),
  ],
};
