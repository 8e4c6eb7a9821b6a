import { describe, test } from 'vitest';
import { i32 } from '../elaborate/helpers.ts';
import { expectUnrolled, type Loop } from './unrolled.ts';

/** h = tanh(x w + h u), of [N, T, 3] along axis 1. */
const simple: Loop = {
  inputs: { x: 'f32[N, T, 3]', h0: 'f32[N, 4]', w: 'f32[3, 4]', u: 'f32[4, 4]' },
  axis: 1,
  carry: { h: 'h0' },
  body: ['h = tanh(xt @ w + h @ u)'],
  yields: ['h'],
  results: { out: 'f32[N, T, 4]', h: 'f32[N, 4]' },
};

const alongAxis: Record<string, Loop> = {
  'axis 1': simple,
  'axis 0': {
    ...simple,
    axis: 0,
    inputs: { ...simple.inputs, x: 'f32[T, N, 3]' },
    results: { out: 'f32[T, N, 4]', h: 'f32[N, 4]' },
  },
  'axis -2': { ...simple, axis: -2 },
  'the last axis': {
    ...simple,
    axis: -1,
    inputs: { ...simple.inputs, x: 'f32[N, 3, T]' },
    results: { out: 'f32[N, 4, T]', h: 'f32[N, 4]' },
  },
  reverse: { ...simple, reverse: true },
  'a vector of numbers': {
    inputs: { x: 'f32[T]', a: 'f32' },
    rank: 1,
    carry: { s: 'a' },
    body: ['s = sin(s * a) + xt'],
    yields: ['s * a'],
    results: { out: 'f32[T]', s: 'f32' },
  },
};

const carries: Record<string, Loop> = {
  'two, each of which reads the other': {
    ...simple,
    inputs: { ...simple.inputs, c0: 'f32[N, 4]' },
    carry: { h: 'h0', c: 'c0' },
    body: ['c = c * 0.5 + tanh(xt @ w + h @ u)', 'h = sin(c) * h'],
    yields: ['h', 'c'],
    results: { out: 'f32[N, T, 4]', out_2: 'f32[N, T, 4]', h: 'f32[N, 4]', c: 'f32[N, 4]' },
  },
  'that change places': {
    inputs: { x: 'f32[T, N, 3]', a: 'f32[N, 3]', b: 'f32[N, 3]' },
    carry: { h: 'a', c: 'b' },
    body: ['old = h', 'h = c', 'c = old * xt'],
    yields: ['h + c'],
    results: { out: 'f32[T, N, 3]', h: 'f32[N, 3]', c: 'f32[N, 3]' },
  },
  'that only change places': {
    inputs: { x: 'f32[T, N, 3]', a: 'f32[N, 3]', b: 'f32[N, 3]' },
    carry: { h: 'a', c: 'b' },
    body: ['old = h', 'h = c', 'c = old'],
    yields: ['h * xt'],
    results: { out: 'f32[T, N, 3]', h: 'f32[N, 3]', c: 'f32[N, 3]' },
  },
  'three that move on': {
    inputs: { x: 'f32[T, N, 3]', a: 'f32[N, 3]' },
    carry: { p: 'a', q: 'a * 2', r0: 'sin(a)' },
    body: ['old = p', 'p = q', 'q = r0', 'r0 = old + xt'],
    yields: ['p * q'],
    results: { out: 'f32[T, N, 3]', p: 'f32[N, 3]', q: 'f32[N, 3]', r0: 'f32[N, 3]' },
  },
  'one passed on as it is': {
    ...simple,
    inputs: { ...simple.inputs, k0: 'f32[N, 4]' },
    carry: { h: 'h0', k: 'k0' },
    body: ['h = tanh(xt @ w + h @ u) * k'],
    results: { out: 'f32[N, T, 4]', h: 'f32[N, 4]', k: 'f32[N, 4]' },
  },
  'one that starts as a constant and one from another': {
    ...simple,
    carry: { h: 'zeros(N, 4)', s: 'h0', n: 'h0' },
    body: ['h = tanh(xt @ w + h @ u)', 's = s + h', 'n = n * h'],
    results: { out: 'f32[N, T, 4]', h: 'f32[N, 4]', s: 'f32[N, 4]', n: 'f32[N, 4]' },
  },
  'an integer and a flag': {
    inputs: { x: 'f32[T, N, 3]', a: 'f32[N, 3]' },
    carry: { h: 'a', n: 'zeros(N, dtype = i32)', up: 'zeros(N, 3, dtype = bool)' },
    body: ['h = where(up, h * xt, sin(h + xt))', 'up = xt > h', 'n = n + sum(cast(up, i32), axis = 1)'],
    yields: ['h', 'n', 'up'],
    results: {
      out: 'f32[T, N, 3]',
      out_2: 'i32[T, N]',
      out_3: 'bool[T, N, 3]',
      h: 'f32[N, 3]',
      n: 'i32[N]',
      up: 'bool[N, 3]',
    },
  },
  'one that a turn replaces without reading it': {
    inputs: { x: 'f32[T, N, 3]', a: 'f32[N, 3]' },
    carry: { h: 'a' },
    body: ['h = xt * 2'],
    yields: ['h'],
    results: { out: 'f32[T, N, 3]', h: 'f32[N, 3]' },
  },
  'one that becomes an outer value': {
    inputs: { x: 'f32[T, N, 3]', a: 'f32[N, 3]', b: 'f32[N, 3]' },
    carry: { h: 'a' },
    body: ['before = h', 'h = b'],
    yields: ['before * xt'],
    results: { out: 'f32[T, N, 3]', h: 'f32[N, 3]' },
  },
};

