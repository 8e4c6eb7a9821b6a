import { isSoftware, requestDevice } from '../../runtime/node/index.ts';
import { gpuTarget, softwareTarget, type Target } from '../ir/target.ts';
import { onDevice } from './errors.ts';
import type { Profile } from './options.ts';

/** `SwiftShader Device (Subzero) (google, software)` */
export function describeAdapter({ adapterInfo }: GPUDevice): string {
  const { description, device, vendor, architecture } = adapterInfo;
  const name = description || device || architecture || 'an adapter without a name';
  return `${name} (${[vendor, isSoftware(adapterInfo) ? 'software' : 'hardware'].filter(Boolean).join(', ')})`;
}

/** The device to run on. Throws `NoAdapterError`, or a `CliError` with the device's exit code. */
export const openDevice = (): Promise<GPUDevice> => onDevice(() => requestDevice());

/** What schedules are chosen for. */
export const targetOf = ({ adapterInfo }: GPUDevice): Target =>
  isSoftware(adapterInfo) ? softwareTarget : gpuTarget;

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
