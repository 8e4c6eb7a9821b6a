import { lstat, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';

/** A file to write: its name, without a folder, and what is in it. */
export type Packed = readonly [name: string, content: Buffer];

/**
 * Makes `folder` with `files` out of what `unpack` gives, unless it is there with all of them. Safe when several
 * processes start at once: each writes into a folder of its own and renames it, and who comes second takes the first
 * one's. `from` is named in errors.
 */
export async function unpackOnce(
  folder: string,
  files: readonly string[],
  from: string,
  unpack: () => Promise<Iterable<Packed>>,
): Promise<void> {
  if (await isComplete(folder, files)) return;
  await mkdir(dirname(folder), { recursive: true });
  const own = await mkdtemp(`${folder}-`);
  try {
    const sizes: Record<string, number> = {};
    for (const [name, content] of await unpack()) {
      if (!files.includes(name)) continue;
      await writeFile(join(own, name), content, { mode: 0o755 });
      sizes[name] = content.length;
    }
    const missing = files.filter(name => !sizes[name]);
    if (missing.length > 0) throw new Error(`${from}: no ${missing.join(', ')} in its archive`);
    await writeFile(join(own, 'sizes.json'), JSON.stringify(sizes));
    for (let attempt = 0; ; attempt++) {
      try {
        await rename(own, folder);
        return;
      } catch (error) {
        if (await isComplete(folder, files)) return;
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
async function isComplete(folder: string, files: readonly string[]): Promise<boolean> {
  try {
    const sizes = JSON.parse(await readFile(join(folder, 'sizes.json'), 'utf8')) as Record<string, number>;
    const found = await Promise.all(files.map(async name => (await stat(join(folder, name))).size));
    return files.every((name, i) => sizes[name] === found[i]);
  } catch {
    return false;
  }
}

/** The user's cache folder, or one in the system's temporary folder that no other user can have prepared. */
export async function cacheFolder(): Promise<string> {
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

/** What is in a `.br` file, 256 MiB at most. */
export async function decompress(file: string): Promise<Buffer> {
  return promisify(brotliDecompress)(await readFile(file), { maxOutputLength: 2 ** 28 });
}

/** The plain files of a tar archive (POSIX.1-1988 header, blocks of 512 bytes), by their last path component. */
export function* untar(tar: Buffer): Generator<Packed> {
  for (let at = 0; at + 512 <= tar.length; ) {
    const field = (from: number, to: number) =>
      tar.toString('latin1', at + from, at + to).replace(/[\0 ].*$/s, '');
    const name = field(0, 100);
    if (name === '') return;
    const size = Number.parseInt(field(124, 136), 8);
    const type = field(156, 157);
    const start = at + 512;
    if (!(size >= 0 && start + size <= tar.length)) throw new Error('the tar archive is cut off or damaged');
    if (type === '0' || type === '') yield [basename(name), tar.subarray(start, start + size)];
    at = start + Math.ceil(size / 512) * 512;
  }
}
