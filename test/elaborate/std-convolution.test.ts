import { describe, expect, test } from 'vitest';
import { f32, moduleOf, run, show } from './helpers.ts';
import { near, numbers, range, total, value } from './library.ts';

/** Where a padded position comes from; undefined: a zero. */
const sources: Record<string, (i: number, n: number) => number | undefined> = {
  zeros: (i, n) => (i >= 0 && i < n ? i : undefined),
  reflect: (i, n) => (i < 0 ? -i : i >= n ? 2 * n - 2 - i : i),
  replicate: (i, n) => Math.min(Math.max(i, 0), n - 1),
  circular: (i, n) => (i + n) % n,
};

describe('convolution', () => {
  const x = numbers([2, 2, 7]);
  const weight = numbers([4, 2, 4], 2);
  const at = (n: number, c: number, i: number | undefined) =>
    i === undefined ? 0 : x.data[(n * 2 + c) * 7 + i]!;
  const convolved = (count: number, position: (q: number, k: number) => number | undefined) =>
    range(2).flatMap(n =>
      range(4).flatMap(o =>
        range(count).map(q =>
          total(
            range(2).flatMap(c =>
              range(4).map(k => at(n, c, position(q, k)) * weight.data[(o * 2 + c) * 4 + k]!),
            ),
          ),
        ),
      ),
    );

  test.each(Object.keys(sources))('padding by %s', mode => {
    const from = (q: number, k: number) => sources[mode]!(2 * q + k - 3, 7);
    near(
      value(`conv1d(x, w, stride = 2, pad = 3, pad_mode = "${mode}")`, { x, w: weight }),
      convolved(5, from),
    );
    const weights = { 'A.conv.weight': weight };
    const layer = `x -> conv(4, 4, stride = 2, pad = 3, bias = false, pad_mode = "${mode}")`;
    near(value(layer, { x }, weights), convolved(5, from));
  });

  test('same padding keeps the size, the odd position at the end; a stride divides it', () => {
    near(
      value('conv1d(x, w, same = true)', { x, w: weight }),
      convolved(7, (q, k) => sources.zeros!(q + k - 1, 7)),
    );
    near(
      value('conv1d(x, w, same = true, stride = 2)', { x, w: weight }),
      convolved(4, (q, k) => sources.zeros!(2 * q + k - 1, 7)),
    );
    near(
      value('conv1d(x, w, same = true, dilation = 2, pad_mode = "reflect")', { x, w: weight }),
      convolved(7, (q, k) => sources.reflect!(q + 2 * k - 3, 7)),
    );
  });

  test('an unknown padding mode', () => {
    const { diagnostics } = run(
      'net A(x: f32[1, 1, 4]) -> f32[...] { return padded(x, 1, mode = "mirror") }',
    );
    expect(diagnostics.map(show).join()).toContain('a padding mode is "zeros"');
  });

  test('sizes of the batch and of the image may be free', () => {
    const module = moduleOf(`net A(x: f32[N, 3, H, W]) -> f32[N, 8, H, W] {
      return x -> conv(8, 3, pad = 1, pad_mode = "reflect") -> conv(8, 4, same = true, pad_mode = "circular")
    }`);
    expect(module.nets[0]!.predict.outputs.length).toBe(1);
  });

  test.each([
    [3, 1, 0, 0, 1, 1],
    [4, 2, 1, 0, 1, 1],
    [3, 2, 1, 1, 1, 2],
    [3, 3, 2, 2, 2, 1],
  ])(
    'transposed: kernel %i, stride %i, pad %i, out_pad %i, dilation %i, groups %i',
    (k, s, p, more, d, groups) => {
      const w = numbers([2, 3, k], 4);
      const size = 6 * s - 2 * p + d * (k - 1) + 1 + more;
      const out = new Array<number>(2 * 3 * groups * size).fill(0);
      for (const n of range(2))
        for (const c of range(2))
          for (const o of range(3))
            for (const i of range(7))
              for (const tap of range(k)) {
                const to = i * s + tap * d - p;
                const channel = (groups === 2 ? c * 3 : 0) + o;
                if (to >= 0 && to < size)
                  out[(n * 3 * groups + channel) * size + to]! +=
                    at(n, c, i) * w.data[(c * 3 + o) * k + tap]!;
              }
      const shared = `stride = ${s}, pad = ${p}, out_pad = ${more}, dilation = ${d}, groups = ${groups}`;
      near(value(`conv_transpose1d(x, w, ${shared})`, { x, w }), out);
      const layer = `x -> conv_transpose(${3 * groups}, ${k}, ${shared})`;
      const bias = new Array(3 * groups).fill(0.5);
      const weights = { 'A.conv_transpose.weight': w, 'A.conv_transpose.bias': f32([3 * groups], bias) };
      near(
        value(layer, { x }, weights),
        out.map(v => v + 0.5),
      );
    },
  );

  test('locally connected: every position has its own weights', () => {
    const image = numbers([2, 2, 5, 4]);
    const w = numbers([3, 2, 2, 3, 2, 2], 2);
    const b = numbers([3, 2, 2], 3);
    const want = range(2).flatMap(n =>
      range(3).flatMap(o =>
        range(4).map(q => {
          const [y, z] = [q >> 1, q & 1];
          const taps = range(2).flatMap(c =>
            range(6).map(k => {
              const pixel = image.data[((n * 2 + c) * 5 + y * 2 + Math.floor(k / 3)) * 4 + z + (k % 3)]!;
              return pixel * w.data[((o * 2 + c) * 6 + k) * 4 + q]!;
            }),
          );
          return total(taps) + b.data[o * 4 + q]!;
        }),
      ),
    );
    const weights = { 'A.local_conv.weight': w, 'A.local_conv.bias': b };
    near(value('x -> local_conv(3, [2, 3], stride = [2, 1])', { x: image }, weights), want);
  });
});

describe('padding of one end', () => {
  const x = numbers([2, 3, 5, 4]);
  const w = numbers([2, 3, 3, 2], 2);

  test('is what padding beforehand gives', () => {
    near(
      value('conv2d(x, w, pad = [1, 0], pad_end = [0, 2], stride = 2)', { x, w }),
      value('conv2d(padded(x, [1, 0], [0, 2]), w, stride = 2)', { x, w }),
    );
    near(value('avg_pool(x, 2, pad = 0, pad_end = 1)', { x }), value('avg_pool(padded(x, 0, 1), 2)', { x }));
  });

  test('cuts off the end of what is transposed', () => {
    near(
      value('conv_transpose2d(x, w, stride = 2, pad = 1, pad_end = [0, 1])', {
        x,
        w: numbers([3, 3, 3, 2], 2),
      }),
      value('conv_transpose2d(x, w, stride = 2)[:, :, 1:, 1:-1]', { x, w: numbers([3, 3, 3, 2], 2) }),
    );
  });

  test('mirrors may be of any width, with the edge or without', () => {
    const row = f32([1, 1, 3], [1, 2, 3]);
    near(value('padded(x, 5, 2, mode = "reflect")', { x: row }), [2, 1, 2, 3, 2, 1, 2, 3, 2, 1]);
    near(value('padded(x, 2, 4, mode = "symmetric")', { x: row }), [2, 1, 1, 2, 3, 3, 2, 1, 1]);
    near(value('pad_last(x, [-1], [1], mode = "circular")', { x: row }), [2, 3, 1]);
  });
});
