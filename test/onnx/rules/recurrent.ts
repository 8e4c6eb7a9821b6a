import type { Node, Result, Rule } from '../node.ts';
import { float } from '../writer.ts';

/** An activation of ONNX's recurrent layers, applied to text. */
function activation(n: Node, name: string, alpha: number | undefined, beta: number | undefined) {
  const a = (otherwise: number) => float(alpha === undefined ? otherwise : Number(alpha.toPrecision(7)));
  const b = (otherwise: number) => float(beta === undefined ? otherwise : Number(beta.toPrecision(7)));
  return (x: string): string => {
    switch (name.toLowerCase()) {
      case 'relu':
        return `relu(${x})`;
      case 'tanh':
        return `tanh(${x})`;
      case 'sigmoid':
        return `sigmoid(${x})`;
      case 'affine':
        return `(${a(1)} * (${x}) + ${b(0)})`;
      case 'leakyrelu':
        return `leaky_relu(${x}, slope = ${a(0.01)})`;
      case 'thresholdedrelu':
        return `where(${x} > ${a(1)}, ${x}, 0)`;
      case 'scaledtanh':
        return `(${a(1)} * tanh(${b(1)} * (${x})))`;
      case 'hardsigmoid':
        return `clamp(${a(0.2)} * (${x}) + ${b(0.5)}, 0, 1)`;
      case 'elu':
        return `elu(${x}, alpha = ${a(1)})`;
      case 'softsign':
        return `softsign(${x})`;
      case 'softplus':
        return `softplus(${x})`;
      default:
        return n.no(`activation ${name}`);
    }
  };
}

type Activation = ReturnType<typeof activation>;

/** One direction: its weights by name, and its activations. */
interface Direction {
  readonly w: string;
  readonly r: string;
  /** Biases of W and R, of all gates. */
  readonly wb: string;
  readonly rb: string;
  /** Peepholes of an LSTM. */
  readonly p?: string;
  readonly f: readonly Activation[];
  readonly clip: (x: string) => string;
  readonly hidden: number;
}

/** The lines of a turn: from `xt` and what is carried to the next h (and c). */
type Cell = (d: Direction, n: Node) => string;

const gate = (text: string, k: number, hidden: number) => `${text}[:, ${k * hidden}:${(k + 1) * hidden}]`;

const rnnCell: Cell = d => `      h = ${d.f[0]!(d.clip(`xt + h @ ${d.r} + ${d.rb}`))}`;

const lstmCell: Cell = (d, n) => {
  const of = (k: number) => gate('s', k, d.hidden);
  const peep = (k: number, c: string) =>
    d.p ? ` + ${gate(`unsqueeze(${d.p}, 0)`, k, d.hidden)} * ${c}` : '';
  const coupled = n.int('input_forget', 0) !== 0;
  return [
    `s = xt + h @ ${d.r} + ${d.rb}`,
    `i = ${d.f[0]!(d.clip(of(0) + peep(0, 'c')))}`,
    `f = ${coupled ? '1 - i' : d.f[0]!(d.clip(of(2) + peep(2, 'c')))}`,
    `c = f * c + i * ${d.f[1]!(d.clip(of(3)))}`,
    `o = ${d.f[0]!(d.clip(of(1) + peep(1, 'c')))}`,
    `h = o * ${d.f[2]!('c')}`,
  ]
    .map(l => `      ${l}`)
    .join('\n');
};

const gruCell: Cell = (d, n) => {
  const after = n.int('linear_before_reset', 0) !== 0;
  const part = (text: string, k: number) => gate(text, k, d.hidden);
  const bias = (k: number) => (d.rb === '0' ? '0' : `${d.rb}[${k * d.hidden}:${(k + 1) * d.hidden}]`);
  const rows = (k: number) => `${d.r}[:, ${k * d.hidden}:${(k + 1) * d.hidden}]`;
  const own = after ? `r * (h @ ${rows(2)} + ${bias(2)})` : `(r * h) @ ${rows(2)} + ${bias(2)}`;
  return [
    `z = ${d.f[0]!(d.clip(`${part('xt', 0)} + h @ ${rows(0)} + ${bias(0)}`))}`,
    `r = ${d.f[0]!(d.clip(`${part('xt', 1)} + h @ ${rows(1)} + ${bias(1)}`))}`,
    `g = ${d.f[1]!(d.clip(`${part('xt', 2)} + ${own}`))}`,
    'h = (1 - z) * g + z * h',
  ]
    .map(l => `      ${l}`)
    .join('\n');
};

