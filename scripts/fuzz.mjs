// `npm run fuzz -- --seconds 60 [--seed N] [--no-device]`: bundles test/fuzz/long.ts, which is TypeScript, and runs it.
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const at = path => fileURLToPath(new URL(`../${path}`, import.meta.url));
const bundle = await rolldown({ input: at('test/fuzz/long.ts'), platform: 'node', external: /^[^./]/ });
await bundle.write({ file: at('out/fuzz/long.mjs'), format: 'esm', codeSplitting: false });
await bundle.close();
await import(new URL('../out/fuzz/long.mjs', import.meta.url));
