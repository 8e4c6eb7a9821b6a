import { existsSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';

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

/**
 * Unpacks the package's SwiftShader into `cache` unless it is there. Safe when several processes start at once: each
 * unpacks into a folder of its own and renames it, and who comes second takes the first one's.
 */
export async function unpack(packageFolder: string, cache?: string): Promise<SwiftShader> {
  const { version } = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8')) as {
    version: string;
  };
  const root = cache ?? (await cacheFolder());
  const folder = join(root, `swiftshader-${version}`);
  const result = {
    version,
    icd: join(folder, 'vk_swiftshader_icd.json'),
    loader: join(folder, 'libvulkan.so.1'),
  };
  if (await isComplete(folder)) return result;

  await mkdir(root, { recursive: true });
  const own = await mkdtemp(`${folder}-`);
  try {
    const packed = await readFile(join(packageFolder, 'bin', 'swiftshader.tar.br'));
    const tar = await promisify(brotliDecompress)(packed, { maxOutputLength: 2 ** 28 });
    const sizes: Record<string, number> = {};
    for (const [name, content] of untar(tar)) {
      if (!files.includes(name)) continue;
      await writeFile(join(own, name), content);
      sizes[name] = content.length;
    }
    const missing = files.filter(name => !sizes[name]);
    if (missing.length > 0)
      throw new Error(`${packageName} ${version}: no ${missing.join(', ')} in its archive`);
    await writeFile(join(own, 'sizes.json'), JSON.stringify(sizes));
    for (let attempt = 0; ; attempt++) {
      try {
        await rename(own, folder);
        return result;
      } catch (error) {
        if (await isComplete(folder)) return result;
        if (attempt === 3) throw error;
        // What is there is damaged: out of the way with it.
        await rename(folder, `${own}-damaged-${attempt}`).catch(() => {});
        await rm(`${own}-damaged-${attempt}`, { recursive: true, force: true });
      }
    }
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

/** Whether all files are there with the sizes that were written. */
async function isComplete(folder: string): Promise<boolean> {
  try {
    const sizes = JSON.parse(await readFile(join(folder, 'sizes.json'), 'utf8')) as Record<string, number>;
    const found = await Promise.all(files.map(async name => (await stat(join(folder, name))).size));
    return files.every((name, i) => sizes[name] === found[i]);
  } catch {
    return false;
  }
}

/** The user's cache folder, or one in the system's temporary folder that no other user can have prepared. */
async function cacheFolder(): Promise<string> {
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'dnnc');
  try {
    await mkdir(folder, { recursive: true });
    await rm(await mkdtemp(join(folder, 'try-')), { recursive: true });
    return folder;
  } catch {
    const uid = process.getuid?.() ?? 0;
    const temporary = join(tmpdir(), `dnnc-${uid}`);
    await mkdir(temporary, { recursive: true, mode: 0o700 });
    const found = await lstat(temporary);
    if (found.isDirectory() && found.uid === uid && (found.mode & 0o022) === 0) return temporary;
    return mkdtemp(join(tmpdir(), 'dnnc-'));
  }
}

/** The plain files of a tar archive (POSIX.1-1988 header, blocks of 512 bytes), by their last path component. */
function* untar(tar: Buffer): Generator<[name: string, content: Buffer]> {
  for (let at = 0; at + 512 <= tar.length; ) {
    const field = (from: number, to: number) =>
      tar.toString('latin1', at + from, at + to).replace(/[\0 ].*$/s, '');
    const name = field(0, 100);
    if (name === '') return;
    const size = Number.parseInt(field(124, 136), 8);
    const type = field(156, 157);
    const start = at + 512;
    if (!(size >= 0 && start + size <= tar.length)) throw new Error('the tar archive is cut off or damaged');
    if (type === '0' || type === '') yield [name.split('/').at(-1)!, tar.subarray(start, start + size)];
    at = start + Math.ceil(size / 512) * 512;
  }
}
