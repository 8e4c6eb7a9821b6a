import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { locate } from '../../runtime/node/swiftshader.ts';
import { cacheFolder, decompress, unpackOnce, untar } from '../../runtime/node/unpack.ts';

const files = [
  'chromium',
  ...['libEGL.so', 'libGLESv2.so', 'libvk_swiftshader.so', 'libvulkan.so.1', 'vk_swiftshader_icd.json'],
  // For systems without NSS.
  ...['libexpat.so.1', 'libnspr4.so', 'libnss3.so', 'libnssutil3.so', 'libplc4.so', 'libplds4.so'],
  ...['libsoftokn3.so', 'libfreebl3.so', 'libfreeblpriv3.so'],
];

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-dev-shm-usage',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface Chromium {
  readonly version: string;
  /** Opens an address; the function that is returned ends the browser and gives what it wrote to the console. */
  open(address: string): Promise<() => Promise<string>>;
}

/**
 * The headless Chromium of the npm package `@sparticuz/chromium`, unpacked once; a text that says why where there is
 * none or it does not start.
 */
export async function findChromium(): Promise<Chromium | string> {
  const found = locate();
  if (!found) return 'no @sparticuz/chromium for this machine (Linux on x64 alone)';
  const { version } = JSON.parse(await readFile(join(found, 'package.json'), 'utf8')) as { version: string };
  const folder = join(await cacheFolder(), `chromium-${version}`);
  await unpackOnce(folder, files, `@sparticuz/chromium ${version}`, async () => {
    const [binary, ...archives] = await Promise.all(
      ['chromium', 'swiftshader.tar', 'al2023.tar'].map(n => decompress(join(found, 'bin', `${n}.br`))),
    );
    return [['chromium', binary!] as const, ...archives.flatMap(tar => [...untar(tar)])];
  });
  const program = join(folder, 'chromium');
  const env = { ...process.env, LD_LIBRARY_PATH: folder };
  const tried = spawnSync(program, ['--version'], { env, encoding: 'utf8', timeout: 20_000 });
  if (tried.status !== 0) {
    return `Chromium does not start: ${tried.error?.message ?? (tried.stderr.trim() || `exit ${tried.status}`)}`;
  }
  return {
    version: tried.stdout.trim(),
    async open(address) {
      const profile = await mkdtemp(join(tmpdir(), 'dnnc-chromium-'));
      // In a group of its own, so that no helper process stays behind.
      const browser = spawn(program, [...flags, `--user-data-dir=${profile}`, address], {
        env,
        detached: true,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let log = '';
      browser.stderr.setEncoding('utf8').on('data', text => {
        log += text;
      });
      const kill = () => {
        try {
          if (browser.pid) process.kill(-browser.pid, 'SIGKILL');
        } catch {}
      };
      process.once('exit', kill);
      const ended = once(browser, 'close');
      return async () => {
        process.off('exit', kill);
        kill();
        await ended;
        await rm(profile, { recursive: true, force: true, maxRetries: 5 });
        return log;
      };
    },
  };
}
