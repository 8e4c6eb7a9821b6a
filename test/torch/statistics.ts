import { type Attrs, named, Untranslated } from './attrs.ts';

/** Calls that move running averages: PyTorch writes them into their arguments. */
const kinds: Readonly<Record<string, { trains(attrs: Attrs): boolean; moving: string }>> = {
  batch_norm: { trains: attrs => attrs.boolean('training') ?? false, moving: 'standardise_batch' },
  instance_norm: {
    trains: attrs => attrs.boolean('use_input_stats') ?? true,
    moving: 'standardise_instances',
  },
};

export const hasStatistics = (op: string): boolean => op in kinds;

/** Per-channel factors and offsets, where they are given. */
function affine(y: string, x: string, weight?: string, bias?: string): string {
  const scaled = weight ? `${y} * per_channel(${weight}, ${x})` : y;
  return bias ? `${scaled} + per_channel(${bias}, ${x})` : scaled;
}

/** x and its weights and running averages, told apart by what the case calls buffers. */
function parts(op: string, given: readonly string[], isBuffer: (name: string) => boolean) {
  const [x, ...rest] = given as [string, ...string[]];
  const found = rest.filter(isBuffer);
  const averages = found.length > 0 ? found : rest.length === 4 ? rest.slice(2) : [];
  const weights = rest.filter(name => !averages.includes(name));
  if (![0, 2].includes(averages.length) || weights.length > 2)
    throw new Untranslated(`${op} of ${given.join(', ')}`);
  return { x, weights, averages };
}

/**
 * `y = batch_norm(x, ...)` as a statement. What it makes of the running averages takes their names, as PyTorch writes
 * them in place: `(y, mean, var) = standardise_batch(x, mean, var)`.
 */
export function withStatistics(
  op: string,
  given: readonly string[],
  out: string,
  attrs: Attrs,
  isBuffer: (name: string) => boolean,
): { text: string; moved: readonly string[] } {
  const { x, weights, averages } = parts(op, given, isBuffer);
  const [weight, bias] = weights;
  const [mean, variance] = averages;
  const momentum = attrs.number('momentum');
  const eps = attrs.number('eps');
  const trains = kinds[op]!.trains(attrs);
  attrs.done();
  if (!trains) {
    if (!mean) throw new Untranslated(`${op} without running averages`);
    const text = `  ${out} = scale_channels(${x}, ${mean}, ${variance}${named({ weight, bias, eps })})`;
    return { text, moved: [] };
  }
  if (mean) {
    const call = `${kinds[op]!.moving}(${x}, ${mean}, ${variance}${named({ weight, bias, momentum, eps })})`;
    return { text: `  (${out}, ${mean}, ${variance}) = ${call}`, moved: averages };
  }
  const axes = op === 'batch_norm' ? `[0] + (2..rank(${x}))` : `2..rank(${x})`;
  const y = `standardise(${x}, ${axes}${named({ eps })})`;
  return { text: `  ${out} = ${affine(y, x, weight, bias)}`, moved: [] };
}
