import { describe, expect, test } from 'vitest';
import { parse } from '../../src/parser/parse.ts';
import { showBody, showFile } from './show.ts';

test('imports', () => {
  const text = 'import { A, weights } from "./a.dnn"\nimport from from "b"';
  const { file, diagnostics } = parse({ name: 'net.dnn', text });
  expect(diagnostics).toEqual([]);
  expect(file.imports.map(i => [i.names.map(n => n.name), i.from])).toEqual([
    [['A', 'weights'], './a.dnn'],
    [['from'], 'b'],
  ]);
});

test('const, fn and op', () => {
  expect(
    showFile(`
      const S = 7
      const Depths: int[] = [1, 2]
      fn swish(x: f32[...], beta: float = 1) -> f32[...] { return x * sigmoid(beta * x) }
      fn step(data: f32[N, C, ...S, _]) -> (y: f32, step: f32[...Rest]) { return data, data }
      op conv1d(x: f32[N, C, L], w: f32[O, C, K]) -> y: f32[N, O, L - K + 1] {
        y[n, o, l] = sum(c, k) x[n, c, l + k] * w[o, c, k]   // ranges come from the types
      }
      op total(x: f32[N]) -> y: f32 { y[] = max(i) -x[i] }`),
  ).toMatchInlineSnapshot(`
    [
      "const S = 7",
      "const Depths: int[] = [1, 2]",
      "fn swish(x: f32[...], beta: float = 1) -> f32[...] { return (x * sigmoid((beta * x))) }",
      "fn step(data: f32[N, C, ...S, _]) -> (y: f32, step: f32[...Rest]) { return data, data }",
      "op conv1d(x: f32[N, C, L], w: f32[O, C, K]) -> y: f32[N, O, ((L - K) + 1)] { y[n, o, l] = sum(c, k) (x[n, c, (l + k)] * w[o, c, k]) }",
      "op total(x: f32[N]) -> y: f32 { y[] = max(i) (- x[i]) }",
    ]
  `);
});

test('block, net and train', () => {
  expect(
    showFile(`
      block R(layers: int[], unit: block = Basic)
            (x: f32[N, 3, H, W]) -> f32[N, (H - 1) ~/ 2 + 1] { return x }
      net A = R([2, 2], unit = Basic)
      net B(x: f32[N, 784]) -> f32[N, 784] = Coder(256)
      net weights = R([3]) weights "./r.safetensors" rename "torchvision"
      net D(x: f32[N]) -> (y: f32[N], s: f32[N]) { y = x return y, grad(sum(y), x) }
      net train(x: f32[N]) -> f32[N] = R([1]) weights "w"
      train head { }`),
  ).toMatchInlineSnapshot(`
    [
      "block R(layers: int[], unit: block = Basic)(x: f32[N, 3, H, W]) -> f32[N, (((H - 1) ~/ 2) + 1)] { return x }",
      "net A = R([2, 2], unit = Basic)",
      "net B(x: f32[N, 784]) -> f32[N, 784] = Coder(256)",
      "net weights = R([3]) weights "./r.safetensors" rename "torchvision"",
      "net D(x: f32[N]) -> (y: f32[N], s: f32[N]) { y = x; return y, grad(sum(y), x) }",
      "net train(x: f32[N]) -> f32[N] = R([1]) weights "w"",
      "train head {  }",
    ]
  `);
});

describe('statements', () => {
  test('of every kind', () => {
    expect(
      showBody(`
        data x: u8[N, 1, 28, 28]
        param delta: f32[3] = zeros
        state seen: f32[1] = zeros
        seen <- seen + 1
        (i, f) = split(x, 2)
        metric acc = mean(x)
        repeat 3 { x = f(x) }
        repeat i in 0..len(l) { y = x -> first: unit(2 ^ i) }
        step d every 5 { minimize l over D by adam(lr = 2e-4) }
        step g { yield a, b }`),
    ).toMatchInlineSnapshot(`
      [
        "data x: u8[N, 1, 28, 28]",
        "param delta: f32[3] = zeros",
        "state seen: f32[1] = zeros",
        "seen <- (seen + 1)",
        "i, f = split(x, 2)",
        "metric acc = mean(x)",
        "repeat 3 { x = f(x) }",
        "repeat i in (0 .. len(l)) { y = (x -> first: unit((2 ^ i))) }",
        "step d every 5 { minimize l over <D by adam(lr = 0.0002f)> }",
        "step g { yield a, b }",
      ]
    `);
  });

  test('each `by` is one pipe and the comma behind it starts the next target', () => {
    expect(
      showBody(`
        minimize loss
          over Flowers.head by adam(lr = 1e-4),
               Backbone.first[3], Backbone.rest[3] by clip(5) -> noise: n(0.1) -> sgd(lr = 1, momentum = 2)
        minimize (5 * a + b) / N over Yolo by sgd()`),
    ).toMatchInlineSnapshot(`
      [
        "minimize loss over <Flowers.head by adam(lr = 0.0001f)>, <Backbone.first[3], Backbone.rest[3] by (clip(5) -> noise: n(0.1f) -> sgd(lr = 1, momentum = 2))>",
        "minimize (((5 * a) + b) / N) over <Yolo by sgd()>",
      ]
    `);
  });

  test('contextual keywords are bound, read and declared', () => {
    expect(
      showBody(`
        data = step
        step = data + repeat
        repeat = metric
        return <- yield
        data data: param[state] = in
        metric metric = over
        step every every 2 { net = block }
        step step { }
        repeat in in in { }
        repeat repeat { }
        minimize over over by by by
        x = y -> repeat
        step g { }
        return minimize`),
    ).toMatchInlineSnapshot(`
      [
        "data = step",
        "step = (data + repeat)",
        "repeat = metric",
        "return <- yield",
        "data data: param[state] = in",
        "metric metric = over",
        "step every every 2 { net = block }",
        "step step {  }",
        "repeat in in in {  }",
        "repeat repeat {  }",
        "minimize over over <by by by>",
        "x = (y -> repeat)",
        "step g {  }",
        "return minimize",
      ]
    `);
  });
});
