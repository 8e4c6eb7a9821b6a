import { describe, expect, test } from 'vitest';
import { open } from '../../runtime/wasm/index.ts';
import { buildModel } from '../../src/codegen/model.ts';
import { printModule } from '../../src/codegen/module.ts';
import { buildWasmModel } from '../../src/codegen/wasm-model.ts';
import { type Compiled, type CompileOptions, compile } from '../../src/compile.ts';
import * as D from '../../src/ir/dim.ts';
import { gpuTarget, mostElements, softwareTarget, type Target, wasmTarget } from '../../src/ir/target.ts';

const compiled = (text: string, options: CompileOptions = {}): Compiled =>
  compile({ name: 'big.dnn', text }, options);

const messages = (text: string, options: CompileOptions = {}): string[] =>
  compiled(text, options).diagnostics.map(d => `${d.code} ${d.message}`);

const targets = [gpuTarget, softwareTarget, wasmTarget];

/** VGG's first dense layer: 411 MB, which no device binds without being asked. */
const wide = `net Wide(x: f32[N, 25088]) -> f32[N, 4096] { return x -> dense(4096) }
train fit {
  data x: f32[N, 25088]
  minimize mean(Wide(x) ^ 2) over Wide by adam(lr = 0.1)
}`;

describe('what only some devices have', () => {
  const { entries, compiled: made } = compiled(wide);
  const [net, fit] = entries!.map(e => buildModel(e, made!.layout));

  test('is what a module asks for, to the byte, with what needs it', () => {
    const weight = 4 * 25088 * 4096;
    expect(net!.limits).toEqual({
      maxBufferSize: net!.stateBytes,
      maxStorageBufferBindingSize: weight,
    });
    expect(net!.stateBytes).toBeGreaterThanOrEqual(weight + 4 * 4096);
    expect(net!.needs).toEqual({
      maxBufferSize: 'parameters and states',
      maxStorageBufferBindingSize: 'Wide.dense.weight: f32[4096, 25088]',
    });
    // Weights and two moments in one buffer, but not bound together.
    expect(fit!.limits.maxStorageBufferBindingSize).toBe(weight);
    expect(fit!.limits.maxBufferSize).toBeGreaterThan(3 * weight);
  });

  test('stands in the module that is printed', () => {
    const text = printModule('big.dnn', entries!, made!.layout);
    expect(text).toContain(
      `limits: { maxBufferSize: ${net!.stateBytes}, maxStorageBufferBindingSize: 411041792 }`,
    );
    expect(text).toContain("maxStorageBufferBindingSize: 'Wide.dense.weight: f32[4096, 25088]'");
  });

  test('is nothing for nets that fit everywhere', () => {
    const { entries: small, compiled: c } = compiled(
      'net A(x: f32[N, 8]) -> f32[N, 4] { return x -> dense(4) }',
    );
    const model = buildModel(small![0]!, c!.layout);
    expect([model.limits, model.needs, model.programs.predict!.counts]).toEqual([{}, undefined, undefined]);
  });
});

test('parameters that are updated together are bound together only as far as every device binds them', () => {
  // 24 matrices of 16 MiB.
  const deep = `net Deep(x: f32[N, 2048]) -> f32[N, 2048] { return x -> repeat 24 { dense(2048) } }
  train fit {
    data x: f32[N, 2048]
    minimize mean(Deep(x) ^ 2) over Deep by lion(lr = 0.1)
  }`;
  const { plan } = compiled(deep, { only: n => n === 'fit.init' }).compiled!.programs.get('fit.init')!;
  const sizes = plan.dispatches.flatMap(d => d.bindings.map(b => D.lowerBound(b.bytes)));
  expect(Math.max(...sizes)).toBeLessThanOrEqual(gpuTarget.maxStorageBufferBindingSize);
  expect(Math.max(...sizes)).toBeGreaterThan(2 * 2 ** 24);
});

