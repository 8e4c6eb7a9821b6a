import { describe, expect, test } from 'vitest';
import { f32, i32 } from './helpers.ts';
import { average, near, numbers, range, total, value } from './library.ts';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** The three reductions of one loss. */
function reductions(
  call: (reduction: string) => string,
  inputs: Parameters<typeof value>[1],
  each: number[],
): void {
  near(value(call('none'), inputs), each);
  near(value(call('sum'), inputs), [total(each)]);
  near(value(call('mean'), inputs), [average(each)]);
}

describe('regression and two classes', () => {
  const [x, y] = [numbers([6]), numbers([6], 2)];
  const b = f32([6], [0, 1, 1, 0, 1, 0]);
  const signs = f32([6], [-1, 1, 1, -1, 1, -1]);
  const pairs = (f: (x: number, y: number) => number, other = y) =>
    range(6).map(i => f(x.data[i]!, other.data[i]!));

  test.each<[string, (x: number, y: number) => number]>([
    ['mse', (u, v) => (u - v) ** 2],
    ['mae', (u, v) => Math.abs(u - v)],
    ['huber', (u, v) => (Math.abs(u - v) < 1 ? (u - v) ** 2 / 2 : Math.abs(u - v) - 0.5)],
  ])('%s', (name, f) => reductions(r => `${name}(x, y, reduction = "${r}")`, { x, y }, pairs(f)));

  test('huber and smooth_l1 with other thresholds', () => {
    const gap = (u: number, v: number) => Math.abs(u - v);
    near(
      value('huber(x, y, delta = 0.5, reduction = "none")', { x, y }),
      pairs((u, v) => (gap(u, v) < 0.5 ? gap(u, v) ** 2 / 2 : 0.5 * (gap(u, v) - 0.25))),
    );
    near(
      value('smooth_l1(x, y, beta = 2, reduction = "none")', { x, y }),
      pairs((u, v) => (gap(u, v) < 2 ? gap(u, v) ** 2 / 4 : gap(u, v) - 1)),
    );
  });

  test('binary cross-entropy with weights', () => {
    const w = f32([6], [1, 2, 3, 1, 2, 3]);
    const each = range(6).map(i => {
      const p = sigmoid(x.data[i]!);
      return -w.data[i]! * (4 * b.data[i]! * Math.log(p) + (1 - b.data[i]!) * Math.log(1 - p));
    });
    near(value('bce_logits(x, b, weight = w, positive = 4, reduction = "none")', { x, b, w }), each);
    const plain = range(6).map(
      i => -w.data[i]! * Math.log(b.data[i]! ? sigmoid(x.data[i]!) : 1 - sigmoid(x.data[i]!)),
    );
    near(value('bce(sigmoid(x), b, weight = w)', { x, b, w }), [average(plain)]);
    near(value('bce_logits(x, b)', { x: f32([2], [800, -800]), b: f32([2], [0, 1]) }), [800]);
  });

  test('hinge and focal', () => {
    reductions(
      r => `hinge(x, y, margin = 0.5, reduction = "${r}")`,
      { x, y: signs },
      pairs((u, v) => Math.max(0.5 - u * v, 0), signs),
    );
    const each = pairs((u, t) => {
      const right = t ? sigmoid(u) : 1 - sigmoid(u);
      return -(t ? 0.25 : 0.75) * (1 - right) ** 2 * Math.log(right);
    }, b);
    reductions(r => `focal(x, y, reduction = "${r}")`, { x, y: b }, each);
  });

  test('kl', () => {
    const [p, q] = [f32([2, 2], [0, 1, 0.25, 0.75]), f32([2, 2], [0.5, 0.5, 0.5, 0.5])];
    const each = [...p.data].map(v => (v > 0 ? v * Math.log(v / 0.5) : 0));
    reductions(r => `kl(log(q), p, reduction = "${r}")`, { p, q }, each);
    near(value('kl(log(q), p, reduction = "batchmean")', { p, q }), [total(each) / 2]);
  });

  test('triplet and dice', () => {
    const [a, p, n] = [numbers([3, 4]), numbers([3, 4], 2), numbers([3, 4], 3)];
    const far = (u: typeof a, v: typeof a, i: number) =>
      Math.hypot(...range(4).map(k => u.data[i * 4 + k]! - v.data[i * 4 + k]! + 1e-6));
    reductions(
      r => `triplet(a, p, n, margin = 0.3, reduction = "${r}")`,
      { a, p, n },
      range(3).map(i => Math.max(far(a, p, i) - far(a, n, i) + 0.3, 0)),
    );
    const [s, t] = [f32([1, 3], [0.5, 1, 0]), f32([1, 3], [1, 1, 0])];
    near(value('dice(s, t, smooth = 0.5)', { s, t }), [1 - (2 * 1.5 + 0.5) / (1.5 + 2 + 0.5)]);
  });
});

