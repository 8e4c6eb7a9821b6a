import type { NdArray } from '../../src/ir/primitive.ts';
import { Attrs, named, Untranslated } from './attrs.ts';
import type { Call, LoadedCase, TrainCase, VjpCase } from './case.ts';
import { row, tensorOf } from './case.ts';
import { isLoss, keepsBatch, translateCall } from './functions.ts';
import { convolutionArguments } from './layers.ts';
import { isRecurrent, recurrent } from './recurrent.ts';
import { hasStatistics, withStatistics } from './statistics.ts';
import { unbatchedCalls } from './unbatched.ts';

/** `free`: the leading extent is the dim N; `fixed`: all extents are numbers. */
export type Sizes = 'free' | 'fixed';

/** A name of the case as a word of the language. */
export const word = (name: string): string => name.replaceAll(/\W/g, '_');

function typeText({ dtype, shape }: NdArray, sizes: Sizes): string {
  if (shape.length === 0) return dtype;
  return `${dtype}[${shape.map((n, i) => (sizes === 'free' && i === 0 ? 'N' : n)).join(', ')}]`;
}

/** PyTorch's functions of two results. */
const gives = (op: string, results: number): boolean =>
  results === 1 ||
  (results === 2 && (op.endsWith('_with_indices') || /^(adaptive_)?max_pool[123]d$/.test(op)));

/** What a call alone does not say. */
interface Context {
  readonly buffers: readonly string[];
  readonly unbatched: ReadonlySet<Call>;
}

const contextOf = ({ case: { graph, buffers }, tensors }: LoadedCase<VjpCase>): Context => ({
  buffers,
  unbatched: unbatchedCalls(graph, name => tensors.get(name)?.shape.length),
});

/** A call as a statement, and the buffers that it changes. */
function assigned(call: Call, { buffers, unbatched }: Context): { text: string; moved: readonly string[] } {
  const attrs = new Attrs(call.op, call.attrs);
  const [given, out] = [call.in.map(word), call.out.map(word)];
  if (isRecurrent(call.op)) return { text: recurrent(call.op, given, out, attrs), moved: [] };
  if (hasStatistics(call.op) && out.length === 1) {
    const names = new Set(buffers.map(word));
    return withStatistics(call.op, given, out[0]!, attrs, name => names.has(name));
  }
  if (!gives(call.op, out.length)) throw new Untranslated(`${call.op} with ${out.length} results`);
  const [x, ...rest] = given;
  const one = unbatched.has(call) && out.length === 1;
  const made = translateCall(call.op, one ? [`unsqueeze(${x}, 0)`, ...rest] : given, attrs);
  const value = one ? `squeeze(${made}, 0)` : made;
  return { text: `  ${out.length === 1 ? out[0] : `(${out.join(', ')})`} = ${value}`, moved: [] };
}

const assignment = (call: Call): string => assigned(call, { buffers: [], unbatched: new Set() }).text;

/** The buffers that a case's calls change. */
export function movedBuffers(loaded: LoadedCase<VjpCase>): readonly string[] {
  const { graph, buffers } = loaded.case;
  const moved = new Set(graph.flatMap(call => assigned(call, contextOf(loaded)).moved));
  return buffers.filter(name => moved.has(word(name)));
}

/** Whether the case says the same with its leading extent left open. */
export function hasBatch(loaded: LoadedCase<VjpCase>): boolean {
  const { graph, inputs, consts, outputs } = loaded.case;
  const batch = tensorOf(loaded, inputs[0]!).shape[0];
  return (
    contextOf(loaded).unbatched.size === 0 &&
    graph.every(call => keepsBatch(call.op)) &&
    [...inputs, ...consts].every(name => tensorOf(loaded, name).shape[0] === batch) &&
    outputs.every(name => [undefined, batch].includes(tensorOf(loaded, `out.${name}`).shape[0]))
  );
}

/**
 * A net `Case` from inputs, weights and cotangents to outputs and gradients: `y`, `grad_x`, `grad_weight`. Names that
 * no word has are spelt with underscores.
 */
