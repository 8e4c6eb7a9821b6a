import type { Node, Result, Rule } from '../node.ts';
import { float } from '../writer.ts';

/** Losses: class numbers on axis 1, weights per class, a label that does not count. */
function lossArguments(n: Node): string {
  const ignore = n.number('ignore_index');
  const weight = n.has(2) ? `, weight = ${n.x(2)}` : '';
  const left = ignore === undefined ? '' : `, ignore = [${ignore}]`;
  return `${n.x(0)}, ${n.x(1)}, axis = [1]${weight}${left}, reduction = "${n.string('reduction', 'mean')}"`;
}

/** Tensors that are optimised come in groups: all X, all G, then the states. */
function each(n: Node, of: (x: string, g: string, ...states: string[]) => readonly string[]): Result[] {
  const groups = n.op === 'Adam' ? 4 : 3;
  const count = (n.inputs.length - 2) / groups;
  const made = Array.from({ length: count }, (_, k) => {
    const [x, g, ...states] = Array.from({ length: groups }, (_, j) => n.x(2 + j * count + k));
    return of(x!, g!, ...states);
  });
  return made[0]!.flatMap((_, j) => made.map(m => ({ text: m[j]!, element: 'float' as const })));
}

export const training: Readonly<Record<string, Rule>> = {
  NegativeLogLikelihoodLoss: n => `nll(${lossArguments(n)})`,
  SoftmaxCrossEntropyLoss: n => [`cross_entropy(${lossArguments(n)})`, `log_softmax(${n.x()}, axis = 1)`],
  Adagrad: n => {
    const decay = float(n.float('decay_factor', 0));
    const eps = float(n.float('epsilon', 1e-6));
    const norm = float(n.float('norm_coefficient', 0));
    const rate = n.let(`${n.x(0)} / (1 + cast(${n.x(1)}, f32) * ${decay})`);
    return each(n, (x, g, h) => {
      const slope = n.let(`${norm} * ${x} + ${g}`);
      const squares = n.let(`${h} + ${slope} * ${slope}`);
      return [`${x} - ${rate} * ${slope} / (sqrt(${squares}) + ${eps})`, squares];
    });
  },
  Adam: n => {
    const [alpha, beta] = [float(n.float('alpha', 0.9)), float(n.float('beta', 0.999))];
    const eps = float(n.float('epsilon', 1e-6));
    const [before, after] = [
      float(n.float('norm_coefficient', 0)),
      float(n.float('norm_coefficient_post', 0)),
    ];
    const t = n.let(`cast(${n.x(1)}, f32)`);
    const rate = n.let(
      `where(${t} > 0, ${n.x(0)} * sqrt(1 - ${beta} ^ ${t}) / (1 - ${alpha} ^ max(${t}, 1)), ${n.x(0)})`,
    );
    return each(n, (x, g, v, h) => {
      const slope = n.let(`${before} * ${x} + ${g}`);
      const mean = n.let(`${alpha} * ${v} + (1 - ${alpha}) * ${slope}`);
      const squares = n.let(`${beta} * ${h} + (1 - ${beta}) * ${slope} * ${slope}`);
      return [`(1 - ${after}) * (${x} - ${rate} * ${mean} / (sqrt(${squares}) + ${eps}))`, mean, squares];
    });
  },
  Momentum: n => {
    const [alpha, beta] = [float(n.float('alpha', 0)), float(n.float('beta', 0))];
    const norm = float(n.float('norm_coefficient', 0));
    const nesterov = n.string('mode', 'standard') === 'nesterov';
    const share = n.let(`where(${n.x(1)} > 0, ${beta}, 1)`);
    return each(n, (x, g, v) => {
      const slope = n.let(`${norm} * ${x} + ${g}`);
      const speed = n.let(`${alpha} * ${v} + ${share} * ${slope}`);
      const step = nesterov ? `${slope} + ${alpha} * ${speed}` : speed;
      return [`${x} - ${n.x(0)} * (${step})`, speed];
    });
  },
  ...Object.fromEntries(
    (
      [
        ['HannWindow', [0.5, 0.5, 0]],
        ['HammingWindow', [25 / 46, 21 / 46, 0]],
        ['BlackmanWindow', [0.42, 0.5, 0.08]],
      ] as const
    ).map(([name, [a, b, c]]): [string, Rule] => [
      name,
      n => {
        n.ignore('output_datatype');
        const count = n.constants(0)![0]!;
        const last = n.int('periodic', 1) ? count : count - 1;
        const turn = n.let(`cast(iota(${count}), f32) * ${float((2 * Math.PI) / last)}`);
        return {
          text: `${float(a)} - ${float(b)} * cos(${turn}) + ${float(c)} * cos(2 * ${turn})`,
          element: 'float',
        };
      },
    ]),
  ),
};