const yields: Record<string, Loop> = {
  'what a turn began with': {
    ...simple,
    body: ['old = h', 'h = tanh(xt @ w + h @ u)'],
    yields: ['old'],
  },
  'a constant and an outer value': {
    ...simple,
    yields: ['zeros(N, 4) + 3', 'h0', 'h'],
    results: { out: 'f32[N, T, 4]', out_2: 'f32[N, T, 4]', out_3: 'f32[N, T, 4]' },
  },
  'the slice itself': {
    ...simple,
    yields: ['xt', 'h'],
    results: { out: 'f32[N, T, 3]', out_2: 'f32[N, T, 4]' },
  },
  'one value twice': {
    ...simple,
    yields: ['h', 'h'],
    results: { out: 'f32[N, T, 4]', out_2: 'f32[N, T, 4]' },
  },
  none: { ...simple, yields: [], results: { h: 'f32[N, 4]' } },
  'a stack that nothing reads': { ...simple, results: { h: 'f32[N, 4]' } },
  'a last state that nothing reads': { ...simple, results: { out: 'f32[N, T, 4]' } },
  'larger than what is carried': {
    ...simple,
    yields: ['reshape(h, N, 4, 1) * reshape(h, N, 1, 4)'],
    results: { out: 'f32[N, T, 4, 4]', h: 'f32[N, 4]' },
  },
};

const around: Record<string, Loop> = {
  'values that do not depend on the turn': {
    ...simple,
    body: ['scale = softmax(u @ u, axis = 1)', 'h = tanh(xt @ w + h @ scale)'],
  },
  'a value used inside, outside, and as a first state': {
    ...simple,
    before: ['v = tanh(h0)', 'm = u @ u'],
    carry: { h: 'v' },
    body: ['h = tanh(xt @ w + h @ m) + v'],
    after: ['z = out @ m + unsqueeze(v, 1)'],
    results: { z: 'f32[N, T, 4]', h: 'f32[N, 4]' },
  },
  'what is scanned read whole inside': {
    ...simple,
    body: ['h = tanh(xt @ w + h @ u + mean(x, axis = 1) @ w)'],
  },
  'one loop after another': {
    ...simple,
    after: [
      's = scan(axis = 1, reverse = true) y in out carry k = h { k = sin(y + k @ u)  yield k * y }',
      'z = s.out',
      'k = s.k',
    ],
    results: { z: 'f32[N, T, 4]', k: 'f32[N, 4]' },
  },
  'a carry and a stack that are the same at the end': {
    ...simple,
    after: ['last = out[:, -1]'],
    results: { out: 'f32[N, T, 4]', h: 'f32[N, 4]', last: 'f32[N, 4]' },
  },
  'integers scanned': {
    inputs: { ids: 'i32[N, T]', table: 'f32[4, 3]', a: 'f32[N, 3]' },
    over: 'ids',
    rank: 2,
    axis: 1,
    carry: { h: 'a' },
    body: ['h = tanh(h + look_up(table, xt))'],
    yields: ['h'],
    results: { out: 'f32[N, T, 3]', h: 'f32[N, 3]' },
  },
  'images scanned, with windows and reductions': {
    inputs: { x: 'f32[N, T, 1, 4, 4]', a: 'f32[N, 2, 4, 4]', w: 'f32[2, 3, 3, 3]' },
    axis: 1,
    rank: 5,
    carry: { h: 'a' },
    body: ['h = tanh(conv2d(concat(h, xt, axis = 1), w, pad = 1)) + max(h, axis = [2, 3], keep = true)'],
    yields: ['max_pool(h, 2)'],
    results: { out: 'f32[N, T, 2, 2, 2]', h: 'f32[N, 2, 4, 4]' },
  },
  'attention over what is carried': {
    inputs: { x: 'f32[N, T, 4]', memory: 'f32[N, 5, 4]', h0: 'f32[N, 4]' },
    axis: 1,
    carry: { h: 'h0' },
    body: [
      'score = softmax(sum(memory * unsqueeze(h + xt, 1), axis = 2), axis = 1)',
      'h = tanh(sum(memory * unsqueeze(score, 2), axis = 1))',
    ],
    yields: ['score'],
    results: { out: 'f32[N, T, 5]', h: 'f32[N, 4]' },
  },
};