describe.each(targets)('beyond every device of $name', { timeout: 120_000 }, target => {
  const binding = target.mostBytes.binding;
  const at = (text: string, sizes = {}): string[] => messages(text, { target, sizes });

  test('a parameter', () => {
    const [first] = at('net A(x: f32[N, 40000]) -> f32[N, 50000] { return x -> dense(50000) }');
    expect(first).toMatch(
      new RegExp(
        `^E0224 A\\.dense\\.weight: f32\\[50000, 40000\\] takes 8000000000 bytes, at most ${binding} `,
      ),
    );
  });

  test('a result that the program makes, and an input', () => {
    expect(
      at('net A(x: f32[N]) -> f32[N, 1500000000] { return broadcast(x[0], N, 1500000000) }').join(),
    ).toMatch(/E0224 .*f32\[N, 1500000000\] takes 6000000000 bytes/);
    expect(at('net A(x: f32[N, 1500000000]) -> f32[N] { return mean(x, axis = 1) }').join()).toMatch(
      /E0224 x: f32\[N, 1500000000\] takes 6000000000 bytes/,
    );
  });

  test('sizes that --dim gives, and only those', () => {
    const text = 'net A(x: f32[N, 1000]) -> f32[N, 1000] { return relu(x) + mean(x) }';
    expect(at(text)).toEqual([]);
    expect(at(text, { N: 500_000 })).toEqual([]);
    expect(at(text, { N: 2_000_000 }).join()).toMatch(
      /E0224 .* takes 8000000000 bytes at N = 2000000, at most/,
    );
  });

  test('what no memory is made for, but is counted', () => {
    const text = `net A(x: f32[N], y: f32[M]) -> f32 {
      return mean(abs(reshape(x, [N, 1]) - reshape(y, [1, M])))
    }`;
    expect(at(text, { N: 30_000, M: 30_000 })).toEqual([]);
    expect(at(text, { N: 100_000, M: 100_000 }).join()).toMatch(
      new RegExp(
        `E0224 .* counts to 10000000000 at N = 100000, M = 100000, at most ${mostElements} \\(in 32 bits\\)`,
      ),
    );
  });

  test('positions that are computed before a guard looks at them', () => {
    const far = (d: number): string[] =>
      at(`net A(x: f32[N, 1, 64]) -> f32[N, 1, 64] { return x -> conv(1, 3, pad = ${d}, dilation = ${d}) }`);
    expect(far(1_000_000_000)).toEqual([]);
    expect(far(2_000_000_000).join()).toMatch(/E0224 .* counts to 4\d+, at most 2147418112/);
  });

  test('absurd sizes end as quickly as others, and never in a stack trace', () => {
    const huge = Number.MAX_SAFE_INTEGER;
    for (const text of [
      `net A(x: f32[${huge}, ${huge}]) -> f32[${huge}, ${huge}] { return x + 1 }`,
      `net A(x: f32[N, 4]) -> f32[N, ${huge}] { return x -> dense(${huge}) }`,
      'net A(x: f32[N, 1, 1000000, 1000000]) -> f32[N, 1, 1, 1] { return x -> conv(1, 1000000) }',
      'net A(x: f32[N, 8]) -> f32[N, 2000000008] { return pad(x, [0, 0], [0, 2000000000]) }',
      'net A(x: f32[N]) -> f32[2000000000] { return zeros(2000000000) + mean(x) }',
      'net A(x: f32[N, 1, 40000, 40000]) -> f32[N, 1, 1, 1] { return x -> max_pool(40000) }',
    ]) {
      const started = process.cpuUsage();
      expect(at(text).join(), text).toMatch(/^E02(05|08|24) /);
      // Of this process, in microseconds: others may have the machine meanwhile.
      expect(process.cpuUsage(started).user).toBeLessThan(20e6);
    }
    const all = 'net A(x: f32[N, N, N, N, N, N]) -> f32[N, N, N, N, N, N] { return x + 1 }';
    expect(at(all, { N: huge }).join()).toMatch(/^E0224 /);
  });
});

