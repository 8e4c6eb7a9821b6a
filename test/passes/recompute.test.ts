import { describe, expect, test } from 'vitest';
import { compile } from '../../src/compile.ts';
import * as D from '../../src/ir/dim.ts';
import { interpretProgram } from '../../src/ir/interpret/program.ts';
import { ndarray, size } from '../../src/ir/ndarray.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import type { Program } from '../../src/ir/program.ts';
import { gpuTarget } from '../../src/ir/target.ts';
import type { CompiledProgram } from '../../src/passes/pipeline.ts';
import { generator } from '../arbitrary/numbers.ts';

const train = `train fit {
  data x: f32[N, 1, 8, 8]
  data y: i32[N]
  minimize cross_entropy(Net(x), y) over Net by adam(lr = 1e-3)
}`;

const nets: Readonly<Record<string, string>> = {
  plain: `block Stage(channels: int)(x: f32[N, C, H, W]) -> f32[N, channels, H, W] {
  return x -> conv(channels, 3, pad = 1) -> batch_norm -> relu -> conv(channels, 3, pad = 1) -> batch_norm -> tanh
}
net Net(x: f32[N, 1, 8, 8]) -> f32[N, 3] {
  return x -> Stage(4) -> Stage(4) -> Stage(4) -> Stage(4) -> max_pool(2) -> flatten -> dense(3)
}
`,
  residual: `block Residual(channels: int)(x: f32[N, channels, H, W]) -> f32[N, channels, H, W] {
  return relu(x + (x -> conv(channels, 3, pad = 1) -> batch_norm -> relu -> conv(channels, 3, pad = 1) -> batch_norm))
}
net Net(x: f32[N, 1, 8, 8]) -> f32[N, 3] {
  return x -> conv(4, 3, pad = 1) -> repeat 4 { Residual(4) } -> mean(axis = [2, 3]) -> dense(3)
}
`,
};

function step(net: string, memoryLimit?: number): CompiledProgram {
  const { compiled, diagnostics } = compile(
    { name: 'net.dnn', text: nets[net]! + train },
    { target: gpuTarget, only: n => n === 'fit.step', sizes: { N: 16 }, ...(memoryLimit && { memoryLimit }) },
  );
  if (!compiled) throw new Error(diagnostics.map(d => `${d.code}: ${d.message}`).join());
  return compiled.programs.get('fit.step')!;
}

const dims = { N: 16 };
const arenaOf = ({ plan }: CompiledProgram): number => D.evaluate(plan.arenaBytes, dims);

function outcome(program: Program): Map<string, number[]> {
  const arrays: Record<string, NdArray> = {};
  const next = generator(5);
  const named = program.tensors.filter(t => t.path !== undefined && t.role !== 'pack');
  for (const { path, role, type } of named.sort((a, b) => (a.path! < b.path! ? -1 : 1))) {
    const shape = type.shape.map(d => D.evaluate(d, { N: 2 }));
    const value = (): number => {
      if (role === 'key' || role === 'scalar' || type.dtype !== 'f32') return 1;
      return role === 'state' ? 0.5 + next() / 4 : next() / 2;
    };
    arrays[path!] = ndarray(type.dtype, shape, Array.from({ length: size(shape) }, value));
  }
  const { outputs, state } = interpretProgram(program, arrays, { dims: { N: 2 } });
  return new Map([...outputs, ...state].map(([name, { data }]) => [name, [...data]]));
}

describe.each(Object.keys(nets))('a %s net', { timeout: 300_000 }, net => {
  test('fits a limit by computing again, and every result, state and updated parameter keeps its bits', () => {
    const whole = step(net);
    const limit = Math.floor(0.8 * arenaOf(whole));
    const small = step(net, limit);
    expect(arenaOf(small)).toBeLessThanOrEqual(limit);
    expect(small.again!.length).toBeGreaterThan(0);
    expect(small.program.works.length).toBe(whole.program.works.length + small.again!.length);
    expect(outcome(small.program)).toEqual(outcome(whole.program));
  });

  test('says what is the least that was found, and that can be had', () => {
    let message = '';
    try {
      step(net, 1000);
    } catch (error) {
      ({ message } = error as Error);
    }
    const [, least] = /^E0223: fit\.step needs (\d+) bytes at N = 16, and may take 1000$/.exec(message)!;
    expect(Number(least)).toBeLessThan(arenaOf(step(net)));
  });

  test('is left alone where it fits', () => {
    const whole = step(net);
    const again = step(net, arenaOf(whole));
    expect(again.again).toBeUndefined();
    expect(again.program.works.map(w => w.name)).toEqual(whole.program.works.map(w => w.name));
  });
});