const layer =
  (gates: number, cell: Cell, defaults: readonly string[], carries: 1 | 2): Rule =>
  (n): Result[] => {
    const hidden = n.int('hidden_size', n.in(2).shape.at(-1)!);
    const direction = n.string('direction', 'forward');
    const batchFirst = n.int('layout', 0) === 1;
    const names = n.strings('activations');
    const [alphas, betas] = [n.numbers('activation_alpha') ?? [], n.numbers('activation_beta') ?? []];
    const clip = n.number('clip');
    const clipped = (x: string) => (clip === undefined ? x : `clamp(${x}, -${float(clip)}, ${float(clip)})`);
    const reversed = direction === 'bidirectional' ? [false, true] : [direction === 'reverse'];
    const batch = n.in(0).shape[batchFirst ? 0 : 1]!;
    const x = batchFirst ? n.x() : n.let(`transpose(${n.x()}, 1, 0, 2)`);
    const lengths = n.has(4) ? `, lengths = ${n.x(4)}` : '';
    // An initial state is [directions, N, hidden], or [N, directions, hidden].
    const start = (i: number, k: number) => {
      if (!n.has(i)) return `zeros(${batch}, ${hidden})`;
      return batchFirst ? `${n.x(i)}[:, ${k}]` : `${n.x(i)}[${k}]`;
    };
    const runs = reversed.map((reverse, k) => {
      const own = defaults.map((name, j) => {
        const at = k * defaults.length + j;
        return activation(n, names?.[at] ?? name, alphas[at], betas[at]);
      });
      const bias = (from: number) =>
        n.has(3) ? n.let(`${n.x(3)}[${k}, ${from * gates * hidden}:${(from + 1) * gates * hidden}]`) : '0';
      const d: Direction = {
        w: n.let(`transpose(${n.x(1)}[${k}])`),
        r: n.let(`transpose(${n.x(2)}[${k}])`),
        wb: bias(0),
        rb: bias(1),
        ...(carries === 2 && n.has(7) && { p: n.let(`${n.x(7)}[${k}]`) }),
        f: own,
        clip: clipped,
        hidden,
      };
      const inputs = n.let(`${x} @ ${d.w} + ${d.wb}`);
      const carry = [`h = ${start(5, k)}`, ...(carries === 2 ? [`c = ${start(6, k)}`] : [])].join(', ');
      return n.let(`scan(axis = 1, reverse = ${reverse}${lengths}) xt in ${inputs} carry ${carry} {
${cell(d, n)}
      yield h
    }`);
    });
    const { element } = n.in(0);
    // out is [N, T, hidden] of each direction.
    const axis = batchFirst ? 2 : 1;
    const outs = runs.map(r => (batchFirst ? `${r}.out` : `transpose(${r}.out, 1, 0, 2)`));
    const last = (name: string) => ({
      text: `stack([${runs.map(r => `${r}.${name}`).join(', ')}], axis = ${batchFirst ? 1 : 0})`,
      element,
    });
    return [
      { text: `stack([${outs.join(', ')}], axis = ${axis})`, element },
      last('h'),
      ...(carries === 2 ? [last('c')] : []),
    ];
  };

export const recurrent: Readonly<Record<string, Rule>> = {
  RNN: layer(1, rnnCell, ['Tanh'], 1),
  LSTM: layer(4, lstmCell, ['Sigmoid', 'Tanh', 'Tanh'], 2),
  GRU: layer(3, gruCell, ['Sigmoid', 'Tanh'], 1),
};
