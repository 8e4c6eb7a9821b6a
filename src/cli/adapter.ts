import { type AdapterChoice, isSoftware, requestDevice } from '../../runtime/node/index.ts';
import { gpuTarget, softwareTarget, subgroupTarget, type Target } from '../ir/target.ts';
import type { StoragePrecision } from '../passes/pipeline.ts';
import { DiagnosticError } from '../support/diagnostic.ts';
import { noHalfPrecision } from '../support/errors/training.ts';
import { onDevice } from './errors.ts';
import type { Profile, RunTarget } from './options.ts';

/** `SwiftShader Device (Subzero) (google, software)` */
export function describeAdapter({ adapterInfo }: GPUDevice): string {
  const { description, device, vendor, architecture } = adapterInfo;
  const name = description || device || architecture || 'an adapter without a name';
  return `${name} (${[vendor, isSoftware(adapterInfo) ? 'software' : 'hardware'].filter(Boolean).join(', ')})`;
}

/**
 * The device to run on. Throws `NoAdapterError`, a `CliError` with the device's exit code, or `DiagnosticError` E0502
 * where it lacks what the precision takes.
 */
export async function openDevice(
  precision: StoragePrecision = 'f32',
  adapter: AdapterChoice = 'auto',
): Promise<GPUDevice> {
  // Drivers of NVIDIA have it, but Dawn does not believe them.
  const toggles = precision === 'f16' ? ['vulkan_enable_f16_on_nvidia'] : [];
  const device = await onDevice(() => requestDevice({ adapter, toggles }));
  if (precision === 'f32' || device.features.has('shader-f16')) return device;
  const name = describeAdapter(device);
  device.destroy();
  throw new DiagnosticError(noHalfPrecision(`the adapter ${name} lacks shader-f16`));
}

/** Throws `DiagnosticError` E0502 where kernels would not run at all. */
export function requireKernels(precision: StoragePrecision | undefined, target: RunTarget): void {
  if (precision === 'f16' && target === 'interpret')
    throw new DiagnosticError(noHalfPrecision('the interpreter runs no kernels, and computes in f64'));
}

/** What schedules are chosen for. Of a GPU's limits those of workgroups count: what is fused is the same everywhere. */
export function targetOf({ adapterInfo, features, limits }: GPUDevice): Target {
  const { vendor, architecture, device } = adapterInfo;
  const adapter = [vendor, architecture, device].filter(Boolean).join(' ') || 'unknown';
  if (isSoftware(adapterInfo))
    return { ...(features.has('subgroups') ? subgroupTarget : softwareTarget), adapter };
  const { maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupStorageSize, maxComputeWorkgroupSizeX } =
    limits;
  return {
    ...gpuTarget,
    adapter,
    maxComputeInvocationsPerWorkgroup: Math.min(maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX),
    maxComputeWorkgroupStorageSize,
  };
}

/** `auto` asks the adapter that the runtime would take. */
export async function targetFor(profile: Profile): Promise<Target> {
  if (profile === 'gpu') return gpuTarget;
  if (profile === 'software') return softwareTarget;
  const device = await openDevice();
  try {
    return targetOf(device);
  } finally {
    device.destroy();
  }
}
