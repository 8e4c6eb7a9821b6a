import { type AdapterChoice, isSoftware, requestDevice } from '../../runtime/node/index.ts';
import { gpuTarget, type MatrixUnits, softwareTarget, subgroupTarget, type Target } from '../ir/target.ts';
import type { StoragePrecision } from '../passes/pipeline.ts';
import { DiagnosticError } from '../support/diagnostic.ts';
import { noHalfPrecision } from '../support/errors/training.ts';
import { onDevice } from './errors.ts';
import type { Profile, RunTarget, SourceOptions } from './options.ts';

/** `SwiftShader Device (Subzero) (google, software)` */
export function describeAdapter({ adapterInfo }: GPUDevice): string {
  const { description, device, vendor, architecture } = adapterInfo;
  const name = description || device || architecture || 'an adapter without a name';
  return `${name} (${[vendor, isSoftware(adapterInfo) ? 'software' : 'hardware'].filter(Boolean).join(', ')})`;
}

/** Options that decide what a device is asked for. */
export type DeviceNeeds = Pick<SourceOptions, 'precision' | 'splitProducts'>;

/**
 * The device to run on. Throws `NoAdapterError`, a `CliError` with the device's exit code, or `DiagnosticError` E0502
 * where it lacks what the precision takes.
 */
export async function openDevice(
  needs: DeviceNeeds = {},
  adapter: AdapterChoice = 'auto',
): Promise<GPUDevice> {
  const device = await findDevice(needs, adapter);
  if (needs.precision !== 'f16' || device.features.has('shader-f16')) return device;
  const name = describeAdapter(device);
  device.destroy();
  throw new DiagnosticError(noHalfPrecision(`the adapter ${name} lacks shader-f16`));
}

/** The device, whatever it lacks. */
function findDevice({ precision, splitProducts }: DeviceNeeds, adapter: AdapterChoice): Promise<GPUDevice> {
  const halves = precision === 'f16' || splitProducts;
  return onDevice(() => requestDevice({ adapter, toggles: halves ? halfToggles : [] }));
}

/** Drivers of NVIDIA have f16, but Dawn does not believe them; matrices of subgroups are an experiment for it. */
const halfToggles = ['vulkan_enable_f16_on_nvidia', 'allow_unsafe_apis', 'use_vulkan_memory_model'];

/** Throws `DiagnosticError` E0502 where kernels would not run at all. */
export function requireKernels(precision: StoragePrecision | undefined, target: RunTarget): void {
  if (precision === 'f16' && target === 'interpret')
    throw new DiagnosticError(noHalfPrecision('the interpreter runs no kernels, and computes in f64'));
}

/** What schedules are chosen for. */
export function targetOf({ adapterInfo, features, limits }: GPUDevice): Target {
  if (!isSoftware(adapterInfo)) {
    const matrices = matricesOf({ adapterInfo, features });
    if (!matrices) return gpuTarget;
    const { maxComputeWorkgroupStorageSize } = limits;
    return { ...gpuTarget, name: 'gpu with matrices', maxComputeWorkgroupStorageSize, matrices };
  }
  return features.has('subgroups') ? subgroupTarget : softwareTarget;
}

/** As Dawn reports a product of matrices; `@webgpu/types` does not know it. */
interface MatrixConfig {
  readonly componentType: string;
  readonly resultType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** The products of matrices that subgroups make, where those are always as large. */
export function matricesOf({
  adapterInfo,
  features,
}: Pick<GPUDevice, 'adapterInfo' | 'features'>): MatrixUnits | undefined {
  const { subgroupMinSize, subgroupMaxSize } = adapterInfo;
  const { subgroupMatrixConfigs = [] } = adapterInfo as { subgroupMatrixConfigs?: readonly MatrixConfig[] };
  const needed = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'];
  if (!needed.every(f => features.has(f))) return undefined;
  if (subgroupMaxSize === undefined || subgroupMinSize !== subgroupMaxSize) return undefined;
  const isFloat = (type: string): type is 'f16' | 'f32' => type === 'f16' || type === 'f32';
  const shapes = [...subgroupMatrixConfigs].flatMap(({ componentType, resultType, M: m, N: n, K: k }) =>
    isFloat(componentType) && isFloat(resultType)
      ? [{ component: componentType, result: resultType, m, n, k }]
      : [],
  );
  return shapes.length > 0 ? { subgroupSize: subgroupMaxSize, shapes } : undefined;
}

/** `auto` asks the adapter that the runtime would take. */
export async function targetFor(profile: Profile, needs: DeviceNeeds = {}): Promise<Target> {
  if (profile === 'gpu') return gpuTarget;
  if (profile === 'software') return softwareTarget;
  const device = await findDevice(needs, 'auto');
  try {
    return targetOf(device);
  } finally {
    device.destroy();
  }
}
