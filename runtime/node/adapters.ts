import { isSoftware } from '../software.ts';
import {
  type Driver,
  driversFrom,
  loadVulkan,
  swiftShader,
  systemDrivers,
  userDrivers,
  withEnvironment,
} from './drivers.ts';
import { halfToggles } from './toggles.ts';

export type AdapterChoice = 'auto' | 'gpu' | 'software';

/** No adapter of the kind asked for; the message says what was tried and what to install. */
export class NoAdapterError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NoAdapterError';
  }
}

/** An adapter that was found, or a driver that gave none and why. */
export type AdapterReport = FoundAdapter | RefusedDriver;

export interface FoundAdapter {
  readonly name: string;
  readonly type: 'hardware' | 'software';
  /** Whether `requestDevice()` takes this one. */
  readonly default: boolean;
  readonly driver: string;
  readonly backend: string;
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  /** Products of matrices that subgroups make, as in `f16 16x16x16 to f32`; absent where there are none. */
  readonly matrices?: readonly string[];
}

export interface RefusedDriver {
  readonly driver: string;
  readonly refused: string;
}

// Collecting what `create()` returned aborts the process (webgpu 0.6), so it is kept for good; it does not keep the
// process alive.
const instances = new Map<string, GPU>();

/** Dawn with these drivers. Dawn reads the environment when it is first asked for an adapter, so that is done here. */
async function askDawn<T>(
  driver: Driver,
  options: readonly string[],
  ask: (gpu: GPU) => Promise<T>,
): Promise<T> {
  const { create } = await importDawn();
  await loadVulkan();
  return withEnvironment(driver.environment, async () => {
    const key = JSON.stringify([driver, options]);
    let gpu = instances.get(key);
    if (!gpu) instances.set(key, (gpu = create([...options])));
    return ask(gpu);
  });
}

async function importDawn(): Promise<typeof import('webgpu')> {
  try {
    return await import('webgpu');
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new NoAdapterError(
      `the package webgpu (Dawn) does not load on ${process.platform}-${process.arch}: ${reason}`,
    );
  }
}

const softwarePackage = '@sparticuz/chromium';

async function softwareDriver(): Promise<Driver | undefined> {
  const found = await swiftShader();
  return found && driversFrom(`SwiftShader from ${softwarePackage} ${found.version}`, [found.icd]);
}

/** The drivers that the system or the user's environment has; undefined where there are none. */
function systemDriver(): Driver | undefined {
  const user = userDrivers();
  if (user) return { name: user, environment: {} };
  if (process.platform !== 'linux') return { name: 'system', environment: {} };
  // Dawn prints warnings where there is no driver at all, so it is not asked then.
  const { standard, extra } = systemDrivers();
  if (extra.length > 0) return driversFrom('system', [...standard, ...extra]);
  return standard.length > 0 ? { name: 'system', environment: {} } : undefined;
}

/**
 * The adapter to use: a real GPU if there is one, else SwiftShader from npm, else whatever software adapter the
 * system has. Throws `NoAdapterError`.
 */
export async function findAdapter(choice: AdapterChoice, toggles: readonly string[]): Promise<GPUAdapter> {
  const options = toggles.length > 0 ? [`enable-dawn-features=${toggles.join(',')}`] : [];
  const request = (driver: Driver, wanted: GPURequestAdapterOptions) =>
    askDawn(driver, options, gpu => gpu.requestAdapter(wanted));
  const user = userDrivers();
  const system = systemDriver();
  let fallback: GPUAdapter | null = null;
  if (system) {
    const wanted: GPURequestAdapterOptions =
      choice === 'software' ? { forceFallbackAdapter: true } : { powerPreference: 'high-performance' };
    const adapter = await request(system, wanted);
    if (
      adapter &&
      (choice === 'auto' && user ? true : isSoftware(adapter.info) === (choice === 'software'))
    ) {
      // A system's own software adapter gives way to SwiftShader, which kernels are tuned for.
      if (choice !== 'software' || user) return adapter;
    }
    fallback = adapter;
  }
  if (choice !== 'gpu' && !user) {
    const driver = await softwareDriver();
    const adapter = driver ? await request(driver, {}) : null;
    if (adapter) return adapter;
    if (fallback && isSoftware(fallback.info)) return fallback;
  }
  throw new NoAdapterError(advice(choice, system, user));
}

