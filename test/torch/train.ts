import type { NdArray } from '../../src/ir/primitive.ts';
import { Attrs, named, Untranslated } from './attrs.ts';
import type { Call, LoadedCase, TrainCase } from './case.ts';
import { row, tensorOf } from './case.ts';
import { isLoss, keepsBatch } from './functions.ts';
import { convolutionArguments } from './layers.ts';
import { links } from './optimisers.ts';
import { assigned, assignment, constantOf, givenBy, typeText, word } from './translate.ts';

/** A net `Net`, a program `fit` that trains it, and the path of each parameter and buffer. */
export interface TrainProgram {
  readonly text: string;
  path(name: string): string;
}

/** With labelled layers of the standard library where there is one for every call, else with parameters of its own. */
export function trainProgram(loaded: LoadedCase<TrainCase>): TrainProgram {
  try {
    return layered(loaded);
  } catch (error) {
    if (!(error instanceof Untranslated)) throw error;
    return plain(loaded);
  }
}

const feedOf = (loaded: LoadedCase<TrainCase>, name: string): NdArray =>
  row(tensorOf(loaded, `feed.${name}`), 0);

/** Parameter `conv1.weight` is `Net.conv1.weight`. */
function layered(loaded: LoadedCase<TrainCase>): TrainProgram {
  const { graph, feeds, params, buffers, consts, trained, loss } = loaded.case;
  if (consts.length > 0) throw new Untranslated('training with constants');
  if (trained.length < params.length) throw new Untranslated('training of some parameters');
  const isKept = (name: string) => params.includes(name) || buffers.includes(name);
  const shapeOf = (name: string) => tensorOf(loaded, `init.${name}`).shape;
  const first = graph.findIndex(call => isLoss(call.op));
  if (first < 0) throw new Untranslated('training without a known loss');
  const [layers, rest] = [graph.slice(0, first), graph.slice(first)];
  const made = layers.flatMap(call => call.out);
  const fed = feeds.filter(f => layers.some(call => call.in.includes(f)));
  const results = made.filter(name => rest.some(call => call.in.includes(name)));
  if (rest.some(call => call.in.some(isKept))) throw new Untranslated('a loss with parameters');
  if (results.length !== 1) throw new Untranslated(`a net with ${results.length} results`);
  if (!batched(loaded)) throw new Untranslated('a net without a batch');
  const known = givenBy(loaded, ['feed.']);
  const feed = (name: string) => `${word(name)}: ${typeText(feedOf(loaded, name), 'free')}`;
  const body = layers.map(call => (call.in.some(isKept) ? layer(call, shapeOf) : assignment(call, known)));
  const result = word(results[0]!);
  const text = `net Net(${fed.map(feed).join(', ')}) -> f32[N, ...] {
${body.join('\n')}
  return ${result}
}

train fit {
${feeds.map(name => `  data ${feed(name)}`).join('\n')}
  ${result} = Net(${fed.map(word).join(', ')})
${rest.map(call => assignment(call, known)).join('\n')}
  minimize ${word(loss)} over Net by ${links(loaded.case)}
}
`;
  return { text, path: name => `Net.${name}` };
}

/** Whether all feeds have a batch in front that every call lets through. */
function batched(loaded: LoadedCase<TrainCase>): boolean {
  const { graph, feeds } = loaded.case;
  const sizes = new Set(feeds.map(f => feedOf(loaded, f).shape[0]));
  return (
    sizes.size === 1 &&
    !sizes.has(undefined) &&
    graph.every(call => keepsBatch(call.op) || !mentionsSizes(call))
  );
}

/** Calls that say whole shapes, which a free batch would contradict. */
const mentionsSizes = ({ op, attrs }: Call): boolean =>
  [attrs.shape, attrs.size, attrs.sizes].some(s => Array.isArray(s) && s.length > 0 && s[0] !== -1) ||
  ['rnn', 'lstm', 'gru'].includes(op);

/** The whole graph in the net, whose result is the loss. What is not trained is a state that nothing changes. */
function plain(loaded: LoadedCase<TrainCase>): TrainProgram {
  const { graph, feeds, consts, params, trained, buffers, loss } = loaded.case;
  const known = givenBy(loaded, ['feed.', 'init.', 'initbuf.', '', 'const.']);
  const typeOf = (name: string): string => {
    if (consts.includes(name)) return typeText(constantOf(loaded, name), 'fixed');
    return typeText(feedOf(loaded, name), batched(loaded) ? 'free' : 'fixed');
  };
  const fed = [...feeds, ...consts];
  const kept = [
    ...params.map(n => [trained.includes(n) ? 'param' : 'state', n, `init.${n}`] as const),
    ...buffers.map(n => ['state', n, `initbuf.${n}`] as const),
  ];
  const body = [
    ...kept.map(
      ([kind, n, of]) => `  ${kind} ${word(n)}: ${typeText(tensorOf(loaded, of), 'fixed')} = zeros`,
    ),
    ...graph.flatMap(call => {
      const { text, moved } = assigned(call, { known, buffers });
      // A statement has given the running averages' names to what comes after them.
      return [text, ...moved.map(name => `  ${name} <- ${name}`)];
    }),
  ];
  const text = `net Net(${fed.map(n => `${word(n)}: ${typeOf(n)}`).join(', ')}) -> f32 {
${body.join('\n')}
  return ${word(loss)}
}

train fit {
${fed.map(n => `  data ${word(n)}: ${typeOf(n)}`).join('\n')}
  minimize Net(${fed.map(word).join(', ')}) over Net by ${links(loaded.case)}
}
`;
  return { text, path: name => `Net.${word(name)}` };
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