export function vjpSource(loaded: LoadedCase<VjpCase>, sizes: Sizes): string {
  const { graph, inputs, consts, params, buffers, outputs, grads } = loaded.case;
  const moved = movedBuffers(loaded);
  const context = contextOf(loaded);
  const smooth = outputs.filter(n => loaded.tensors.has(`gy.${n}`));
  const declare = (name: string, as: string, like: string, of: Sizes) =>
    `${as}${name}: ${typeText(tensorOf(loaded, like), of)}`;
  const given = [
    ...[...inputs, ...consts].map(n => declare(word(n), '', n, sizes)),
    ...[...params, ...buffers].map(n => declare(word(n), '', n, 'fixed')),
    ...smooth.map(n => declare(word(n), 'gy_', `gy.${n}`, sizes)),
  ];
  const results = [
    ...outputs.map(n => declare(word(n), '', `out.${n}`, sizes)),
    ...grads.map(n => declare(word(n), 'grad_', n, inputs.includes(n) ? sizes : 'fixed')),
    ...moved.map(n => declare(word(n), 'after_', n, 'fixed')),
  ];
  // What has no cotangent is no float, but a case may hold it as one.
  const value = (n: string) =>
    smooth.includes(n) ? word(n) : `cast(${word(n)}, ${tensorOf(loaded, `out.${n}`).dtype})`;
  const total = smooth.map(n => `sum(${word(n)} * gy_${word(n)})`).join(' + ');
  return `net Case(
  ${given.join(',\n  ')}
) -> (
  ${results.join(',\n  ')}
) {
${graph.map(call => assigned(call, context).text).join('\n')}
  total = ${total || '0'}
  return ${[...outputs.map(value), ...grads.map(n => `grad(total, ${word(n)})`), ...moved.map(word)].join(',\n    ')}
}
`;
}

/** A net with labelled layers and a program `fit` that trains it; parameter `conv1.weight` is `Net.conv1.weight`. */
export function trainSource(loaded: LoadedCase<TrainCase>): string {
  const { graph, feeds, params, buffers, consts, trained, loss, optimizer } = loaded.case;
  if (consts.length > 0) throw new Untranslated('training with constants');
  if (trained.length < params.length) throw new Untranslated('training of some parameters');
  const clip = loaded.case.clip_grad_norm;
  if (clip !== null && typeof clip !== 'number') throw new Untranslated('this gradient clipping');
  if (loaded.case.lr_schedule !== null) throw new Untranslated('a learning-rate schedule');
  const isKept = (name: string) => params.includes(name) || buffers.includes(name);
  const shapeOf = (name: string) => tensorOf(loaded, `init.${name}`).shape;
  const first = graph.findIndex(call => isLoss(call.op));
  if (first < 0) throw new Untranslated('training without a known loss');
  const [layers, rest] = [graph.slice(0, first), graph.slice(first)];
  const made = layers.flatMap(call => call.out);
  const fed = feeds.filter(f => layers.some(call => call.in.includes(f)));
  const results = made.filter(name => rest.some(call => call.in.includes(name)));
  const feed = (name: string) =>
    `${word(name)}: ${typeText(row(tensorOf(loaded, `feed.${name}`), 0), 'free')}`;
  const body = layers.map(call => (call.in.some(isKept) ? layer(call, shapeOf) : assignment(call)));
  if (results.length !== 1) throw new Untranslated(`a net with ${results.length} results`);
  const result = word(results[0]!);
  return `net Net(${fed.map(feed).join(', ')}) -> f32[N, ...] {
${body.join('\n')}
  return ${result}
}

train fit {
${feeds.map(name => `  data ${feed(name)}`).join('\n')}
  ${result} = Net(${fed.map(word).join(', ')})
${rest.map(assignment).join('\n')}
  minimize ${word(loss)} over Net by ${clip === null ? '' : `clip_norm(${clip}) -> `}${optimiser(optimizer)}
}
`;
}

