import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type * as R from '../../runtime/plan.ts';
import type { ModuleEntry } from '../../src/codegen/entry.ts';
import { buildModel } from '../../src/codegen/model.ts';
import { printModule } from '../../src/codegen/module.ts';
import { capitalise, isIdentifier, propertyKey, quote, template } from '../../src/codegen/names.ts';
import { printDim, SizePrinter } from '../../src/codegen/size.ts';
import { printTypes } from '../../src/codegen/types.ts';
import * as D from '../../src/ir/dim.ts';
import type { StateLayout } from '../../src/ir/plan.ts';
import { tensor } from '../../src/ir/type.ts';
import { layoutState, planMemory } from '../../src/passes/plan-memory.ts';
import { Builder, H, N, programs } from '../plan/programs.ts';

/** A runtime that hands the models back. */
const stub = `data:text/javascript,${encodeURIComponent('export const openNet = (model, options) => ({ model, options }); export const openTrainer = openNet;')}`;

type Loaded = Record<string, (options?: unknown) => Promise<{ model: R.Model; options: unknown }>>;

const load = async (code: string): Promise<Loaded> =>
  import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(code)}`);

const print = (entries: readonly ModuleEntry[], layout: StateLayout): string =>
  printModule('net.dnn', entries, layout, { runtime: stub });

/** Numbers in place of functions, to compare models. */
function evaluated(model: R.Model, value: number): unknown {
  const at = (x: unknown): unknown => (typeof x === 'function' ? x(...Array(9).fill(value)) : x);
  return JSON.parse(JSON.stringify(model, (key, x) => (key === 'code' ? x.trim() : at(x))));
}

const source = { name: 'net.dnn', text: 'net Net(x: f32[N, 4]) -> f32[N, 2] {\n  return x -> dense(2)\n}\n' };

/** A net `y = f(x, w)` and a training program over the same parameter. */
function example(name = 'Net', train = 'fit'): { entries: ModuleEntry[]; layout: StateLayout } {
  const weight = tensor('f32', [2, 4]);
  const layout = layoutState([
    { name: `${name}.weight`, role: 'param', type: weight },
    { name: `${train}.momentum`, role: 'state', type: weight },
  ]);
  const span = { source, start: 0, end: 3 };
  const predict = new Builder();
  const x = predict.tensor('x', [N, 4], { role: 'input', path: 'x' });
  const w = predict.tensor('weight', [2, 4], { role: 'param', path: `${name}.weight` });
  const y = predict.tensor('y', [N, 2]);
  predict
    .kernel('dense', [x, w], [y], D.floorDiv(D.add(D.scale(N, 2), D.constant(63)), D.constant(64)))
    .output('y', y);

  const init = new Builder();
  init.tensor('key', [2], { role: 'key', path: 'key', dtype: 'u32' });
  init.kernel('init', [], [init.tensor('weight', [2, 4], { role: 'param', path: `${name}.weight` })]);

  const step = new Builder();
  const batch = step.tensor('x', [N, 4], { role: 'data', path: 'x', dtype: 'u8' });
  step.tensor('epoch', [], { role: 'scalar', path: 'epoch' });
  const w2 = step.tensor('weight', [2, 4], { role: 'param', path: `${name}.weight` });
  const m = step.tensor('momentum', [2, 4], { role: 'state', path: `${train}.momentum` });
  const loss = step.tensor('loss', []);
  step
    .kernel('forward', [batch, w2], [loss])
    .kernel('update', [w2, m, loss], [w2, m])
    .output('loss', loss, 'metric');

  const plan = (b: Builder, of: string) => planMemory(b.program(of), b.works, layout);
  const predictPlan = plan(predict, 'predict');
  return {
    layout,
    entries: [
      {
        kind: 'net',
        name,
        span,
        programs: [
          { name: 'predict', plan: predictPlan },
          { name: 'init', plan: plan(init, 'init') },
        ],
      },
      {
        kind: 'train',
        name: train,
        span,
        features: ['subgroups'],
        limits: { maxStorageBuffersPerShaderStage: 10 },
        programs: [
          { name: 'init', plan: plan(init, 'init') },
          { name: 'step', plan: plan(step, 'step') },
          { name: 'evaluate', plan: plan(step, 'evaluate') },
          { name: `net:${name}`, plan: predictPlan },
        ],
      },
    ],
  };
}

describe('printModule', () => {
  it('prints a module for people', async () => {
    const { entries, layout } = example();
    await expect(printModule('net.dnn', entries, layout)).toMatchFileSnapshot('expected/net.js.txt');
    await expect(printTypes('net.dnn', entries)).toMatchFileSnapshot('expected/net.d.ts.txt');
  });

  it('exports a load function for each entry, which shares programs and knows its own state', async () => {
    const { entries, layout } = example();
    const module = await load(print(entries, layout));
    expect(Object.keys(module).sort()).toEqual(['loadFit', 'loadNet']);
    const net = await module.loadNet!({ seed: 3 });
    const { model: fit } = await module.loadFit!();
    expect(net.options).toEqual({ seed: 3 });
    expect(net.model.state.map(t => t.name)).toEqual(['Net.weight']);
    expect(net.model.stateBytes).toBe(256);
    expect(fit.state.map(t => t.name)).toEqual(['Net.weight', 'fit.momentum']);
    expect(fit.stateBytes).toBe(512);
    expect(fit.programs['net:Net']).toBe(net.model.programs.predict);
    // An app brings trained weights: the net alone has no initialiser.
    expect(fit.programs.init).toBeDefined();
    expect(net.model.programs.init).toBeUndefined();
    expect(fit.programs.evaluate).toBe(fit.programs.step);
    const { groups } = net.model.programs.predict!.dispatches[0]!;
    const at = (n: number) => (typeof groups === 'function' ? groups(n) : groups);
    expect(at(64)).toBe(2);
    expect(at(32 * 70000)).toBe(70000);
  });

  it('prints what buildModel builds', async () => {
    await fc.assert(
      fc.asyncProperty(programs, fc.integer({ min: 3, max: 99 }), async (b, n) => {
        const layout = layoutState([]);
        const entry: ModuleEntry = {
          kind: 'net',
          name: 'Net',
          programs: [{ name: 'predict', plan: planMemory(b.program(), b.works, layout) }],
        };
        const { model } = await (await load(print([entry], layout))).loadNet!();
        expect(evaluated(model, n)).toEqual(evaluated(buildModel(entry, layout), n));
      }),
      { numRuns: 40 },
    );
  });

  it('refuses sizes for which an extent is not positive', async () => {
    const b = new Builder();
    const x = b.tensor('x', [H], { role: 'input', path: 'x' });
    b.kernel('k', [x], [b.tensor('y', [D.sub(H, D.constant(4))])]);
    const layout = layoutState([]);
    const entry: ModuleEntry = {
      kind: 'net',
      name: 'Net',
      programs: [{ name: 'predict', plan: planMemory(b.program(), b.works, layout) }],
    };
    const { model } = await (await load(print([entry], layout))).loadNet!();
    for (const m of [model, buildModel(entry, layout)]) {
      const bytes = m.programs.predict!.arenaBytes as (h: number) => number;
      expect(() => bytes(4)).toThrow('H - 4 = 0: an extent must be at least 1');
      expect(bytes(5)).toBeGreaterThan(0);
    }
  });

  it('takes names that are hostile or clash', async () => {
    const evil = [
      // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what it tries
      'x`; globalThis.hacked = 1; `${1}',
      "a'b\\",
      '*/ hacked(); /*',
      '__proto__',
      'new',
      '\u2028',
      'Net',
      '',
    ];
    for (const name of evil) {
      const { entries, layout } = example(name, name === 'Net' ? 'net' : `${name}2`);
      const code = printModule(`${name}\nhacked()`, entries, layout, { runtime: stub });
      const module = await load(code);
      const exported = Object.values(module);
      expect(exported.length).toBe(2);
      const models = await Promise.all(exported.map(f => f()));
      expect(models.map(m => m.model.name).sort()).toEqual(entries.map(e => e.name).sort());
      const trained = models.find(m => 'step' in m.model.programs)!.model;
      expect(Object.keys(trained.programs)).toContain(`net:${name}`);
      expect(trained.state[0]!.name).toBe(`${name}.weight`);
      printTypes(name, entries);
    }
    expect(globalThis).not.toHaveProperty('hacked');
  });

  it('has declarations that TypeScript takes, with the module checked by Node', () => {
    const { entries, layout } = example('*/ "`\n__proto__', 'Input');
    const folder = mkdtempSync(join(tmpdir(), 'dnnc-module-'));
    writeFileSync(join(folder, 'net.mjs'), printModule('net.dnn', entries, layout));
    const node = spawnSync(process.execPath, ['--check', join(folder, 'net.mjs')], { encoding: 'utf8' });
    expect(node.stderr + node.stdout).toBe('');

    const runtime = join(import.meta.dirname, '../../runtime/index.ts');
    writeFileSync(join(folder, 'net.d.mts'), printTypes('net.dnn', example().entries, { runtime }));
    writeFileSync(join(folder, 'evil.d.mts'), printTypes('net.dnn', entries, { runtime }));
    writeFileSync(
      join(folder, 'use.mts'),
      `import { loadNet, loadFit } from './net.mjs';
import { loadInput_2 } from './evil.mjs';
const net = await loadNet({ seed: 1 });
const y = await net.predict(new Float32Array(8));
const classes: 2 = y.shape[1];
const fit = await loadFit();
const { loss } = await fit.step({ x: { data: new Uint8Array(8), shape: [2, 4] } }, { epoch: 1 });
const number: number = loss + fit.steps + (await fit.nets.Net.predict(y.data)).data[0]!;
// @ts-expect-error the shape is wrong
await net.predict({ data: new Float32Array(6), shape: [2, 3] });
// @ts-expect-error the dtype is wrong
await fit.step({ x: new Float32Array(8) });
export { classes, number, loadInput_2 };
`,
    );
    const root = join(import.meta.dirname, '../..');
    const compilerOptions = {
      noEmit: true,
      strict: true,
      target: 'es2023',
      lib: ['es2023'],
      module: 'nodenext',
      allowImportingTsExtensions: true,
      types: ['@webgpu/types', 'node'],
      typeRoots: [join(root, 'node_modules'), join(root, 'node_modules/@types')],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.mts'] }));
    const tsc = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder], {
      encoding: 'utf8',
      cwd: root,
    });
    const own = (tsc.stdout + tsc.stderr).split('\n').filter(line => /(net|evil|use)(\.d)?\.mts/.test(line));
    expect(own.join('\n')).toBe('');
  });
});

