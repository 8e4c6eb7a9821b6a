import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readSource } from '../../src/cli/files.ts';
import { compile } from '../../src/compile.ts';
import * as D from '../../src/ir/dim.ts';
import { gpuTarget, wasmTarget } from '../../src/ir/target.ts';
import { exampleFile } from '../examples/train.ts';

const names = readdirSync(new URL('../../examples/', import.meta.url), { recursive: true, encoding: 'utf8' })
  .filter(path => path.endsWith('.dnn'))
  .map(path => path.slice(0, -'.dnn'.length).split(/[\\/]/))
  .map(([folder, file]) => (folder === file ? folder! : `${folder}/${file}`))
  .sort();

/** Sizes that parameters need, and those for which memory is packed. */
const given: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  custom: { N: 64 },
  style: { H: 64, W: 64 },
  'style/tiny': { H: 64, W: 64 },
  dream: { H: 64, W: 64 },
  'dream/squeeze': { H: 64, W: 64 },
  visualise: { N: 64 },
};
/** Deep nets where a shallower one of the same kind has all of their lifetimes. */
const only: Readonly<Record<string, RegExp>> = {
  vgg: /VGG(11|19)/,
  resnet: /ResNet18/,
  densenet: /^Small$/,
  resnext: /^ResNeXt50$/,
  fcn: /^FCN8s$|^segment8/,
};
/** For WebAssembly, whose works are many: of training programs those of the smaller nets. */
const onlyForWasm: Readonly<Record<string, RegExp>> = {
  ...only,
  vgg: /^VGG11$/,
  resnet: /^ResNet18$/,
  googlenet: /^(GoogLeNet|Naive)$/,
  segnet: /^SegNet$/,
  unet: /^UNet$/,
  transfer: /^[^.]+$/,
  'transfer/pretrain': /^[^.]+$/,
};

describe.each([gpuTarget, wasmTarget])('for $name', target => {
  const chosen = target === wasmTarget ? onlyForWasm : only;
  test.each(names)(
    'the arena of %s is at most 1.01 of what lives at once, and no order has more than that of the source',
    name => {
      const file = readSource(exampleFile(name));
      const { compiled, diagnostics } = compile(file.source, {
        resolve: file.resolve,
        sizes: given[name] ?? {},
        target,
        only: program => !program.endsWith('.init') && (chosen[name]?.test(program) ?? true),
      });
      expect(diagnostics.filter(d => d.severity === 'error')).toEqual([]);
      for (const [program, { plan, variants }] of compiled!.programs)
        for (const made of [plan, ...(variants ?? []).map(v => v.plan)]) {
          const sizes = Object.fromEntries(made.dims.map(d => [d, given[name]?.[d] ?? 64]));
          const [arena, bound] = [D.evaluate(made.arenaBytes, sizes), made.liveBytes(sizes)];
          expect(arena, program).toBeGreaterThanOrEqual(bound);
          expect(arena / Math.max(bound, 1), program).toBeLessThanOrEqual(1.01);
        }
    },
    400_000,
  );
});
