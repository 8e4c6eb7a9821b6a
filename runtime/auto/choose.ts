import { isSoftware } from '../software.ts';

/** Where a model runs: `auto` is WebGPU where there is a GPU for it, else WebAssembly. */
export type Target = 'auto' | 'webgpu' | 'wasm';

/**
 * What `auto` means here. A device that is given is used; without one the browser is asked for an adapter, which must
 * not be a CPU in disguise, and must have the features that the kernels take.
 */
export async function chooseTarget(
  { target = 'auto', device }: { readonly target?: Target; readonly device?: GPUDevice } = {},
  features: readonly string[] = [],
): Promise<'webgpu' | 'wasm'> {
  if (target !== 'auto') return target;
  if (device) return 'webgpu';
  const { navigator } = globalThis as { navigator?: { gpu?: GPU } };
  // A browser that refuses to say has none to use.
  const adapter = await navigator?.gpu
    ?.requestAdapter({ powerPreference: 'high-performance' })
    .catch(() => {});
  return adapter && !isSoftware(adapter.info ?? adapter) && features.every(f => adapter.features.has(f))
    ? 'webgpu'
    : 'wasm';
}
