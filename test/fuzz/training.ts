import { readFileSync } from 'node:fs';
import * as D from '../../src/ir/dim.ts';
import { tensor } from '../../src/ir/type.ts';
import type { Training, Val } from './case.ts';
import { fitted } from './fit.ts';
import { N, type Writer } from './writer.ts';

/** Values for the options of the optimisers, other than their defaults. */
const values: Readonly<Record<string, readonly string[]>> = {
  lr: ['0.05', '0.02 * 0.5 ^ floor(epoch / 3)', 'cosine_decay(0.1, iter, 50)', 'warm_up(0.05, iter, 5)'],
  momentum: ['0.9'],
  weight_decay: ['0.01'],
  dampening: ['0.3'],
  beta1: ['0.8'],
  beta2: ['0.95'],
  eps: ['1e-4'],
  alpha: ['0.9'],
  rho: ['0.8'],
  start: ['0.1'],
  shrink: ['0.4'],
  grow: ['1.3'],
  smallest: ['1e-4'],
  momentum_decay: ['0.01'],
  p: ['1', '3'],
  lr_decay: ['0.1'],
  eta: ['0.01'],
  gamma: ['0.7'],
  limit: ['0.4'],
  largest: ['0.7'],
  factor: ['0.6'],
  amount: ['0.5'],
};

/** Where a first value depends on them, no schedule can stand. */
const fixed: Readonly<Record<string, string>> = { rprop: 'lr' };

/** An optimiser or link of `src/std/optim.dnn`, with its options. */
interface Link {
  readonly name: string;
  readonly options: readonly { readonly name: string; readonly required: boolean; readonly type: string }[];
  /** The last of a chain: it knows a rate. */
  readonly ends: boolean;
}

function declared(): Link[] {
  const text = readFileSync('src/std/optim.dnn', 'utf8');
  const blocks = [...text.matchAll(/^block (\w+)\(([^)]*)\)\s*\(g:/gm)].map(m => [m[1]!, m[2]!] as const);
  const fns = [...text.matchAll(/^fn (\w+)\(g: f32\[\.\.\.\](?:, )?([^)]*)\)/gm)].map(
    m => [m[1]!, m[2]!] as const,
  );
  return [...blocks, ...fns].map(([name, list]) => {
    const options = [...list.matchAll(/(\w+): (\w+)( =)?/g)].map(m => ({
      name: m[1]!,
      type: m[2]!,
      required: m[3] === undefined,
    }));
    return { name, options, ends: options.some(o => o.name === 'lr') };
  });
}

export const links: readonly Link[] = declared();

/** What is counted of an optimiser: `adam`, `adam(beta1)`. */
export const optimiserForms: readonly string[] = links.flatMap(l => [
  `by ${l.name}`,
  ...l.options.map(o => `by ${l.name}: ${o.name}`),
]);

const isWished = (w: Writer, link: Link, option: string): boolean =>
  w.wishes.has(`optimiser: by ${link.name}: ${option}`);

function linkText(w: Writer, link: Link): string {
  const drawn = link.options.filter(o => {
    const wished = isWished(w, link, o.name);
    return !w.random.chance(0.35) || wished || o.required;
  });
  // Nesterov's rule asks for a momentum and no dampening.
  const [wanted, unwanted] = [isWished(w, link, 'nesterov'), isWished(w, link, 'dampening')];
  const nesterov =
    drawn.some(o => o.name === 'nesterov') && (wanted === unwanted ? w.random.chance(0.5) : wanted);
  const given = link.options.filter(
    o =>
      (drawn.includes(o) || (nesterov && o.name === 'momentum')) &&
      !(nesterov ? o.name === 'dampening' : o.name === 'nesterov'),
  );
  for (const form of [`by ${link.name}`, ...given.map(o => `by ${link.name}: ${o.name}`)]) {
    w.forms.add(form);
    w.wishes.delete(`optimiser: ${form}`);
  }
  const text = given.map(o => `${o.name} = ${optionValue(w, link, o)}`);
  return text.length > 0 ? `${link.name}(${text.join(', ')})` : link.name;
}

function optionValue(w: Writer, link: Link, { name, type }: Link['options'][number]): string {
  if (type === 'bool') return 'true';
  const list = values[name] ?? ['0.5'];
  return fixed[link.name] === name ? list[0]! : w.random.pick(list);
}

/** Optimisers of which something is wished for, so many that a program stays cheap: each is given a layer of its own. */
const wishedEnds = (w: Writer): readonly Link[] =>
  links.filter(l => l.ends && wishesOf(w, l) > 0).slice(0, 8);

const wishesOf = (w: Writer, { name }: Link): number =>
  [...w.wishes].filter(x => x === `optimiser: by ${name}` || x.startsWith(`optimiser: by ${name}:`)).length;

