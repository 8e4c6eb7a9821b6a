import { isSoftware } from '../software.ts';
import { type AdapterChoice, findAdapter, limitsOf } from './adapters.ts';
import { wait } from './wait.ts';

export interface DeviceOptions {
  /** `auto` (default): a real GPU, else a software adapter. */
  readonly adapter?: AdapterChoice;
  /** Features that must be there. Of the optional ones those for compute are taken where the adapter has them. */
  readonly features?: readonly string[];
  /** Limits that must be reached, beyond the adapter's own, which are asked for anyway. */
  readonly limits?: Readonly<Record<string, number>>;
  /** Dawn toggles, such as `vulkan_enable_f16_on_nvidia` or `allow_unsafe_apis`; browsers do not have them. */
  readonly toggles?: readonly string[];
}

const usefulFeatures = [
  'shader-f16',
  'subgroups',
  'timestamp-query',
  'chromium-experimental-subgroup-matrix',
];

const usefulLimits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxUniformBufferBindingSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
];

const devices = new Set<GPUDevice>();

/**
 * A WebGPU device in Node, with the adapter's limits for compute. Throws `NoAdapterError`, or an Error naming the
 * feature or limit that the adapter does not have.
 */
export async function requestDevice(options: DeviceOptions = {}): Promise<GPUDevice> {
  const { adapter: choice = 'auto', features = [], limits = {}, toggles = [] } = options;
  const adapter = await findAdapter(choice, toggles);
  const { description, vendor } = adapter.info;
  const has = limitsOf(adapter.limits);
  const lacks = [
    ...features.filter(f => !adapter.features.has(f)).map(f => `the feature ${f}`),
    ...Object.entries(limits)
      .filter(([name, need]) => !(has[name]! >= need))
      .map(([name, need]) => `${name} of ${need} (it has ${has[name]})`),
  ];
  if (lacks.length > 0) throw new Error(`the adapter ${description || vendor} lacks ${lacks.join(', ')}`);
  const optional = usefulFeatures.filter(f => adapter.features.has(f));
  const device = await adapter.requestDevice({
    requiredFeatures: [...new Set([...features, ...optional])] as GPUFeatureName[],
    requiredLimits: {
      ...limits,
      ...Object.fromEntries(usefulLimits.filter(n => has[n] !== undefined).map(n => [n, has[n]!])),
    },
  });
  // Read by `open`, which runs in browsers too and knows nothing of Node. Polling takes no time from a real GPU.
  if (isSoftware(adapter.info)) Object.defineProperty(device, Symbol.for('dnnc.wait'), { value: wait });
  if (!('adapterInfo' in device)) Object.defineProperty(device, 'adapterInfo', { value: adapter.info });
  devices.add(device);
  device.lost.then(() => devices.delete(device));
  return device;
}

/** Destroys every device that was requested here and not destroyed yet. */
export function release(): void {
  for (const device of devices) device.destroy();
  devices.clear();
}