describe('memory of WebAssembly', () => {
  const deep =
    'net A(x: f32[N, 20000]) -> f32[N, 20000] { return x -> dense(20000) -> relu -> dense(20000) -> relu -> dense(20000) }';

  test('holds no more than 4 GiB of parameters, which a GPU may', () => {
    const found = compiled(deep, { target: wasmTarget }).diagnostics;
    expect(found.map(d => d.message)).toEqual([
      'A.predict takes 4800240384 bytes, at most 4294967296 (the memory of WebAssembly)',
    ]);
    expect(found[0]!.notes![0]!.message).toMatch(
      /^4800240384 of them are parameters and states, the largest is A\./,
    );
    expect(messages(deep, { target: gpuTarget })).toEqual([]);
  });

  test('holds no more of a run at the sizes given', () => {
    const text = 'net A(x: f32[N, 500]) -> (y: f32[N, 500], z: f32[N, 500]) { return x + 1, sin(x) }';
    expect(messages(text, { target: wasmTarget, sizes: { N: 500_000 } })).toEqual([]);
    expect(messages(text, { target: wasmTarget, sizes: { N: 1_000_000 } }).join()).toMatch(
      /E0224 A\.predict takes 6\d+ bytes at N = 1000000, at most 4294967296/,
    );
  });
});

describe('what kernels count at run time', () => {
  const text = `net A(x: f32[N], y: f32[M]) -> f32 {
    return mean(abs(reshape(x, [N, 1]) - reshape(y, [1, M])))
  }`;
  const sizesOf = (counts: readonly (readonly [string, unknown])[] | undefined): number[] =>
    (counts ?? []).map(([, size]) => (size as (...dims: number[]) => number)(100_000, 100_000));

  test.each([gpuTarget, wasmTarget] as Target[])('is told to the runtime for $name', async target => {
    const { entries, compiled: made } = compiled(text, { target });
    const program =
      target === wasmTarget
        ? (await buildWasmModel(entries![0]!, made!.layout)).programs.predict!.at(-1)!
        : buildModel(entries![0]!, made!.layout).programs.predict!;
    expect(Math.max(...sizesOf(program.counts))).toBe(1e10);
  });

  test('but not what has a word of memory for each that is counted', () => {
    const { entries, compiled: made } = compiled(wide);
    for (const entry of entries!)
      for (const p of Object.values(buildModel(entry, made!.layout).programs))
        expect(p.counts).toBeUndefined();
  });
});

describe('several large nets in a file', () => {
  const text = `net A(x: f32[N, 600]) -> f32[N, 600] { return x -> dense(600) }
  net B(x: f32[N, 600]) -> f32[N, 4] { return x -> dense(600) -> dense(4) }
  train fit {
    data x: f32[N, 600]
    minimize mean(B(x) ^ 2) over B by sgd(lr = 0.1, momentum = 0.9)
  }`;
  const bytes = 4 * (600 * 600 + 600);
  const last = 4 * (600 * 4 + 4);

  test('have buffers for their own parameters alone', () => {
    const { entries, compiled: made } = compiled(text);
    const [a, b, fit] = entries!.map(e => buildModel(e, made!.layout));
    expect(made!.layout.bytes).toBeGreaterThan(3 * bytes);
    expect(a!.stateBytes).toBeLessThan(bytes + 1024);
    expect(b!.stateBytes).toBeLessThan(bytes + last + 2048);
    // With the momentum.
    expect(fit!.stateBytes).toBeLessThan(2 * (bytes + last + 2048));
    for (const model of [a!, b!, fit!])
      for (const { offset, shape } of model.state) {
        expect(offset % 256).toBe(0);
        expect(offset + 4 * shape.reduce((n, d) => n * d, 1)).toBeLessThanOrEqual(model.stateBytes);
      }
    const printed = printModule('big.dnn', entries!, made!.layout);
    expect(printed).toContain(`stateBytes: ${b!.stateBytes},`);
    expect(printed).toContain(`stateBytes: ${fit!.stateBytes},`);
  });

  test('compute with them', async () => {
    const { entries, compiled: made } = compiled(text, { target: wasmTarget });
    const model = await buildWasmModel(entries![1]!, made!.layout);
    const ones = (n: number, x: number): Float32Array<ArrayBuffer> => new Float32Array(n).fill(x);
    const session = await open(model, {
      threads: 1,
      weights: {
        'B.dense.weight': ones(360_000, 1 / 600),
        'B.dense.bias': ones(600, 1),
        'B.dense_2.weight': ones(2400, 1 / 300),
        'B.dense_2.bias': Float32Array.of(0, 1, 2, 3),
      },
    });
    const { out } = await session.run('predict', { x: ones(600, 2) });
    for (const [i, y] of [...out!.data].entries()) expect(y).toBeCloseTo(6 + i, 4);
    session.dispose();
  });
});