/** Those of which most is wished for; else neighbouring seeds take them in turn. */
function chain(w: Writer, turn: number): string {
  const most = (list: readonly Link[]): Link => {
    const best = list.reduce((a, b) => (wishesOf(w, b) > wishesOf(w, a) ? b : a));
    return wishesOf(w, best) > 0 ? best : list[turn % list.length]!;
  };
  const ends = links.filter(l => l.ends);
  const first = links.filter(l => !l.ends);
  const before = new Set([most(first), w.random.pick(first)].slice(0, w.random.pick([0, 1, 1, 2])));
  for (const l of first.filter(l => wishesOf(w, l) > 0).slice(0, 3)) before.add(l);
  return [...before, most(ends)].map(l => linkText(w, l)).join(' -> ');
}

const losses = (classes: number): readonly string[] => [
  'mse(y, t)',
  'mae(y, t)',
  'huber(y, t, delta = 0.5)',
  'smooth_l1(y, t, beta = 0.7)',
  'bce(sigmoid(y), sigmoid(t))',
  'bce_logits(y, sigmoid(t), positive = 2)',
  'soft_cross_entropy(y, softmax(t, axis = 1), axis = 1)',
  'kl(log_softmax(y, axis = 1), softmax(t, axis = 1), reduction = "batchmean")',
  'focal(y, sigmoid(t))',
  'hinge(y, sign(t))',
  'dice(sigmoid(y), sigmoid(t))',
  ...(classes > 1
    ? [
        'cross_entropy(y, l % 2, axis = 1, smoothing = 0.1)',
        'nll(log_softmax(y, axis = 1), l % 2, axis = 1)',
        'multi_hinge(y, l % 2)',
      ]
    : []),
];

/** What makes a training program of a net: its one result, and the statements that fit it. */
export function trained(
  w: Writer,
  leaves: readonly Val[],
  turn: number,
): { outputs: Val[]; training: Training } {
  const classes = 1 + w.random.below(4);
  const floats = leaves
    .filter(v => v.type.dtype === 'f32' && v.type.shape.every(d => !D.isConstant(d, 0)))
    .slice(0, 4);
  const parts = floats.map(v => fitted(w, v, [N, D.constant(3)]));
  const sum = ['0', ...parts.map(p => `tanh(${p.name})`)].slice(parts.length > 0 ? 1 : 0).join(' + ');
  const [x] = w.inputs;
  const layers = wishedEnds(w).map((_, i) =>
    w.one(`${x!.name} -> layer${i}: dense(3)`, tensor('f32', [N, 3]), [x!]),
  );
  const base = [parts.length > 0 ? sum : x!.name, ...layers.map(l => `tanh(${l.name})`)].join(' + ');
  const out = w.one(`(${base}) -> head: dense(${classes})`, tensor('f32', [N, classes]), [
    ...parts,
    ...layers,
  ]);
  const data = [`data t: f32[N, ${classes}]`, 'data l: i32[N]'];
  const call = 'Fuzz(ARGS)';
  const loss = w.random.pick(losses(classes));
  const penalty = w.chance('form: a gradient inside a loss', 0.25);
  if (penalty) w.forms.add('a gradient inside a loss');
  const slope = [
    { text: 'near = x0 + 0.1 * randn_like(x0)', kept: true },
    { text: 'slope = grad(mean(Fuzz(NEAR) ^ 2), near)', kept: true },
  ];
  const fitting = [
    { text: `y = ${call}`, kept: true },
    ...(penalty ? slope : []),
    { text: `loss = ${loss}${penalty ? ' + 0.1 * mean(slope ^ 2)' : ''}`, kept: true },
    ...(w.random.chance(0.5) ? [{ text: 'metric off = mean(abs(y - t))', kept: false }] : []),
    ...(w.random.chance(0.3) ? [{ text: `metric calm = mean(infer ${call})`, kept: false }] : []),
    { text: `minimize loss over ${targets(w, turn, layers.length)}`, kept: true },
  ];
  // More chains in a program, while there are optimisers that none has had.
  const rare = [...w.wishes].some(x => x === 'form: steps with every' || x.startsWith('optimiser: '));
  if (!w.chance('form: several steps', 0.35) && !rare)
    return { outputs: [out], training: { data, parts: fitting } };
  w.forms.add('several steps');
  const every = w.chance('form: steps with every', 0.5) ? ' every 2' : '';
  if (every) w.forms.add('steps with every');
  const second = `step second${every} { q = ${call}  loss = mean((q - 0.5 * t) ^ 2)  minimize loss over Fuzz.head by ${chain(w, turn + 1)} }`;
  const first = `step first { ${fitting.map(p => p.text).join('  ')} }`;
  return {
    outputs: [out],
    training: {
      data,
      parts: [
        { text: first, kept: false },
        { text: second, kept: false },
      ],
    },
  };
}

function targets(w: Writer, turn: number, layers: number): string {
  if (!w.chance('form: parts of a net', layers > 0 ? 1 : 0.3)) return `Fuzz by ${chain(w, turn)}`;
  w.forms.add('parts of a net');
  const parts = ['head', 'first', ...(layers > 0 ? ['tracked'] : [])];
  for (let i = 0; i < layers; i++) parts.push(`layer${i}`);
  return parts.map((part, i) => `Fuzz.${part} by ${chain(w, turn + 3 * i)}`).join(', ');
}
