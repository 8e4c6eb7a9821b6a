import { describe, expect, test } from 'vitest';
import { run, show } from './helpers.ts';

/** What is found: code and marked text of each diagnostic. */
function found(text: string, options = {}): string[] {
  return run(text, options).diagnostics.map(d =>
    `${d.code} ${d.span ? d.span.source.text.slice(d.span.start, d.span.end) : ''}`.trim(),
  );
}

const net = (body: string, before = '') => `${before}
net A(x: f32[N, 4]) -> f32[...] { ${body} }`;
const train = (body: string) => `net A(x: f32[N, 4]) -> f32[N, 2] { return x -> head: dense(2) }
train t { data x: f32[N, 4] ${body} }`;

describe('every error, at its place', () => {
  test.each<[string, string, string[]]>([
    ['duplicate declaration', 'const a = 1\nconst a = 2', ['E0104 a']],
    ['duplicate label', net('return x -> a: dense(4) -> a: dense(4)'), ['E0104 a']],
    ['duplicate layer', net('a = dense(4) a = dense(5) return x -> a'), ['E0104 a']],
    ['duplicate argument', net('return x -> conv(4, out = 3)'), ['E0104 3']],
    [
      'duplicate metric',
      train('metric m = mean(x) metric m = mean(x) minimize mean(A(x)) over A by sgd(lr = 1)'),
      ['E0104 m'],
    ],
    ['unknown type', net('return f(x)', 'fn f(x: f33[N, 4]) -> f32[N, 4] { return x }'), ['E0105 f33']],
    ['missing import', 'import { B } from "./b.dnn"', ['E0106 "./b.dnn"']],
    ['unknown layer', net('return x -> batchnorm'), ['E0107 batchnorm']],
    ['unknown name', net('return x + xx'), ['E0107 xx']],
    [
      'unknown name in a block that nothing uses',
      'block B()(x: f32[N]) -> f32[N] { return x -> gelo }',
      ['E0107 gelo'],
    ],
    ['unknown name in a branch not taken', net('return if true { x } else { y }'), ['E0107 y']],
    ['unknown field', net('r = x -> dense(3) return r.weight2'), ['E0201 weight2']],
    [
      'unknown field of a block',
      net(
        'r = B()(x) return r.hidde',
        'block B()(x: f32[N, D]) -> f32[N, D] { hidden = x * 2 return hidden }',
      ),
      ['E0107 hidde'],
    ],
    ['unknown primitive', net('return primitive.convolve(x, x)'), ['E0107 convolve']],
    [
      'unknown state',
      'block B()(x: f32[N]) -> f32[N] { state s: f32 = zeros t <- s + 1 return x }\nnet C(x: f32[N]) -> f32[N] { return x -> B }',
      ['E0107 t'],
    ],
    ['unknown argument', net('return x -> dense(4, units = 3)'), ['E0108 3']],
    ['const of itself', 'const a = b\nconst b = a', ['E0109 a']],
    ['data outside a program', net('data y: f32[N] return x'), ['E0110 data y: f32[N]']],
    ['metric outside a program', net('metric m = mean(x) return x'), ['E0110 metric m = mean(x)']],
    [
      'param in a function',
      net('return f(x)', 'fn f(x: f32[N, 4]) -> f32[N, 4] { param w: f32 = ones return x * w }'),
      ['E0110 param w: f32 = ones'],
    ],
    ['epoch in a net', net('return x * epoch'), ['E0110 epoch']],
    ['reserved data', train('data key: f32[N] minimize mean(A(x)) over A by sgd(lr = 1)'), ['E0110 key']],
    ['yield alone', net('yield x return x'), ['E0110 yield x']],
    [
      'a program as a value',
      `${train('minimize mean(A(x)) over A by sgd(lr = 1)')}\nnet B(x: f32[N]) -> f32[N] { return t }`,
      ['E0110 t'],
    ],
    ['tensor for an int', net('return x -> dense(x)'), ['E0201 x']],
    ['string for an int', net('return x -> dense("8")'), ['E0201 "8"']],
    ['not callable', net('return x -> 3'), ['E0201 3']],
    ['number plus string', net('return x * (1 + "a")'), ['E0201 +']],
    ['too few parts', net('(a, b, c) = split(x, 2, axis = 1) return a'), ['E0201 split(x, 2, axis = 1)']],
    ['update of what is no state', net('y = x y <- x return y'), ['E0201 y']],
    ['loss that is no scalar', train('minimize A(x) over A by sgd(lr = 1)'), ['E0201 A(x)']],
    ['missing argument', net('return x -> conv(3)'), ['E0202 conv(3)']],
    ['too many arguments', net('return x -> flatten(3)'), ['E0202 flatten(3)']],
    ['primitive without a tensor', net('return primitive.matmul(x)'), ['E0202 primitive.matmul(x)']],
    [
      'wrong dtype',
      train('data y: f32[N] minimize cross_entropy(A(x), y) over A by sgd(lr = 1)'),
      ['E0203 y'],
    ],
    ['wrong rank', net('return x -> conv(8, 3)'), ['E0204 conv(8, 3)']],
    ['declared result', 'net A(x: f32[N, 4]) -> f32[N, 3] { return x -> dense(5) }', ['E0204 x -> dense(5)']],
    ['sum of unequal shapes', net('return x + x[:, 0:3]'), ['E0204 +']],
    [
      'label of the wrong shape',
      train('data y: i32[N, 3] minimize cross_entropy(A(x), y) over A by sgd(lr = 1)'),
      ['E0204 cross_entropy(A(x), y)'],
    ],
    ['negative size', net('return x -> dense(-1)'), ['E0204 dense(-1)']],
    ['one layer, two widths', net('d = dense(3) a = d(x) b = d(a) return b'), ['E0204 d(a)']],
    ['division by zero', 'const a = 1 ~/ 0', ['E0205 ~/']],
    ['list index', 'const a = [1, 2][2]', ['E0205 [1, 2][2]']],
    ['run-time condition', net('return if sum(x) > 0 { x } else { -x }'), ['E0206 sum(x) > 0']],
    [
      'run-time momentum',
      train('minimize mean(A(x)) over A by sgd(lr = 1, momentum = 0.1 * epoch)'),
      ['E0206 sgd(lr = 1, momentum = 0.1 * epoch)'],
    ],
    ['no return', net('y = x'), ['E0207 }']],
    ['two results for one', net('return x, x'), ['E0207 f32[...]']],
    ['no minimize', train('metric m = mean(A(x))'), ['E0207 t']],
    [
      'no initial value',
      'block B()(x: f32[N]) -> f32[N] { param w: f32 return x * w }\nnet C(x: f32[N]) -> f32[N] { return x -> B }',
      ['E0207 param w: f32'],
    ],
    [
      'calls without end',
      net('return f(x)', 'fn f(x: f32[N, 4]) -> f32[N, 4] { return f(x) }'),
      ['E0208 f(x)'],
    ],
    [
      'calls that branch without end',
      net('return f(x)', 'fn f(x: f32[N, 4]) -> f32[N, 4] { a = f(x) b = f(x) return a + b }'),
      ['E0208 f(x)'],
    ],
    ['too many turns', net('return x -> repeat 100000 { tanh }'), ['E0205 100000']],
    [
      'size of nothing',
      net('return f(x)', 'fn f(x: f32[N, 4]) -> f32[K, 4] { return reshape(x, K, 4) }'),
      ['E0107 K'],
    ],
    [
      'free size in a parameter',
      'net A(x: f32[N, D]) -> f32[N, 3] { return x -> dense(3) }',
      ['E0209 dense(3)'],
    ],
    [
      'undecided sizes',
      'net A(x: f32[N, M]) -> f32[N, M] { return if N == M { x } else { x } }',
      ['E0210 =='],
    ],
    ['target without parameters', train('minimize mean(A(x)) over A.hed by sgd(lr = 1)'), ['E0302 A.hed']],
    [
      'target that is a value',
      train('y = A(x) z = y + 1 minimize mean(y) over z by sgd(lr = 1)'),
      ['E0302 z'],
    ],
    [
      'claimed twice',
      train('minimize mean(A(x)) over A by sgd(lr = 1), A.head by sgd(lr = 2)'),
      ['E0303 A by sgd(lr = 1)', 'E0303 A.head by sgd(lr = 2)'].slice(0, 1),
    ],
    [
      'minimize beside a step',
      train('minimize mean(A(x)) over A by sgd(lr = 1) step a { minimize mean(A(x)) over A by sgd(lr = 1) }'),
      ['E0207 minimize mean(A(x)) over A by sgd(lr = 1)', 'E0303 A by sgd(lr = 1)'],
    ],
    ['a step that does nothing', train('step a { y = mean(A(x)) }'), ['E0207 a']],
    [
      'second minimize',
      train('minimize mean(A(x)) over A by sgd(lr = 1) minimize mean(A(x)) over A by sgd(lr = 1)'),
      ['E0303 A by sgd(lr = 1)'],
    ],
  ])('%s', (_, text, want) => {
    expect(found(text)).toEqual(want);
  });

  test('definitions from outside', () => {
    expect(run('const a = 1', { defines: { b: 2 } }).diagnostics.map(show)).toEqual([
      'E0111 -D b: there is no const `b` at \n  hint: its consts are a',
    ]);
    expect(found('const a: int = 1', { defines: { a: 'x' } })).toEqual(['E0201 a']);
  });
});