const nested: Record<string, Loop> = {
  'a loop inside a loop': {
    inputs: { x: 'f32[T, N, 3]', y: 'f32[2, N, 3]', a: 'f32[N, 3]' },
    carry: { h: 'a' },
    body: [
      'inner = scan() v in y carry g = h { g = sin(g * v + xt)  yield g * h }',
      'h = inner.g + sum(inner.out, axis = 0)',
    ],
    yields: ['h', 'inner.out'],
    results: { out: 'f32[T, N, 3]', out_2: 'f32[T, 2, N, 3]', h: 'f32[N, 3]' },
  },
  'a loop over the slice of a loop': {
    inputs: { x: 'f32[T, N, 3]', a: 'f32[N]' },
    carry: { h: 'a' },
    body: ['inner = scan(axis = 1) v in xt carry g = h { g = tanh(g + v) * h  yield g }', 'h = inner.g'],
    yields: ['inner.out'],
    results: { out: 'f32[T, N, 3]', h: 'f32[N]' },
  },
  'a loop inside that depends on no turn': {
    inputs: { x: 'f32[T, N, 3]', y: 'f32[2, N, 3]', a: 'f32[N, 3]' },
    carry: { h: 'a' },
    body: ['inner = scan() v in y carry g = a { g = sin(g * v) }', 'h = inner.g * h + xt'],
    yields: ['h'],
    results: { out: 'f32[T, N, 3]', h: 'f32[N, 3]' },
  },
};

const derivatives: Record<string, Loop> = {
  'of a gradient through the loop': {
    ...simple,
    after: ['gx = grad(sum(sin(out)) + sum(h ^ 2), x)', 'gu = grad(sum(sin(out)), u)'],
    results: { gx: 'f32[N, T, 3]', gu: 'f32[4, 4]' },
    loss: 'sum(gx ^ 2) + sum(sin(gu))',
  },
  'of a gradient inside the body': {
    inputs: { x: 'f32[T, N, 3]', a: 'f32[N, 3]', w: 'f32[3, 3]' },
    carry: { h: 'a' },
    body: ['e = sum(tanh(h @ w) * xt) + sum(h ^ 4)', 'h = h - 0.1 * grad(e, h)'],
    yields: ['h'],
    results: { out: 'f32[T, N, 3]', h: 'f32[N, 3]' },
  },
  'of a loop inside a loop, twice': {
    inputs: { x: 'f32[T, N, 2]', a: 'f32[N]' },
    carry: { h: 'a' },
    body: ['inner = scan(axis = 1) v in xt carry g = h { g = tanh(g + v) * h  yield g }', 'h = inner.g'],
    yields: ['inner.out'],
    after: ['ga = grad(sum(sin(out)) + sum(h), a)'],
    results: { ga: 'f32[N]' },
    loss: 'sum(ga ^ 2)',
  },
};

const outsideBody: Record<string, Loop> = {
  'by an outer value, through nodes that depend on no turn': {
    inputs: { x: 'f32[T, N, 3]', a: 'f32[N, 3]' },
    before: ['m = sin(a)'],
    carry: { h: 'a' },
    body: ['h = h + grad(sum(tanh(m) * xt), a)'],
    yields: ['grad(sum(sin(m) * xt), m)'],
    results: { out: 'f32[T, N, 3]', h: 'f32[N, 3]' },
  },
  'by an outer value, through a gradient outside': {
    inputs: { x: 'f32[T, N, 3]', a: 'f32[N, 3]', k: 'f32[N, 3]' },
    before: ['g = grad(sum(sin(a * k) * sin(k)), k)'],
    carry: { h: 'a' },
    body: ['h = h * grad(sum(g * xt), a)'],
    results: { h: 'f32[N, 3]' },
  },
  'by an outer value, through a loop outside': {
    inputs: { x: 'f32[T, N, 3]', a: 'f32[N, 3]' },
    before: ['m = scan() v in stack(a, a * a) carry g = a { g = tanh(g * v) }'],
    carry: { h: 'a' },
    body: ['h = h + grad(sum(m * m * xt), a)'],
    results: { h: 'f32[N, 3]' },
  },
};

const masks: Record<string, [Loop, number[]]> = {
  'one for each sequence': [{ ...simple, lengths: 'n', perSequence: true }, [2, 3]],
  '0 and beyond the end': [{ ...simple, lengths: 'n', perSequence: true }, [0, 9]],
  'one for each sequence, backwards': [{ ...simple, lengths: 'n', perSequence: true, reverse: true }, [1, 3]],
};

const groups = {
  'the axis of the turns': alongAxis,
  carries,
  yields,
  around,
  nested,
  derivatives,
  'gradients inside': outsideBody,
};

for (const [name, group] of Object.entries(groups))
  describe(name, () => {
    test.each(Object.entries(group))('%s', (_, loop) => expectUnrolled(loop));
  });

describe('lengths', () => {
  test.each(Object.entries(masks))('%s', (_, [loop, lengths]) => {
    const inputs = { ...loop.inputs, n: 'i32[N]' };
    expectUnrolled({ ...loop, inputs }, [{ N: 2, T: 3 }], { n: i32([2], lengths) });
  });
  test.each([0, 2, 3, 7])('one for all: %i', length => {
    const inputs = { ...simple.inputs, n: 'i32' };
    expectUnrolled({ ...simple, lengths: 'n', inputs }, [{ N: 2, T: 3 }], { n: i32([], [length]) });
  });
});
