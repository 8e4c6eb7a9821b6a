import { type AdapterReport, listAdapters } from '../../runtime/node/index.ts';
import { exitCode, onDevice } from './errors.ts';
import type { Io } from './io.ts';

/** Limits that decide what a kernel may use, in the order of the listing. */
const shownLimits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupsPerDimension',
];
const shownFeatures = ['shader-f16', 'subgroups', 'timestamp-query', 'chromium-experimental-subgroup-matrix'];

/** What `dnnc devices` prints: each adapter with what matters for kernels, then the drivers that gave none. */
export function formatDevices(adapters: readonly AdapterReport[]): string {
  const lines: string[] = [];
  for (const adapter of adapters) {
    if (!('name' in adapter)) continue;
    const features = shownFeatures.filter(f => adapter.features.includes(f));
    const others = adapter.features.length - features.length;
    lines.push(
      `${adapter.default ? '*' : ' '} ${adapter.name} (${adapter.type}, ${adapter.backend})`,
      `    driver    ${adapter.driver}${adapter.description ? `: ${adapter.description}` : ''}`,
      `    vendor    ${adapter.vendor || '?'}, architecture ${adapter.architecture || '?'}`,
      `    features  ${features.join(', ') || 'none for compute'}${others > 0 ? ` (and ${others} more)` : ''}`,
      ...(adapter.matrices ? [`    matrices  ${adapter.matrices.join(', ')}`] : []),
      ...shownLimits
        .filter(name => adapter.limits[name] !== undefined)
        .map(
          (name, i) =>
            `    ${i === 0 ? 'limits' : '      '}    ${name} ${amount(name, adapter.limits[name]!)}`,
        ),
    );
  }
  for (const adapter of adapters) {
    if ('refused' in adapter) lines.push(`- ${adapter.driver}: ${adapter.refused}`);
  }
  if (adapters.some(a => 'name' in a && a.default)) lines.push('', '* is used by default');
  else lines.push('', 'no adapter: kernels cannot run here');
  return `${lines.join('\n')}\n`;
}

/** `dnnc devices --json`: everything that is known, for programs. */
export function devicesAsJson(adapters: readonly AdapterReport[]): string {
  return `${JSON.stringify(adapters, undefined, 2)}\n`;
}

function amount(limit: string, value: number): string {
  return /Size$/.test(limit) && value >= 1024
    ? `${value / 2 ** (value >= 2 ** 20 ? 20 : 10)} ${value >= 2 ** 20 ? 'MiB' : 'KiB'}`
    : `${value}`;
}

/** `dnnc devices [--json]`: the device's exit code where there is no adapter. */
export async function devicesCommand(options: { readonly json?: boolean }, io: Io): Promise<number> {
  const adapters = await onDevice(listAdapters);
  io.json?.set({ adapters });
  io.out(options.json ? devicesAsJson(adapters) : formatDevices(adapters));
  return adapters.some(a => 'name' in a) ? exitCode.fine : exitCode.device;
}
