// ONNX Runtime: onnxruntime-web (WebAssembly with two threads, or WebGPU) and onnxruntime-node (native). No training.
import { onnxModel } from './onnx.mjs';

const builds = {
  web: () => import('onnxruntime-web'),
  webgpu: () => import('onnxruntime-web/webgpu'),
  node: () => import('onnxruntime-node'),
};

export async function start({ build, ep, adapter }) {
  if (ep === 'webgpu')
    await (build === 'node' ? drivers(adapter) : (await import('./gpu.mjs')).provide(adapter));
  const module = await builds[build]();
  const ort = module.default?.InferenceSession ? module.default : module;
  ort.env.logLevel = 'error';
  if (build !== 'node') {
    ort.env.wasm.numThreads = ep === 'wasm' ? 2 : 1;
    if (build === 'webgpu')
      ort.env.wasm.wasmPaths = new URL('node_modules/onnxruntime-web/dist/', import.meta.url).href;
  }
  return { ort, ep, threads: build === 'node' ? { intraOpNumThreads: 2 } : {} };
}

/** The native library has a Dawn of its own, which finds its Vulkan drivers by the environment. */
async function drivers(adapter) {
  if (adapter === 'gpu') return;
  const { loadVulkan, swiftShader } = await import('../../dist/runtime/node/drivers.js');
  await loadVulkan();
  process.env.VK_DRIVER_FILES = process.env.VK_ICD_FILENAMES = (await swiftShader()).icd;
  process.env.XDG_RUNTIME_DIR ??= (await import('node:os')).tmpdir();
}

export async function prepare({ ort, ep, threads }, work, { params, input }) {
  if (work.training) throw new Error('does not train');
  const graph = work.graph();
  const session = await ort.InferenceSession.create(new Uint8Array(onnxModel(graph, params)), {
    executionProviders: [ep],
    graphOptimizationLevel: 'all',
    ...threads,
  });
  const [name] = session.outputNames;
  return {
    async run() {
      const x = new ort.Tensor('float32', input, graph.input);
      const y = (await session.run({ x }))[name];
      return y.getData ? await y.getData() : y.data;
    },
    dispose: () => session.release(),
  };
}
