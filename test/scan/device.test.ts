import { describe, expect, test } from 'vitest';
import { gpuTarget, softwareTarget } from '../../src/ir/target.ts';
import { generator } from '../arbitrary/numbers.ts';
import { f32, i32 } from '../elaborate/helpers.ts';
import { getDevice } from '../gpu.ts';
import { errorOf } from '../torch/case.ts';
import { compileText, deviceBackend, graphBackend } from '../torch/run.ts';

const device = await getDevice();

const next = generator(3);
const random = (...shape: number[]) =>
  f32(shape, Array.from({ length: shape.reduce((a, b) => a * b, 1) }, next));

/** Every kind of state and stack, masks, random numbers, a loop inside, and gradients of all of it. */
const text = `
net Case(x: f32[N, T, 5], a: f32[N, 6], w: f32[5, 6], u: f32[6, 6], n: i32[N])
    -> (out: f32[N, T, 6], seen: i32[N, T], last: f32[N, 6], noise: f32[N, T, 6],
        gx: f32[N, T, 5], ga: f32[N, 6], gw: f32[5, 6], gu: f32[6, 6], gg: f32[6, 6]) {
  r = scan(axis = 1, lengths = n, reverse = true) xt in x carry h = a, c = a * 0.5, k = zeros(N, dtype = i32) {
    drop = rand_like(h)
    inner = scan(axis = 1) v in xt carry g = h { g = sin(g + unsqueeze(v, 1)) }
    old = h
    h = tanh(xt @ w + c @ u) * drop + 0.1 * inner.g
    c = old
    k = k + cast(sum(h, axis = 1) > 0, i32)
    yield h, k, drop
  }
  s = scan(axis = 1) y in r.out carry z = r.h { z = sin(y @ u + z)  yield z }
  loss = sum(sin(s.out)) + sum(r.h * r.c)
  gu = grad(loss, u)
  return r.out, r.out_2, s.z, r.out_3, grad(loss, x), grad(loss, a), grad(loss, w), gu, grad(sum(sin(gu)), u)
}`;

describe.skipIf(!device)('on the device', () => {
  test.each([softwareTarget, gpuTarget])(
    'a program of loops at several lengths, for $name',
    async target => {
      const compiled = compileText('loops', text, target);
      for (const [N, T] of [
        [3, 4],
        [1, 1],
        [2, 9],
      ] as const) {
        const inputs = {
          key: { dtype: 'u32', shape: [2], data: Float64Array.of(0, 0) } as const,
          x: random(N, T, 5),
          a: random(N, 6),
          w: random(5, 6),
          u: random(6, 6),
          n: i32(
            [N],
            Array.from({ length: N }, (_, i) => Math.max(0, T - 2 * i)),
          ),
        };
        const expected = await graphBackend.net(compiled, inputs);
        const { key: _, ...hosts } = inputs;
        const actual = await deviceBackend(device!, target).net(compiled, hosts);
        for (const [name, e] of Object.entries(expected))
          expect(errorOf(actual[name]!, e), `${name} at N = ${N}, T = ${T}`).toBeLessThan(
            name === 'seen' ? 1e-9 : 2e-4,
          );
      }
    },
    120_000,
  );
});
