import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder, decompress, unpackOnce, untar } from './unpack.ts';

/** The software Vulkan driver and the Vulkan loader that come with the npm package, unpacked. */
export interface SwiftShader {
  readonly version: string;
  /** The driver's description, for `VK_DRIVER_FILES`. */
  readonly icd: string;
  readonly loader: string;
}

const packageName = '@sparticuz/chromium';
const files = ['libvk_swiftshader.so', 'libvulkan.so.1', 'vk_swiftshader_icd.json'];

/** The folder of `@sparticuz/chromium`, as the user's project (the working directory) or this package sees it. */
export function locate(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  for (const start of [process.cwd(), dirname(fileURLToPath(import.meta.url))]) {
    for (let folder = start; ; folder = dirname(folder)) {
      const found = join(folder, 'node_modules', packageName);
      if (existsSync(join(found, 'bin', 'swiftshader.tar.br'))) return found;
      if (folder === dirname(folder)) break;
    }
  }
  return undefined;
}

/** Unpacks the package's SwiftShader into `cache` unless it is there. */
export async function unpack(packageFolder: string, cache?: string): Promise<SwiftShader> {
  const { version } = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8')) as {
    version: string;
  };
  const folder = join(cache ?? (await cacheFolder()), `swiftshader-${version}`);
  await unpackOnce(folder, files, `${packageName} ${version}`, async () =>
    untar(await decompress(join(packageFolder, 'bin', 'swiftshader.tar.br'))),
  );
  return {
    version,
    icd: join(folder, 'vk_swiftshader_icd.json'),
    loader: join(folder, 'libvulkan.so.1'),
  };
}