describe('classification', () => {
  const x = numbers([4, 3]);
  const y = i32([4], [2, 0, 1, 2]);
  const w = f32([3], [0.5, 2, 3]);
  const row = (n: number) => range(3).map(c => x.data[n * 3 + c]!);
  const logP = (n: number, c: number) => row(n)[c]! - Math.log(total(row(n).map(Math.exp)));
  const label = (n: number) => y.data[n]!;

  test('cross_entropy', () => {
    reductions(
      r => `cross_entropy(x, y, reduction = "${r}")`,
      { x, y },
      range(4).map(n => -logP(n, label(n))),
    );
    near(value('nll(log_softmax(x), y)', { x, y }), [average(range(4).map(n => -logP(n, label(n))))]);
  });

  test('class weights: the mean is over the weights', () => {
    const each = range(4).map(n => -w.data[label(n)]! * logP(n, label(n)));
    const mean = total(each) / total(range(4).map(n => w.data[label(n)]!));
    near(value('cross_entropy(x, y, weight = w, reduction = "none")', { x, y, w }), each);
    near(value('cross_entropy(x, y, weight = w)', { x, y, w }), [mean]);
    near(value('nll(log_softmax(x), y, weight = w)', { x, y, w }), [mean]);
  });

  test('labels that do not count', () => {
    const counted = range(4).filter(n => label(n) !== 2);
    const mean = average(counted.map(n => -logP(n, label(n))));
    near(value('cross_entropy(x, y, ignore = 2)', { x, y }), [mean]);
    near(value('cross_entropy(x, y, ignore = -100)', { x, y: i32([4], [-100, 0, 1, -100]) }), [mean]);
    near(value('cross_entropy(x, y, ignore = [2, 0])', { x, y }), [-logP(2, 1)]);
  });

  test('label smoothing, with weights and labels that do not count', () => {
    const even = (n: number, of: number[]) => total(range(3).map(c => -of[c]! * logP(n, c))) / 3;
    const plain = range(4).map(n => 0.9 * -logP(n, label(n)) + 0.1 * even(n, [1, 1, 1]));
    reductions(r => `cross_entropy(x, y, smoothing = 0.1, reduction = "${r}")`, { x, y }, plain);
    const counted = range(4).filter(n => label(n) !== 2);
    const weights = [...w.data];
    const each = counted.map(n => 0.9 * -weights[label(n)]! * logP(n, label(n)) + 0.1 * even(n, weights));
    near(value('cross_entropy(x, y, weight = w, smoothing = 0.1, ignore = 2)', { x, y, w }), [
      total(each) / total(counted.map(n => weights[label(n)]!)),
    ]);
  });

  test('soft targets', () => {
    const p = f32(
      [4, 3],
      range(4).flatMap(n => [0.25, 0.75 - n * 0.1, n * 0.1]),
    );
    const each = range(4).map(n => total(range(3).map(c => -p.data[n * 3 + c]! * w.data[c]! * logP(n, c))));
    reductions(r => `soft_cross_entropy(x, p, weight = w, reduction = "${r}")`, { x, p, w }, each);
    const hard = f32(
      [4, 3],
      range(12).map(i => (i % 3 === label(Math.floor(i / 3)) ? 1 : 0)),
    );
    near(
      value('soft_cross_entropy(x, p, smoothing = 0.2)', { x, p: hard }),
      value('cross_entropy(x, y, smoothing = 0.2)', { x, y }),
    );
  });

  test('every position may have a label', () => {
    const image = f32(
      [1, 3, 4],
      range(3).flatMap(c => range(4).map(n => row(n)[c]!)),
    );
    const inputs = { x: image, y: i32([1, 4], y.data), w };
    near(
      value('cross_entropy(x, y, weight = w, smoothing = 0.1)', inputs),
      value('cross_entropy(x, y, weight = w, smoothing = 0.1)', { x, y, w }),
    );
  });

  test('multi_hinge', () => {
    const gaps = (n: number, p: number) =>
      range(3)
        .filter(c => c !== label(n))
        .map(c => Math.max(0.5 + row(n)[c]! - row(n)[label(n)]!, 0) ** p);
    reductions(
      r => `multi_hinge(x, y, margin = 0.5, reduction = "${r}")`,
      { x, y },
      range(4).map(n => total(gaps(n, 1)) / 3),
    );
    near(value('multi_hinge(x, y, margin = 0.5, p = 2)', { x, y }), [
      average(range(4).map(n => total(gaps(n, 2)) / 3)),
    ]);
  });

  test('metrics', () => {
    const logits = f32([3, 4], [1, 2, 3, 4, 4, 3, 2, 1, 0, 5, 1, 2]);
    const truth = i32([3], [2, 0, 0]);
    near(value('accuracy(x, y)', { x: logits, y: truth }), [1 / 3]);
    near(value('topk_accuracy(x, y, k = 2)', { x: logits, y: truth }), [2 / 3]);
    near(value('topk_accuracy(x, y, k = 4)', { x: logits, y: truth }), [1]);
    // Said 1 0 1 1, true 1 0 0 1: class 0 has 1 of 2, class 1 has 2 of 3, class 2 does not occur.
    const map = f32([1, 3, 4], [0, 1, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0]);
    near(value('mean_iou(x, y)', { x: map, y: i32([1, 4], [1, 0, 0, 1]) }), [(1 / 2 + 2 / 3) / 2]);
    expect(value('mean_iou(x, y)', { x: map, y: i32([1, 4], [1, 0, 1, 1]) })).toEqual([1]);
  });
});
