import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  isSoftware,
  listAdapters,
  NoAdapterError,
  release,
  requestDevice,
} from '../../runtime/node/index.ts';
import { locate, unpack } from '../../runtime/node/swiftshader.ts';
import { devicesAsJson, formatDevices } from '../../src/cli/devices.ts';
import { getDevice } from '../gpu.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const packageFolder = locate();

describe.skipIf(packageFolder === undefined)('SwiftShader from npm', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dnnc-test-'));
    const tsc = join(
      dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
      'bin',
      'tsc',
    );
    const options = [
      '--ignoreConfig',
      '--noCheck',
      '--target',
      'es2023',
      '--module',
      'esnext',
      '--rewriteRelativeImportExtensions',
      '--outDir',
      folder,
    ];
    await run(process.execPath, [tsc, join(root, 'runtime/node/swiftshader.ts'), ...options]);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('is unpacked once by processes that start together, and again where damaged', async () => {
    const cache = join(folder, 'cache');
    const module = pathToFileURL(join(folder, 'swiftshader.js')).href;
    const script = `import { unpack } from ${JSON.stringify(module)};
      console.log(JSON.stringify(await unpack(${JSON.stringify(packageFolder)}, ${JSON.stringify(cache)})));`;
    const start = () => run(process.execPath, ['--input-type=module', '-e', script]);
    const outputs = await Promise.all([start(), start(), start()]);
    const found = outputs.map(o => JSON.parse(o.stdout) as Awaited<ReturnType<typeof unpack>>);
    expect(found[1]).toEqual(found[0]);
    expect(found[2]).toEqual(found[0]);
    expect(await readdir(cache)).toEqual([`swiftshader-${found[0]!.version}`]);
    const { loader } = found[0]!;
    const { size, mtimeMs } = await stat(loader);
    expect(size).toBeGreaterThan(100_000);

    await unpack(packageFolder!, cache);
    expect((await stat(loader)).mtimeMs).toBe(mtimeMs);

    await truncate(loader, 1000);
    await Promise.all([unpack(packageFolder!, cache), unpack(packageFolder!, cache)]);
    expect((await stat(loader)).size).toBe(size);
    expect(await readdir(cache)).toHaveLength(1);
  });
});

const device = await getDevice();

describe.skipIf(!device)('requestDevice', () => {
  afterAll(release);

  it('raises the limits for compute, says what it is, and leaves the environment as it was', async () => {
    const before = { ...process.env };
    const device = await requestDevice();
    expect(device.limits.maxBufferSize).toBeGreaterThan(2 ** 28);
    expect(device.adapterInfo.vendor).not.toBe('');
    expect({ ...process.env }).toEqual(before);
    device.destroy();
  });

  it('names what the adapter lacks', async () => {
    const missing = { features: ['no-such-feature'], limits: { maxBindGroups: 1e6 } };
    await expect(requestDevice(missing)).rejects.toThrow(
      /lacks the feature no-such-feature, maxBindGroups of 1000000 \(it has \d+\)/,
    );
  });

  it('lists adapters, one of which is the default', async () => {
    const adapters = await listAdapters();
    const found = adapters.filter(a => 'name' in a);
    expect(found.filter(a => a.default)).toHaveLength(1);
    expect(found.find(a => a.default)!.type).toBe(isSoftware(device!.adapterInfo) ? 'software' : 'hardware');
    const text = formatDevices(adapters);
    expect(text).toContain(`* ${found.find(a => a.default)!.name}`);
    expect(text).toContain('maxStorageBuffersPerShaderStage');
    expect(JSON.parse(devicesAsJson(adapters))).toEqual(adapters);
    if (found.every(a => a.type === 'software')) {
      await expect(requestDevice({ adapter: 'gpu' })).rejects.toThrow(NoAdapterError);
    }
  });

  it.skipIf(process.platform !== 'linux')(
    'respects drivers chosen by the user, and says so when they give nothing',
    async () => {
      const old = process.env.VK_DRIVER_FILES;
      process.env.VK_DRIVER_FILES = '/nowhere/none.json';
      try {
        await expect(requestDevice()).rejects.toThrow(/VK_DRIVER_FILES=\/nowhere\/none\.json gives none/);
      } finally {
        if (old === undefined) delete process.env.VK_DRIVER_FILES;
        else process.env.VK_DRIVER_FILES = old;
      }
    },
  );
});

it('formats refusals', () => {
  const text = formatDevices([{ driver: 'system', refused: 'no Vulkan driver is installed' }]);
  expect(text).toBe('- system: no Vulkan driver is installed\n\nno adapter: kernels cannot run here\n');
});