describe('messages', () => {
  const only = (text: string) => show(run(text).diagnostics[0]!);

  test('a suggestion for a slip', () => {
    expect(only(net('return x -> batchnorm'))).toBe(
      'E0107 unknown layer or function `batchnorm` at "batchnorm"\n  hint: did you mean `batch_norm`?',
    );
  });

  test('both shapes, and where the declaration stands', () => {
    expect(
      only('fn f(a: f32[N, 3]) -> f32[N, 3] { return a }\nnet A(x: f32[N, 4]) -> f32[N, 3] { return f(x) }'),
    ).toBe(
      'E0204 shapes do not match: argument `a` of `f` is f32[N, 4], declared f32[N, 3]; axis 1 differs: 4 against 3 at "x"\n' +
        '  note: declared f32[N, 3] at test.dnn:1:9\n  note: while applying `f`',
    );
  });

  test('an error in a block shows where the block is used, one in the library where it is called', () => {
    const text =
      'block B(n: int)(x: f32[N, D]) -> f32[N, D] { return x + x[:, 0:n] }\nnet A(x: f32[N, 4]) -> f32[N, 4] { return x -> B(3) }';
    expect(only(text)).toContain('note: while applying `B`');
    expect(only(net('return x -> max_pool(2)'))).toMatch(
      /^E0204 .* at "max_pool\(2\)"\n {2}note: in `max_pool`, std\/pooling.dnn/,
    );
  });

  test('tensors given to the settings of a layer', () => {
    expect(only(net('return dense(x)'))).toContain('hint: apply it with an arrow: `x -> dense(…)`');
  });
});

test('independent errors are all reported, and each once', () => {
  const text = `const K = 1 ~/ 0
    fn f(a: f32[N, 3]) -> f32[N, 3] { return a }
    net A(x: f32[N, 4]) -> f32[N, 4] {
      y = f(x)
      z = y + 1
      w = x -> dense("4")
      return z + w
    }
    train t {
      data x: f32[N, 4]
      metric m = mena(x)
      minimize mean(A(x)) over A by sgd(lr = 0.1)
    }`;
  expect(found(text)).toEqual(['E0205 ~/', 'E0204 x', 'E0201 "4"', 'E0107 mena']);
});