describe('sizes', () => {
  const dims = fc.letrec<{ dim: D.Dim }>(tie => ({
    dim: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(N, H, D.symbol('new')),
      fc.integer({ min: -9, max: 9 }).map(D.constant),
      fc.tuple(tie('dim'), tie('dim')).map(([a, b]) => D.add(a, b)),
      fc.tuple(tie('dim'), tie('dim')).map(([a, b]) => D.sub(a, b)),
      fc.tuple(tie('dim'), tie('dim')).map(([a, b]) => D.mul(a, b)),
      fc
        .tuple(
          tie('dim'),
          tie('dim').filter(b => !D.isConstant(b, 0)),
        )
        .map(([a, b]) => D.floorDiv(a, b)),
    ),
  })).dim;

  it('have the value that the dim has', () => {
    const names = ['N', 'H', 'new'];
    const values = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(dims, values, (d, list) => {
        const want = D.evaluate(d, Object.fromEntries(names.map((n, i) => [n, list[i]!])));
        fc.pre(Number.isFinite(want) && Math.abs(want) < 2 ** 50);
        const size: unknown = new Function(`return ${new SizePrinter(names).size(d)}`)();
        expect((typeof size === 'function' ? size(...list) : size) + 0).toBe(want + 0);
      }),
      { numRuns: 1000 },
    );
  });

  it('are short', () => {
    const half = D.floorDiv(D.add(H, D.constant(1)), D.constant(2));
    expect(printDim(D.add(D.scale(D.mul(N, half), 4), D.constant(-3)))).toBe(
      '4 * Math.floor((H + 1) / 2) * N - 3',
    );
    expect(printDim(D.floorDiv(D.scale(N, 27), D.constant(4)))).toBe('Math.floor(27 * N / 4)');
    expect(printDim(D.floorDiv(N, D.scale(H, 2)))).toBe('Math.floor(N / (2 * H))');
    expect(new SizePrinter(['N', 'H']).size(D.scale(N, 3136))).toBe('N => 3136 * N');
    expect(new SizePrinter(['N', 'H']).size(H)).toBe('(N, H) => H');
    expect(new SizePrinter(['Math']).size(D.symbol('Math'))).toBe('_Math => _Math');
  });
});

describe('names', () => {
  it('quotes and escapes any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.string({ unit: fc.constantFrom('`', '$', '{', '\\', "'", '"', '\n', '\r', '\u2028', 'a') }),
        ),
        text => {
          const run = (code: string): unknown => new Function(`return ${code}`)();
          expect(run(quote(text))).toBe(text);
          expect(run(template(text))).toBe(text);
          expect(
            Object.keys(run(`{ ${propertyKey(text)}: 1 }`.replace(/^/, '(').replace(/$/, ')')) as object),
          ).toEqual([text]);
        },
      ),
    );
  });

  it('knows identifiers', () => {
    expect(['conv_2', '$', 'x'].every(isIdentifier)).toBe(true);
    expect(['class', 'await', '2x', 'a-b', '', 'é', 'Math'].some(isIdentifier)).toBe(false);
    expect(capitalise('mnist')).toBe('Mnist');
  });
});
