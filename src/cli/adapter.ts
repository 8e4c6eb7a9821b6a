import { type AdapterChoice, halfToggles, isSoftware, requestDevice } from '../../runtime/node/index.ts';
import { gpuTarget, softwareTarget, subgroupTarget, type Target } from '../ir/target.ts';
import { type MatrixDevice, withMatrices } from '../ir/target-matrices.ts';
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

/** Throws `DiagnosticError` E0502 where kernels would not run at all. */
export function requireKernels(precision: StoragePrecision | undefined, target: RunTarget): void {
  if (precision === 'f16' && target === 'interpret')
    throw new DiagnosticError(noHalfPrecision('the interpreter runs no kernels, and computes in f64'));
}

/** What schedules are chosen for. Of a GPU's limits those of workgroups count, and how much it binds at once. */
export function targetOf(given: GPUDevice): Target {
  const { adapterInfo, features, limits } = given;
  const { vendor, architecture, device } = adapterInfo;
  const adapter = [vendor, architecture, device].filter(Boolean).join(' ') || 'unknown';
  if (isSoftware(adapterInfo))
    return { ...(features.has('subgroups') ? subgroupTarget : softwareTarget), adapter };
  const { maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX } = limits;
  const target = {
    ...gpuTarget,
    adapter,
    maxComputeInvocationsPerWorkgroup: Math.min(maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX),
    maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
  };
  return withMatrices(target, given as MatrixDevice);
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
