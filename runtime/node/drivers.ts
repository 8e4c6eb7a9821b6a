import { readdirSync } from 'node:fs';
import { constants, homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { locate, type SwiftShader, unpack } from './swiftshader.ts';

/** Where Vulkan drivers come from: the environment that Dawn has to see when it first looks for adapters. */
export interface Driver {
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
}

const chosenByUser = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'];

/** The variable by which the user has chosen drivers, with its value. It is never overridden. */
export function userDrivers(): string | undefined {
  const name = chosenByUser.find(v => process.env[v]);
  return name && `${name}=${process.env[name]}`;
}

export const driversFrom = (name: string, icds: readonly string[]): Driver => ({
  name,
  environment: Object.fromEntries(chosenByUser.map(v => [v, icds.join(':')])),
});

/** Driver descriptions in the folders where the Vulkan loader looks, and in NVIDIA's folder in containers. */
export function systemDrivers(): { standard: string[]; extra: string[] } {
  const { XDG_CONFIG_HOME, XDG_CONFIG_DIRS, XDG_DATA_HOME, XDG_DATA_DIRS } = process.env;
  const roots = [
    XDG_CONFIG_HOME || join(homedir(), '.config'),
    ...(XDG_CONFIG_DIRS || '/etc/xdg').split(':'),
    '/usr/local/etc',
    '/etc',
    XDG_DATA_HOME || join(homedir(), '.local/share'),
    ...(XDG_DATA_DIRS || '/usr/local/share:/usr/share').split(':'),
  ];
  return {
    standard: [...new Set(roots.flatMap(descriptions))],
    extra: ['/usr/local/nvidia/share', '/usr/local/nvidia'].flatMap(descriptions),
  };
}

function descriptions(root: string): string[] {
  const folder = join(root, 'vulkan', 'icd.d');
  try {
    return readdirSync(folder)
      .filter(name => name.endsWith('.json'))
      .sort()
      .map(name => join(folder, name));
  } catch {
    return [];
  }
}

let software: Promise<SwiftShader | undefined> | undefined;

/** SwiftShader from npm, unpacked; undefined where the package is not installed. */
export function swiftShader(): Promise<SwiftShader | undefined> {
  software ??= (async () => {
    const found = locate();
    return found === undefined ? undefined : unpack(found);
  })();
  return software;
}

let loader: Promise<boolean> | undefined;

/**
 * Makes `libvulkan.so.1` available: the system's, else the one beside SwiftShader, which has to be in the process
 * before Dawn asks for it by that name.
 */
export function loadVulkan(): Promise<boolean> {
  loader ??= (async () => {
    if (process.platform !== 'linux' || load('libvulkan.so.1')) return true;
    const shipped = await swiftShader();
    return shipped !== undefined && load(shipped.loader);
  })();
  return loader;
}

function load(library: string): boolean {
  // Stay loaded after Node finds that it is no addon.
  const noDelete = 0x1000;
  try {
    process.dlopen({ exports: {} }, library, constants.dlopen.RTLD_NOW | noDelete);
    return true;
  } catch (error) {
    return error instanceof Error && error.message.includes('self-register');
  }
}

let turn: Promise<unknown> = Promise.resolve();

/** Runs `work` with environment variables set, one at a time, and puts the old ones back. */
export function withEnvironment<T>(variables: Driver['environment'], work: () => Promise<T>): Promise<T> {
  const result = turn.then(async () => {
    const old = { ...process.env };
    // Without it, drivers warn about a missing runtime folder.
    if (process.platform === 'linux' && !old.XDG_RUNTIME_DIR) process.env.XDG_RUNTIME_DIR = tmpdir();
    Object.assign(process.env, variables);
    try {
      return await work();
    } finally {
      for (const name of ['XDG_RUNTIME_DIR', ...Object.keys(variables)]) {
        if (old[name] === undefined) delete process.env[name];
        else process.env[name] = old[name];
      }
    }
  });
  turn = result.catch(() => {});
  return result;
}
