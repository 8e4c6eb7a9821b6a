import type * as Fc from 'fast-check';

/** A random net as `.dnn` text: image layers, branches that meet again, then a head; with its gradients. */
export interface RandomNet {
  readonly text: string;
  /** Shapes of the inputs; the first dim is the batch. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
}

interface Image {
  readonly c: number;
  readonly h: number;
  readonly w: number;
}

type Pick = (n: number) => number;

/** Stages on images: what they print and what they make of the shape. */
const stages: readonly ((x: Image, pick: Pick) => [string, Image] | undefined)[] = [
  (x, pick) => {
    const k = 1 + pick(3);
    const pad = pick(k);
    const stride = 1 + pick(2);
    const c = 1 + pick(5);
    const out = (n: number): number => Math.floor((n + 2 * pad - k) / stride) + 1;
    if (out(x.h) < 1 || out(x.w) < 1) return undefined;
    const bias = pick(2) ? '' : ', bias = false';
    return [`conv(${c}, ${k}, stride = ${stride}, pad = ${pad}${bias})`, { c, h: out(x.h), w: out(x.w) }];
  },
  x => [`conv(${x.c}, 3, pad = 1, groups = ${x.c})`, x],
  (x, pick) => {
    const k = 1 + pick(3);
    const stride = 1 + pick(k + 1);
    const out = (n: number): number => Math.floor((n - k) / stride) + 1;
    if (out(x.h) < 1 || out(x.w) < 1) return undefined;
    const kind = pick(2) ? 'max_pool' : 'avg_pool';
    return [`${kind}(${k}, stride = ${stride})`, { c: x.c, h: out(x.h), w: out(x.w) }];
  },
  (x, pick) => [['tanh', 'sigmoid', 'relu', 'softplus', 'swish', 'sin'][pick(6)]!, x],
  (x, pick) => [`leaky_relu(0.${1 + pick(8)})`, x],
  x => ['softmax(axis = 1)', x],
  x => ['transpose(0, 1, 3, 2)', { c: x.c, h: x.w, w: x.h }],
];

export function randomNet(fc: typeof Fc): Fc.Arbitrary<RandomNet> {
  return fc
    .record({
      start: fc.record({
        c: fc.integer({ min: 1, max: 4 }),
        h: fc.integer({ min: 3, max: 7 }),
        w: fc.integer({ min: 3, max: 7 }),
      }),
      choices: fc.array(fc.nat(), { minLength: 6, maxLength: 60 }),
    })
    .map(({ start, choices }) => build(start, choices));
}

function build(start: Image, choices: readonly number[]): RandomNet {
  let at = 0;
  const pick: Pick = n => (choices[at++] ?? 0) % n;
  const lines: string[] = [];
  let x = start;
  let name = 'x';
  let depth = 0;
  const fresh = (): string => `v${lines.length}`;
  while (at < choices.length - 3 && depth++ < 8) {
    const kind = pick(stages.length + 3);
    const next = fresh();
    if (kind < stages.length) {
      const made = stages[kind]!(x, pick);
      if (!made) continue;
      lines.push(`${next} = ${name} -> ${made[0]}`);
      x = made[1];
    } else if (kind === stages.length) {
      // A skip over one layer of the same shape.
      lines.push(`${next} = ${name} -> conv(${x.c}, 3, pad = 1) -> tanh -> add(${name})`);
    } else if (kind === stages.length + 1) {
      // Two branches side by side.
      lines.push(`${next} = concat(${name} -> conv(2, 1) -> sigmoid, ${name} * 0.5, axis = 1)`);
      x = { ...x, c: x.c + 2 };
    } else lines.push(`${next} = ${name} * mean(${name}, axis = ${1 + pick(3)}, keep = true) - 0.25`);
    name = next;
  }
  const out = 1 + pick(4);
  const text = `net T(x: f32[N, ${start.c}, ${start.h}, ${start.w}], t: f32[N, ${out}])
    -> (y: f32[N, ${out}], gx: f32[N, ${start.c}, ${start.h}, ${start.w}], gw: f32[${out}, ${x.c * x.h * x.w}]) {
  ${lines.join('\n  ')}
  head = dense(${out})
  y = ${name} -> flatten -> head
  loss = mean((y - t) ^ 2)
  return y, grad(loss, x), grad(loss, head.weight)
}`;
  return { text, inputs: { x: [start.c, start.h, start.w], t: [out] } };
}