function advice(choice: AdapterChoice, system: Driver | undefined, user: string | undefined): string {
  const kind = choice === 'gpu' ? 'hardware ' : choice === 'software' ? 'software ' : '';
  const lines = [`no ${kind}WebGPU adapter found`];
  if (user) lines.push(`  ${user} gives none that Dawn can use; unset it to look for others`);
  else {
    lines.push(
      `  system: ${system ? 'Dawn can use none of its drivers for this' : 'no Vulkan driver is installed'}`,
    );
  }
  const hints = ["a GPU needs its maker's Vulkan driver"];
  if (choice !== 'gpu' && !user) {
    hints.push(
      process.platform === 'linux' && process.arch === 'x64'
        ? `without a GPU: npm install --save-dev ${softwarePackage}`
        : `the software adapter from ${softwarePackage} is for Linux on x64 only`,
    );
  }
  return [...lines, ...hints.map(h => `  ${h}`)].join('\n');
}

/** Every adapter of every driver, and the drivers that gave none. */
export async function listAdapters(): Promise<AdapterReport[]> {
  const drivers: Driver[] = [];
  const user = userDrivers();
  const { standard, extra } = systemDrivers();
  if (user || process.platform !== 'linux') drivers.push(systemDriver()!);
  else for (const icd of [...standard, ...extra]) drivers.push(driversFrom(icd, [icd]));
  const reports: AdapterReport[] = [];
  if (drivers.length === 0) {
    reports.push({ driver: 'system', refused: 'no Vulkan driver is installed (no vulkan/icd.d/*.json)' });
  }
  const software = user ? undefined : await softwareDriver();
  if (software) drivers.push(software);
  for (const driver of drivers) {
    try {
      const found = await adaptersOf(driver);
      if (found.length > 0) reports.push(...found);
      else
        reports.push({
          driver: driver.name,
          refused: 'Dawn finds no adapter that it can use with this driver',
        });
    } catch (error) {
      reports.push({ driver: driver.name, refused: error instanceof Error ? error.message : String(error) });
    }
  }
  if (!software) {
    const refused = user
      ? `not used, as ${user.split('=')[0]} is set`
      : `not installed: npm install --save-dev ${softwarePackage} (Linux on x64)`;
    reports.push({ driver: `SwiftShader from ${softwarePackage}`, refused });
  }
  const found = reports.filter(r => 'name' in r);
  const chosen =
    found.find(r => r.type === 'hardware') ?? found.find(r => r.driver === software?.name) ?? found[0];
  return reports.map(r => ('name' in r ? { ...r, default: r === chosen } : r));
}

async function adaptersOf(driver: Driver): Promise<FoundAdapter[]> {
  // Asked for an adapter that is not there, Dawn answers with those that are.
  const answer = await askDawn(driver, ['adapter=?'], gpu => gpu.requestAdapter()).then(String, String);
  const reports: FoundAdapter[] = [];
  for (const [, backend = '', name = ''] of answer.matchAll(/backend: '(.*?)', name: '(.*?)'$/gm)) {
    if (backend === 'null') continue;
    const toggles = `enable-dawn-features=${halfToggles.join(',')}`;
    const options = [`backend=${backend}`, `adapter=${name}`, toggles];
    const adapter = await askDawn(driver, options, gpu => gpu.requestAdapter());
    if (!adapter) continue;
    const { info, features, limits } = adapter;
    const { vendor, architecture, description } = info;
    const matrices = matricesOf(info as MatrixInfo);
    reports.push({
      name: name || info.device,
      type: isSoftware(info) ? 'software' : 'hardware',
      default: false,
      driver: driver.name,
      backend,
      vendor,
      architecture,
      description,
      features: [...features].sort(),
      limits: limitsOf(limits),
      ...(matrices.length > 0 && { matrices }),
    });
  }
  return reports;
}

/** As Dawn reports them; browsers and `@webgpu/types` do not know them. */
interface MatrixInfo {
  readonly subgroupMatrixConfigs?: Iterable<{
    readonly componentType: string;
    readonly resultType: string;
    readonly M: number;
    readonly N: number;
    readonly K: number;
  }>;
}

function matricesOf({ subgroupMatrixConfigs = [] }: MatrixInfo): string[] {
  return [...subgroupMatrixConfigs].map(
    ({ componentType, resultType, M, N, K }) => `${componentType} ${M}x${N}x${K} to ${resultType}`,
  );
}

export function limitsOf(limits: GPUSupportedLimits): Record<string, number> {
  const result: Record<string, number> = {};
  // The properties are getters of the prototype.
  for (const name in limits) {
    const value: unknown = limits[name as keyof GPUSupportedLimits];
    if (typeof value === 'number') result[name] = value;
  }
  return result;
}
