import { NoAdapterError, requestDevice } from '../runtime/node/index.ts';

let device: Promise<GPUDevice | undefined> | undefined;

/**
 * The device of all test files of a process, which none of them destroys, or undefined where this machine has no
 * adapter. Then the reason is printed; tests say `it.skipIf(!device)` with `const device = await getDevice()` at the top
 * of the file, so that they show as skipped.
 */
export function getDevice(): Promise<GPUDevice | undefined> {
  device ??= requestDevice().catch((error: unknown) => {
    if (!(error instanceof NoAdapterError)) throw error;
    console.warn(`GPU tests are skipped: ${error.message}`);
    return undefined;
  });
  return device;
}
