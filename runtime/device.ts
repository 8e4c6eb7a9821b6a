import type { Model } from './plan.ts';

/**
 * The device to run on: the caller's, checked, or a new one from `navigator.gpu` with what the model needs.
 * Throws an Error that names the feature or limit that is missing.
 */
export async function acquire(
  model: Model,
  device?: GPUDevice,
): Promise<{ device: GPUDevice; owned: boolean }> {
  if (device) {
    check(model, 'the given device', device);
    return { device, owned: false };
  }
  const { navigator } = globalThis as { navigator?: { gpu?: GPU } };
  if (!navigator?.gpu) {
    throw new Error(
      `${model.name}: no WebGPU here (no navigator.gpu). In a browser: it takes a recent one and https or localhost. ` +
        "In Node: import { requestDevice } from 'dnnc/runtime/node' and pass { device: await requestDevice() }.",
    );
  }
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error(`${model.name}: this browser has WebGPU, but found no GPU adapter`);
  check(model, 'the GPU adapter', adapter);
  // Buffers grow with free dims, so that their sizes are asked for at the adapter's largest; else what is needed.
  const grows = Object.values(model.programs).some(p => typeof p.arenaBytes === 'function');
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  const largest = grows ? { maxBufferSize, maxStorageBufferBindingSize } : {};
  return {
    device: await adapter.requestDevice({
      requiredFeatures: model.features as GPUFeatureName[],
      requiredLimits: { ...model.limits, ...largest },
    }),
    owned: true,
  };
}

type Listener = (info: GPUDeviceLostInfo) => void;

const listeners = new WeakMap<GPUDevice, Set<Listener>>();

/**
 * Calls `tell` when the device is lost, unless the function that is returned was called before. What waits on
 * `device.lost` itself stays in memory as long as the device lives, so there is one such for each device.
 */
export function onLost(device: GPUDevice, tell: Listener): () => void {
  const all = listeners.get(device) ?? new Set();
  if (!listeners.has(device)) {
    listeners.set(device, all);
    device.lost.then(info => {
      listeners.delete(device);
      for (const told of all) told(info);
    });
  }
  all.add(tell);
  return () => all.delete(tell);
}

function check(model: Model, what: string, given: GPUDevice | GPUAdapter): void {
  const { features, limits } = given;
  const { subgroupSize } = model;
  const info = 'info' in given ? given.info : (given as GPUDevice).adapterInfo;
  const lacks = [
    ...model.features.filter(f => !features.has(f)).map(f => `the feature ${f}`),
    ...Object.entries(model.limits)
      .filter(([name, need]) => !(limitOf(limits, name) >= need))
      .map(([name, need]) => {
        const what = model.needs?.[name];
        return `${name} of ${need}${what ? ` for ${what}` : ''} (it has ${limitOf(limits, name)})`;
      }),
    ...(subgroupSize && (info.subgroupMinSize !== subgroupSize || info.subgroupMaxSize !== subgroupSize)
      ? [`subgroups of ${subgroupSize}`]
      : []),
  ];
  if (lacks.length > 0) throw new Error(`${model.name}: ${what} lacks ${lacks.join(', ')}`);
}

const limitOf = (limits: GPUSupportedLimits, name: string): number =>
  (limits as unknown as Record<string, number>)[name] ?? Number.NaN;