/** A call with parameters as a labelled block of the standard library. */
function layer(call: Call, shapeOf: (param: string) => readonly number[]): string {
  const [x, ...own] = call.in;
  const label = own[0]!.slice(0, own[0]!.lastIndexOf('.'));
  const attrs = new Attrs(call.op, call.attrs);
  const fields = own.map(name => (name.startsWith(`${label}.`) ? name.slice(label.length + 1) : name));
  const bias = named({ bias: fields.includes('bias') ? undefined : false });
  const [first, second, ...kernel] = shapeOf(own[0]!);
  let block: string;
  if (call.op === 'linear') block = `dense(${first}${bias})`;
  else if (/^conv[123]d$/.test(call.op))
    block = `conv(${first}, [${kernel.join(', ')}]${convolutionArguments(attrs)}${bias})`;
  else if (/^conv_transpose[123]d$/.test(call.op)) {
    const out = second! * (attrs.number('groups') ?? 1);
    const more = named({ out_pad: attrs.ints('output_padding') });
    block = `conv_transpose(${out}, [${kernel.join(', ')}]${convolutionArguments(attrs)}${more}${bias})`;
  } else if (call.op === 'layer_norm') {
    const axes = attrs.list('normalized_shape').length;
    block = `layer_norm(${attrs.number('eps') ?? 1e-5}, ${axes})`;
  } else if (call.op === 'group_norm')
    block = `group_norm(${attrs.number('num_groups')}, ${attrs.number('eps') ?? 1e-5})`;
  else if (call.op === 'batch_norm') {
    attrs.only('training', true);
    block = `batch_norm(${attrs.number('momentum') ?? 0.1}, ${attrs.number('eps') ?? 1e-5})`;
  } else throw new Untranslated(`${call.op} with parameters`);
  attrs.done();
  const known = ['weight', 'bias', 'running_mean', 'running_var'];
  if (!/^\w+$/.test(label) || !fields.every(f => known.includes(f)))
    throw new Untranslated(`parameters called ${own.join(', ')}`);
  return `  ${word(call.out[0]!)} = ${word(x!)} -> ${label}: ${block}`;
}

function optimiser(given: TrainCase['optimizer']): string {
  const attrs = new Attrs(String(given.type), given);
  const type = attrs.get('type');
  const lr = attrs.number('lr');
  const common = { lr, weight_decay: attrs.number('weight_decay') };
  const text = ((): string => {
    switch (type) {
      case 'sgd': {
        const momentum = attrs.number('momentum');
        const others = { nesterov: attrs.boolean('nesterov'), dampening: attrs.number('dampening') };
        return named({ ...common, momentum, ...others });
      }
      case 'adam':
      case 'adamw': {
        attrs.only('amsgrad', false);
        const [beta1, beta2] = given.betas === undefined ? [] : attrs.list('betas');
        return named({ ...common, beta1, beta2, eps: attrs.number('eps') });
      }
      case 'rmsprop': {
        const others = { eps: attrs.number('eps'), momentum: attrs.number('momentum') };
        return named({
          ...common,
          alpha: attrs.number('alpha'),
          ...others,
          centered: attrs.boolean('centered'),
        });
      }
      case 'adagrad': {
        attrs.only('initial_accumulator_value', 0);
        return named({ ...common, eps: attrs.number('eps'), lr_decay: attrs.number('lr_decay') });
      }
      default:
        throw new Untranslated(`the optimiser ${String(type)}`);
    }
  })();
  attrs.done();
  return `${String(type)}(${text.slice(2)})`;
}

/** The first step of a training case as values and gradients: the loss and `grad_P` for every trained P. */
export function firstGradients(loaded: LoadedCase<TrainCase>): LoadedCase<VjpCase> {
  const { name, graph, params, trained, feeds, buffers, loss, f32_err } = loaded.case;
  const of = (prefix: string, names: readonly string[], f = (x: NdArray) => x) =>
    names.map(n => [n, f(tensorOf(loaded, `${prefix}.${n}`))] as const);
  const one: NdArray = { dtype: 'f32', shape: [], data: new Float64Array([1]) };
  const first = (x: NdArray) => row(x, 0);
  return {
    case: {
      kind: 'vjp',
      ...{
        name,
        graph,
        params,
        buffers,
        f32_err,
        consts: [],
        inputs: feeds,
        outputs: [loss],
        grads: trained,
      },
    },
    tensors: new Map([
      ...of('init', params),
      ...of('initbuf', buffers),
      ...of('feed', feeds, first),
      [`gy.${loss}`, one],
      [`out.${loss}`, { ...first(tensorOf(loaded, 'loss')), dtype: 'f32' }],
      ...of('grad1', trained).map(([n, x]) => [`grad.${n}`, x] as const),
    ]),
  };
}
