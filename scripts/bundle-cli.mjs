// Makes dist/src/bin: the command line with all that it imports of this package, in a file for each command and what they
// share. A command of some two hundred small files spends a third of its time on loading them.
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const at = path => fileURLToPath(new URL(`../dist/${path}`, import.meta.url));
rmSync(at('src/bin'), { recursive: true, force: true });
const bundle = await rolldown({
  input: { dnnc: at('src/cli/main.js') },
  platform: 'node',
  // Other packages stay where npm puts them, Chevrotain where the compiler's own modules find it, and what starts workers
  // beside their file.
  external: id =>
    /\/dist\/(src\/parser\/chevrotain|runtime\/wasm\/spawn)\.js$/.test(id) ||
    (!/^[./]/.test(id) && !/^[A-Za-z]:/.test(id)),
});
await bundle.write({
  dir: at('src/bin'),
  format: 'esm',
  chunkFileNames: '[name].js',
  minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
});
await bundle.close();
