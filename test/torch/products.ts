import { type Attrs, named, type Translation } from './attrs.ts';

const infix: Translation = ([a, b]) => `(${a} @ ${b})`;

/** `beta * c + alpha * product`. */
const added =
  (product: (a: string, b: string) => string): Translation =>
  ([c, a, b], attrs) => {
    const [alpha, beta] = [attrs.number('alpha') ?? 1, attrs.number('beta') ?? 1];
    const scaled = (factor: number, text: string) => (factor === 1 ? text : `${factor} * ${text}`);
    return `(${scaled(beta, c!)} + ${scaled(alpha, product(a!, b!))})`;
  };

const product = (a: string, b: string): string => `(${a} @ ${b})`;

/** Scores may be masked by truth values, by numbers, or by place. */
const attention: Translation = ([q, k, v, mask], attrs, given) => {
  const scale = attrs.number('scale');
  const added = mask && (given(mask)?.dtype === 'bool' ? `where(${mask}, 0, -1e9)` : mask);
  const causal = attrs.boolean('is_causal') ? `causal_mask(shape(${q})[-2], shape(${k})[-2])` : undefined;
  const bias = [added, causal].filter(x => x !== undefined).join(' + ');
  const query = scale === undefined ? q : `${q} * (${scale} * sqrt(shape(${q})[-1]))`;
  return `attention(${query}, ${k}, ${v}${bias === '' ? '' : `, ${bias}`})`;
};

const tensordot: Translation = ([a, b], attrs) => {
  const n = attrs.number('dims') ?? 2;
  const left = `reshape(${a}, prod(shape(${a})[0:rank(${a}) - ${n}]), -1)`;
  const right = `reshape(${b}, prod(shape(${b})[0:${n}]), -1)`;
  return `reshape(${left} @ ${right}, shape(${a})[0:rank(${a}) - ${n}] + shape(${b})[${n}:])`;
};

const kron: Translation = ([a, b]) =>
  `reshape(einsum("ij,kl->ikjl", ${a}, ${b}), len(${a}) * len(${b}), shape(${a})[1] * shape(${b})[1])`;

const similarity: Translation = ([a, b], attrs) =>
  `cosine_similarity(${a}, ${b}${named({ axis: attrs.number('dim'), eps: attrs.number('eps') })})`;

const distance: Translation = ([a, b], attrs) => {
  const text = `distance(${a}, ${b}${named({ p: attrs.number('p'), eps: attrs.number('eps') })})`;
  return attrs.boolean('keepdim') ? `unsqueeze(${text}, -1)` : text;
};

const distances: Translation = ([a, b], attrs) =>
  `norm(unsqueeze(${a}, -2) - unsqueeze(${b}, -3), ${attrs.number('p') ?? 2}, axis = -1)`;

const cross: Translation = ([a, b], attrs) => {
  const dim = attrs.number('dim') ?? -1;
  const turned = (x: string, by: number) => `roll(${x}, ${by}, ${dim})`;
  return `(${turned(a!, -1)} * ${turned(b!, 1)} - ${turned(a!, 1)} * ${turned(b!, -1)})`;
};

const bag: Translation = ([ids, table], attrs: Attrs) => {
  const mode = attrs.get('mode') ?? 'mean';
  return `${mode}(look_up(${table}, ${ids}), axis = 1)`;
};

/** Matrix products, index notation, tables, attention. */
export const productTranslations: ReadonlyMap<string, Translation> = new Map<string, Translation>([
  ['matmul', infix],
  ['mm', infix],
  ['bmm', infix],
  ['mv', infix],
  ['dot', infix],
  ['vdot', infix],
  ['inner', ([a, b]) => `(${a} @ transpose(${b}))`],
  ['outer', ([a, b]) => `(unsqueeze(${a}, 1) * ${b})`],
  ['ger', ([a, b]) => `(unsqueeze(${a}, 1) * ${b})`],
  ['addmm', added(product)],
  ['addmv', added(product)],
  ['baddbmm', added(product)],
  ['addbmm', added((a, b) => `sum(${a} @ ${b}, axis = 0)`)],
  ['addr', added((a, b) => `(unsqueeze(${a}, 1) * ${b})`)],
  ['kron', kron],
  ['tensordot', tensordot],
  ['cross', cross],
  ['cdist', distances],
  ['cosine_similarity', similarity],
  ['pairwise_distance', distance],
  ['bilinear', args => `bilinear(${args.join(', ')})`],
  ['einsum', (args, attrs) => `einsum(${JSON.stringify(attrs.get('equation'))}, ${args.join(', ')})`],
  ['embedding_bag', bag],
  ['scaled_dot_product_attention', attention],
  [
    'embedding',
    ([ids, table], attrs) => `look_up(${table}, ${ids}${named({ padding: attrs.number('padding_idx') })})`,
  ],
]);
