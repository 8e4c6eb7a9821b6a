import * as D from '../../src/ir/dim.ts';
import type { TensorType } from '../../src/ir/type.ts';
import { tensor } from '../../src/ir/type.ts';
import type { Val } from './case.ts';
import { cast, fitted } from './fit.ts';
import { N, type Writer } from './writer.ts';

/** A way to say something that is no call of a primitive. Writes statements; gives what is used again. */
export type Form = (w: Writer) => readonly Val[];

const fixed = (d: D.Dim | undefined): number => (d && D.constantValue(d)) ?? 0;
const float = (w: Writer, rank = 0): Val => {
  const found = w.find(v => v.type.dtype === 'f32' && v.type.shape.length >= rank && notEmpty(v));
  if (found) return w.tame(found);
  return w.tame(
    shaped(w, [N, ...Array.from({ length: Math.max(rank, 1) - 1 }, () => 1 + w.random.below(5))]),
  );
};
const notEmpty = (v: Val): boolean => v.type.shape.every(d => !D.isConstant(d, 0));

/** An f32 of the shape. */
function shaped(w: Writer, shape: readonly (number | D.Dim)[]): Val {
  const from = w.find(v => v.type.dtype === 'f32' && notEmpty(v))!;
  return w.tame(fitted(w, from, shape.map(D.dim)));
}

/** Some axes of a shape as 1, and perhaps the first ones gone: what broadcasts with it. */
function smaller(w: Writer, shape: readonly D.Dim[]): D.Dim[] {
  const ones = shape.map(d => (w.random.chance(0.4) ? D.constant(1) : d));
  return w.random.chance(0.4) ? ones.slice(w.random.below(shape.length + 1)) : ones;
}

const image = (w: Writer): { x: Val; c: number; h: number; width: number } => {
  const size = () => 2 + w.random.below(6);
  const [c, h, width] = [2 * (1 + w.random.below(2)), size(), size()];
  const known = w.find(
    v => v.type.dtype === 'f32' && v.type.shape.length === 4 && D.equal(v.type.shape[0]!, N),
  );
  const shape = known?.type.shape.slice(1).map(fixed);
  if (known && shape!.every(n => n > 1) && shape![0]! % 2 === 0)
    return { x: w.tame(known), c: shape![0]!, h: shape![1]!, width: shape![2]! };
  return { x: shaped(w, [N, c, h, width]), c, h, width };
};

const same = (w: Writer, v: Val, text: string): Val[] => [w.one(text, v.type, [v], v.level + 1)];

/** A layer or function that keeps the shape of any tensor. */
const anywhere = [
  'softplus',
  'gelu',
  'swish',
  'mish',
  'elu',
  'selu',
  'celu',
  'leaky_relu(0.2)',
  'relu6',
  'hard_swish',
  'hard_tanh',
  'softsign',
  'log_sigmoid',
  'dropout(0.3)',
  'gaussian_noise(0.05)',
];

/** The same of [N, C]. */
const onRows = [
  'batch_norm',
  'layer_norm',
  'rms_norm',
  'softmax(axis = 1)',
  'log_softmax(axis = 1)',
  'prelu',
];

