import { list, type Value } from '../onnx/writer.ts';
import type { Call } from './call.ts';

/** Names of activations as ONNX has them. */
const activations: Readonly<Record<string, string>> = { relu: 'Relu', sigmoid: 'Sigmoid', tanh: 'Tanh' };

/** Gates in WebNN's orders, taken to ONNX's: `iofg` and `zrn`. */
const orders: Readonly<Record<string, readonly number[]>> = {
  iofg: [0, 1, 2, 3],
  ifgo: [0, 3, 1, 2],
  zrn: [0, 1, 2],
  rzn: [1, 0, 2],
};

/** Blocks of rows in another order, along axis 1. */
function ordered(c: Call, v: Value | undefined, layout: string, gates: number): Value | undefined {
  const order = orders[layout]!;
  if (!v || order.every((g, i) => g === i)) return v;
  const rows = v.shape[1]! / gates;
  const parts = order.map(g => `${v.text}[:, ${g * rows}:${(g + 1) * rows}]`);
  return c.text(`concat([${parts.join(', ')}], axis = 1)`, v.element);
}

/** A layer, or one turn of it: then every operand lacks the axis of directions, and the sequence has one element. */
function layer(c: Call, op: 'LSTM' | 'GRU', cell: boolean): readonly Value[] {
  const gates = op === 'LSTM' ? 4 : 3;
  const widened = (v: Value | undefined) => (v && cell ? c.text(`unsqueeze(${v.text}, 0)`, v.element) : v);
  const names =
    c.strings('activations') ?? (op === 'LSTM' ? ['sigmoid', 'tanh', 'tanh'] : ['sigmoid', 'tanh']);
  const layout = c.string('layout', op === 'LSTM' ? 'iofg' : 'zrn');
  const gated = (name: string) => ordered(c, widened(c.optional(name)), layout, gates);
  const x = widened(c.operand('input'))!;
  const [w, r] = [gated('weight')!, gated('recurrentWeight')!];
  const biases = [gated('bias'), gated('recurrentBias')];
  const directions = w.shape[0]!;
  const bias = biases.some(b => b)
    ? c.text(
        `concat([${biases.map(b => b?.text ?? `zeros(${list([directions, w.shape[1]!])})`).join(', ')}], axis = 1)`,
        x.element,
      )
    : undefined;
  const start = [widened(c.optional(cell ? 'hiddenState' : 'initialHiddenState'))];
  if (op === 'LSTM') start.push(widened(c.optional(cell ? 'cellState' : 'initialCellState')));
  const peepholes = op === 'LSTM' ? [widened(c.optional('peepholeWeight'))] : [];
  const direction = c.string('direction', 'forward');
  const sequence = c.boolean('returnSequence');
  const both = direction === 'both';
  const list3 = (both ? [...names, ...names] : names).map(a => activations[a]!);
  const resetAfter = c.raw('resetAfter');
  c.raw('steps');
  const hidden = c.number('hiddenSize')!;
  const made = c.onnx(
    op,
    [x, w, r, bias, undefined, ...start, ...peepholes],
    {
      hidden_size: hidden,
      direction: direction === 'backward' ? 'reverse' : both ? 'bidirectional' : 'forward',
      activations: list3,
      ...(op === 'GRU' && { linear_before_reset: resetAfter === false ? 0 : 1 }),
    },
    op === 'LSTM' ? 3 : 2,
  );
  const [y, ...last] = made as [Value, ...Value[]];
  if (cell) return last.map(v => c.text(`${v.text}[0]`, v.element));
  return sequence ? [...last, y] : last;
}

export const recurrent = {
  lstm: (c: Call) => layer(c, 'LSTM', false),
  lstmCell: (c: Call) => layer(c, 'LSTM', true),
  gru: (c: Call) => layer(c, 'GRU', false),
  gruCell: (c: Call) => layer(c, 'GRU', true),
};
