import { type Attrs, named } from './attrs.ts';

/** States of a kind of recurrent layer: PyTorch's `rnn` has h, `lstm` h and c. */
const states: Readonly<Record<string, readonly string[]>> = { rnn: ['h'], gru: ['h'], lstm: ['h', 'c'] };

export const isRecurrent = (op: string): boolean => op in states;

/** `y, hn(, cn) = lstm(x, h0(, c0), weights...)` as one call for each layer and direction. */
export function recurrent(
  op: string,
  given: readonly string[],
  out: readonly string[],
  attrs: Attrs,
): string {
  const kinds = states[op]!;
  const layers = attrs.number('layers') ?? 1;
  const directions = attrs.get('bidirectional') === true ? 2 : 1;
  const batchFirst = attrs.get('batch_first') === true;
  const count = attrs.get('bias') === false ? 2 : 4;
  const nonlinearity = op === 'rnn' ? attrs.get('nonlinearity') : undefined;
  attrs.only('dropout', 0);
  attrs.done();
  const [x, ...rest] = given;
  const lengths = rest.length > kinds.length + count * layers * directions ? rest.pop() : undefined;
  const starts = rest.slice(0, kinds.length);
  const weights = rest.slice(kinds.length);
  const options = (reverse: boolean) =>
    named({
      activation: nonlinearity === 'relu' ? 'relu' : undefined,
      reverse: reverse || undefined,
      lengths,
    });

  const flip = (value: string) => (batchFirst ? value : `transpose(${value}, 1, 0, 2)`);
  const stem = out[0]!;
  const lines: string[] = [];
  let input = flip(x!);
  const ends: string[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const parts: string[] = [];
    for (let direction = 0; direction < directions; direction++) {
      const k = layer * directions + direction;
      const own = weights.slice(k * count, (k + 1) * count);
      const from = starts.map(s => `${s}[${k}]`);
      const biases = own.slice(2).map((name, i) => `bias_${i === 0 ? 'ih' : 'hh'} = ${name}`);
      const values = [input, ...from, own[0], own[1], ...biases].join(', ');
      lines.push(`  ${stem}_${k} = ${op}_sequence(${values}${options(direction === 1)})`);
      parts.push(`${stem}_${k}.out`);
      ends.push(`${stem}_${k}`);
    }
    input = parts.length === 1 ? parts[0]! : `${stem}_layer_${layer}`;
    if (parts.length > 1) lines.push(`  ${input} = concat(${parts.join(', ')}, axis = 2)`);
  }
  lines.push(`  ${stem} = ${flip(input)}`);
  kinds.forEach((kind, i) => {
    lines.push(`  ${out[i + 1]} = stack(${ends.map(e => `${e}.${kind}`).join(', ')})`);
  });
  return lines.join('\n');
}