export const forms: Readonly<Record<string, Form>> = {
  'operator with broadcasting': w => {
    const a = float(w, 1);
    const b = shaped(w, smaller(w, a.type.shape));
    const [x, y] = w.random.chance(0.5) ? [a, b] : [b, a];
    const text = w.random.pick([
      `${x.name} + ${y.name}`,
      `${x.name} - ${y.name}`,
      `${x.name} * ${y.name}`,
      `${x.name} / (1.5 + sigmoid(${y.name}))`,
      `max(${x.name}, ${y.name})`,
      `min(${x.name}, ${y.name})`,
      `(0.5 + sigmoid(${x.name})) ^ (1 + tanh(${y.name}))`,
      `where(${x.name} > ${y.name}, ${x.name}, 0.5 * ${y.name})`,
    ]);
    return [w.one(text, a.type, [x, y], Math.max(x.level, y.level) + 1)];
  },
  'operator with a number': w => {
    const v = float(w);
    const n = w.random.pick(['0.5', '2', '1', '0', '-1.25', '3']);
    const text = w.random.pick([
      `${v.name} * ${n}`,
      `${n} - ${v.name}`,
      `${v.name} / 4`,
      `${v.name} + ${n}`,
      `${v.name} ^ 2`,
      `${v.name} ^ 3`,
      `-${v.name}`,
      `1 / (2 + ${v.name} ^ 2)`,
      `(1 + ${v.name} ^ 2) ^ 0.5`,
      `(1 + ${v.name} ^ 2) ^ -1`,
      `${v.name} ^ 0`,
      `clamp(${v.name}, -0.83, 0.71)`,
    ]);
    return same(w, v, text);
  },
  'bool operators': w => {
    const v = float(w);
    const c = w.one(
      w.random.pick([
        `${v.name} > 0.31 and not (${v.name} >= 1.27)`,
        `${v.name} < -0.2 or ${v.name} > 0.43`,
        `${v.name} != 0.77`,
        `not (${v.name} <= 0.19)`,
      ]),
      { ...v.type, dtype: 'bool' },
      [v],
    );
    return [c, w.one(`where(${c.name}, ${v.name}, -0.3)`, v.type, [c, v], v.level)];
  },
  indexing: w => {
    const v = float(w, 2);
    const n = fixed(v.type.shape.at(-1));
    const inner = v.type.shape.slice(0, -1);
    if (n < 1) return same(w, v, `${v.name}[...]`);
    const at = w.random.below(n);
    const step = 1 + w.random.below(3);
    return [
      w.one(`${v.name}[..., ${w.random.pick([at, at - n])}]`, tensor('f32', inner), [v], v.level),
      w.one(
        `${v.name}[..., ${at}::${step}]`,
        tensor('f32', [...inner, Math.ceil((n - at) / step)]),
        [v],
        v.level,
      ),
    ];
  },
  lookup: w => {
    const v = float(w, 2);
    const k = 1 + w.random.below(4);
    const ids = cast(w, fitted(w, w.find(x => x.type.dtype === 'i32') ?? float(w), [D.constant(k)]), 'i32');
    return [
      w.one(`${v.name}[${ids.name} % 5]`, tensor('f32', [k, ...v.type.shape.slice(1)]), [v, ids], v.level),
    ];
  },
  reduction: w => {
    const v = float(w, 1);
    const rank = v.type.shape.length;
    const axis = w.random.below(rank);
    const keep = w.random.chance(0.5);
    const shape = v.type.shape.flatMap((d, i) => (i === axis ? (keep ? [D.constant(1)] : []) : [d]));
    const f = w.random.pick(['mean', 'max', 'min', 'variance', 'log_sum_exp']);
    const text = `${f}(${v.name}, axis = ${w.random.pick([axis, axis - rank])}, keep = ${keep})`;
    return [w.one(text, tensor('f32', shape), [v], v.level)];
  },
  'layer of the library': w => {
    const v = float(w);
    return same(w, v, `${v.name} -> ${w.random.pick(anywhere)}`);
  },
  'layer of rows': w => {
    const v = shaped(w, [N, 1 + w.random.below(6)]);
    return same(w, v, `${v.name} -> ${w.random.pick(onRows)}`);
  },
  dense: w => {
    const v = shaped(w, [N, 1 + w.random.below(7)]);
    const out = 1 + w.random.below(7);
    const options = w.random.pick(['', ', bias = false', ', init = kaiming', ', init = lecun']);
    const act = w.random.pick(['', ' -> tanh', ' -> relu', ' -> swish']);
    return [w.one(`${v.name} -> dense(${out}${options})${act}`, tensor('f32', [N, out]), [v], v.level + 1)];
  },
  conv: w => {
    const { x, h, width } = image(w);
    const out = 2 * (1 + w.random.below(3));
    const groups = w.random.pick([1, 2]);
    const k = 1 + w.random.below(Math.min(3, h, width));
    const bias = w.random.chance(0.3) ? ', bias = false' : '';
    const text = `${x.name} -> conv(${out}, ${k}, groups = ${groups}${bias}) -> ${w.random.pick(['tanh', 'relu', 'batch_norm'])}`;
    return [w.one(text, tensor('f32', [N, out, h - k + 1, width - k + 1]), [x], x.level + 1)];
  },
  // Tiles of Winograd's transform that overlap, and strides whose phases are copied apart.
  'filters of 3 x 3': w => {
    const size = (): number => 4 + w.random.below(6);
    const [c, h, width] = [1 + w.random.below(4), size(), size()];
    const x = shaped(w, [N, c, h, width]);
    const out = 1 + w.random.below(6);
    const [stride, dilation] = w.random.pick([
      [1, 1],
      [1, 1],
      [2, 1],
      [3, 1],
      [1, 2],
    ] as const);
    const pad = dilation === 2 ? 2 : w.random.below(2);
    const of = (n: number): number => Math.floor((n + 2 * pad - 2 * dilation - 1) / stride) + 1;
    const options = `stride = ${stride}, pad = ${pad}, dilation = ${dilation}`;
    const text = `${x.name} -> conv(${out}, 3, ${options}) -> ${w.random.pick(['tanh', 'relu', 'batch_norm'])}`;
    return [w.one(text, tensor('f32', [N, out, of(h), of(width)]), [x], x.level + 1)];
  },
  pooling: w => {
    const { x, c, h, width } = image(w);
    const k = 1 + w.random.below(Math.min(3, h, width));
    const f = w.random.pick(['max_pool(X', 'avg_pool(X', 'lp_pool(X, 2']).replace('X', x.name);
    const of = (n: number): number => Math.floor((n - k) / k) + 1;
    return [w.one(`${f}, ${k})`, tensor('f32', [N, c, of(h), of(width)]), [x], x.level)];
  },
  'layer of images': w => {
    const { x } = image(w);
    const layer = w.random.pick(['group_norm(2)', 'instance_norm', 'lrn', 'dropout2d(0.4)', 'batch_norm']);
    return same(w, x, `${x.name} -> ${layer}`);
  },
  'recurrent layer': w => {
    const v = shaped(w, [N, 1 + w.random.below(4), 1 + w.random.below(4)]);
    const hidden = 1 + w.random.below(4);
    const two = w.random.chance(0.4);
    const options = `${two ? ', bidirectional = true' : ''}${w.random.chance(0.3) ? ', layers = 2' : ''}`;
    const type = tensor('f32', [N, v.type.shape[1]!, two ? 2 * hidden : hidden]);
    return [w.one(`${v.name} -> ${w.random.pick(['rnn', 'lstm', 'gru'])}(${hidden}${options})`, type, [v])];
  },
  scan: w => {
    const k = 1 + w.random.below(4);
    const axis = w.random.below(2);
    const steps = 1 + w.random.below(5);
    const x = shaped(w, axis === 0 ? [steps, N, k] : [N, steps, k]);
    const start = shaped(w, [N, k]);
    const scale = shaped(w, [k]);
    const lengths = w.chance('form: scan with lengths', 0.4) ? cast(w, shaped(w, [N]), 'i32') : undefined;
    const reverse = w.chance('form: scan in reverse', 0.4);
    if (lengths) w.forms.add('scan with lengths');
    if (reverse) w.forms.add('scan in reverse');
    const options = [
      ...(axis ? ['axis = 1'] : []),
      ...(reverse ? ['reverse = true'] : []),
      ...(lengths ? [`lengths = ${lengths.name} % ${steps + 2}`] : []),
    ].join(', ');
    const [r, h, t] = [w.fresh(), w.fresh(), w.fresh()];
    const body = w.random.pick([
      `${h} = tanh(${h} * ${scale.name} + ${t})`,
      `${h} = 0.5 * ${h} + sin(${t} * ${scale.name})`,
      `${h} = sigmoid(${t}) * ${h} + ${t} - mean(${h})`,
      `${h} = ${h} - 0.3 * softmax(${h} + ${t} + dropped${h}, axis = 1)`.replace(`dropped${h}`, scale.name),
      `${h} = tanh(${h} @ broadcast(${scale.name}, ${k}, ${k}) + ${t})`,
    ]);
    const noise = w.random.chance(0.2) ? ` + 0.01 * randn_like(${h})` : '';
    const needs = [x, start, scale, ...(lengths ? [lengths] : [])];
    const text = `scan(${options}) ${t} in ${x.name} carry ${h} = ${start.name} { ${body} yield ${h} * 0.9${noise} }`;
    const made: Val = { name: r, type: x.type, level: 1 };
    w.lines.push({ text: `${r} = ${text}`, makes: [made], needs: needs.map(n => n.name) });
    return [made];
  },
  'index notation': w => {
    const name = `op_${w.fresh()}`;
    const kind = w.random.pick(['conv', 'outer', 'fold', 'extreme', 'product', 'strided'] as const);
    const k = 1 + w.random.below(3);
    const length = k + w.random.below(4);
    const c = 1 + w.random.below(3);
    const declare = (text: string): void => {
      w.declarations.push({ name, text: text.replace('NAME', name) });
    };
    const result = (type: TensorType, ...args: Val[]): Val[] => [
      w.one(`${name}(${args.map(a => a.name).join(', ')})`, type, args, 2),
    ];
    w.forms.add(`index notation: ${kind}`);
    switch (kind) {
      case 'conv':
        declare(`op NAME(x: f32[N, C, L], w: f32[O, C, K]) -> y: f32[N, O, L - K + 1] {
  y[n, o, l] = sum(c, k) x[n, c, l + k] * w[o, c, k]
}`);
        return result(tensor('f32', [N, 2, length - k + 1]), shaped(w, [N, c, length]), shaped(w, [2, c, k]));
      case 'outer':
        declare(`op NAME(x: f32[N, C], w: f32[K]) -> y: f32[N, K] {
  y[n, k] = sum(c) sin(x[n, c]) * w[k] + 0.1 * c
}`);
        return result(tensor('f32', [N, k]), shaped(w, [N, c]), shaped(w, [k]));
      case 'fold':
        declare(
          `op NAME(x: f32[N, L]) -> y: f32[N, 2] {
  y[n, j] = sum(l) x[n, l] * (l % 2 - j) / (1 + l)
}`.replace('l % 2 - j', 'l - j'),
        );
        return result(tensor('f32', [N, 2]), shaped(w, [N, length]));
      case 'extreme':
        declare(`op NAME(x: f32[N, C, L]) -> y: f32[N, L] {
  y[n, l] = ${w.random.pick(['max', 'min'])}(c) x[n, c, l] * 1.5 + 0.2
}`);
        return result(tensor('f32', [N, length]), shaped(w, [N, c, length]));
      case 'product':
        declare(`op NAME(x: f32[N, C, L]) -> y: f32[N, L] {
  y[n, l] = prod(c) (x[n, c, l] + 1.1)
}`);
        return result(tensor('f32', [N, length]), shaped(w, [N, c, length]));
      case 'strided':
        declare(
          `op NAME(x: f32[N, 6]) -> y: f32[N, 3] {
  y[n, i] = sum(k) x[n, 2 * i + k % 2] * max(x[n, i + 0 * k], 0.01 * x[n, k])
}`.replaceAll('N, 6', 'N, 6'),
        );
        return result(tensor('f32', [N, 3]), shaped(w, [N, 6]));
    }
  },
  'a gradient as a value': w => {
    const v = shaped(w, [N, 1 + w.random.below(4)]);
    const f = w.random.pick([
      'tanh(V) * V',
      'softmax(V, axis = 1) ^ 2',
      'sin(V) * mean(V, axis = 1, keep = true)',
      'softplus(V)',
    ]);
    const loss = w.one(`sum(${f.replaceAll('V', v.name)})`, tensor('f32', []), [v], 1);
    return [w.one(`grad(${loss.name}, ${v.name})`, v.type, [loss, v], 1), loss];
  },
  'random numbers': w => {
    const shape = [N, 1 + w.random.below(4)];
    const f = w.random.pick(['rand', 'randn']);
    return [w.one(`${f}(${shape.map(d => D.print(D.dim(d))).join(', ')})`, tensor('f32', shape), [])];
  },
  'a cut gradient': w => {
    const v = float(w);
    return [w.one(`${v.name} + 0.5 * stop(sin(${v.name}))`, v.type, [v], v.level)];
  },
  // Large for the compiler, which takes a free size for 64: enough for workgroup tiles, and for a depth in parts.
  'a large product': w => {
    const deep = w.chance('schedule: workgroup, split', 0.5);
    const k = deep ? 1030 + w.random.below(60) : 40 + w.random.below(20);
    const n = deep ? 16 + w.random.below(8) : 56 + w.random.below(16);
    const [a, b] = [shaped(w, [N, k]), shaped(w, [k, n])];
    return [w.one(`tanh(${a.name} @ ${b.name} / ${k})`, tensor('f32', [N, n]), [a, b], 0)];
  },
  'a long sum': w => {
    const length = 700 + w.random.below(3000);
    const v = shaped(w, [1 + w.random.below(3)]);
    const n = fixed(v.type.shape[0]);
    const text = `mean(sin(unsqueeze(${v.name}, 1) * 0.01 * iota(${n}, ${length}, axis = 1, dtype = f32)), axis = 1)`;
    return [w.one(text, v.type, [v], 0)];
  },
  'a size': w => {
    const v = float(w, 1);
    return same(w, v, `${v.name} / (1 + count(${v.name}, 0))`);
  },
};
