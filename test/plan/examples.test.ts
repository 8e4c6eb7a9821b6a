import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readSource } from '../../src/cli/files.ts';
import { compile } from '../../src/compile.ts';
import * as D from '../../src/ir/dim.ts';
import { gpuTarget, wasmTarget } from '../../src/ir/target.ts';
import { exampleFile } from '../examples/train.ts';

const names = readdirSync(new URL('../../examples/', import.meta.url), { recursive: true, encoding: 'utf8' })
  .filter(path => path.endsWith('.dnn'))
  .map(path => path.split(/[\\/]/)[0]!)
  .sort();

/** Sizes that parameters need, and those for which memory is packed. */
const given: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  custom: { N: 64 },
  style: { H: 64, W: 64 },
};
/** Deep nets where a shallower one of the same kind has all of their lifetimes. */
const only: Readonly<Record<string, RegExp>> = {
  vgg: /VGG(11|19)/,
  resnet: /ResNet18/,
  densenet: /^Small$/,
  resnext: /^ResNeXt50$/,
};
/** Where placing falls short of it so far. */
const short: Readonly<Record<string, number>> = { 'wasm dcgan': 1.03, 'wasm style': 1.22 };
/** Nets whose plans for WebAssembly are looked at too: one of each kind. */
const forWasm = new Set(['charnn', 'convnet', 'dcgan', 'lenet', 'style', 'yolo']);

describe.each([gpuTarget, wasmTarget])('for $name', target => {
  test.each(names.filter(name => target === gpuTarget || forWasm.has(name)))(
    'the arena of %s is at most 1.01 of what lives at once, and no order has more than that of the source',
    name => {
      const file = readSource(exampleFile(name));
      const { compiled, diagnostics } = compile(file.source, {
        resolve: file.resolve,
        sizes: given[name] ?? {},
        target,
        only: program => !program.endsWith('.init') && (only[name]?.test(program) ?? true),
      });
      expect(diagnostics.filter(d => d.severity === 'error')).toEqual([]);
      for (const [program, { plan, variants }] of compiled!.programs)
        for (const made of [plan, ...(variants ?? []).map(v => v.plan)]) {
          const sizes = Object.fromEntries(made.dims.map(d => [d, given[name]?.[d] ?? 64]));
          const [arena, bound] = [D.evaluate(made.arenaBytes, sizes), made.liveBytes(sizes)];
          expect(arena, program).toBeGreaterThanOrEqual(bound);
          expect(arena / Math.max(bound, 1), program).toBeLessThanOrEqual(
            short[`${target.name} ${name}`] ?? 1.01,
          );
        }
    },
    400_000,
  );
});
