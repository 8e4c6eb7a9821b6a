import type { NdArray } from '../../src/ir/primitive.ts';
import { Attrs } from './attrs.ts';
import type { Call, LoadedCase, TrainCase, VjpCase } from './case.ts';
import { row, tensorOf } from './case.ts';
import { type Given, isLoss, keepsBatch, translateCall } from './functions.ts';
import { isRecurrent, recurrent } from './recurrent.ts';
import { hasStatistics, withStatistics } from './statistics.ts';
import { unbatchedCalls } from './unbatched.ts';

/** `free`: the leading extent is the dim N; `fixed`: all extents are numbers. */
export type Sizes = 'free' | 'fixed';

/** A name of the case as a word of the language. */
export const word = (name: string): string => name.replaceAll(/\W/g, '_');

export function typeText({ dtype, shape }: NdArray, sizes: Sizes): string {
  if (shape.length === 0) return dtype;
  return `${dtype}[${shape.map((n, i) => (sizes === 'free' && i === 0 ? 'N' : n)).join(', ')}]`;
}

/** PyTorch's functions of two results, of which a block here gives both. */
const isPair = (op: string, results: number): boolean =>
  results === 2 && (op.endsWith('_with_indices') || /^(adaptive_)?max_pool[123]d$/.test(op));

/** What a call alone does not say. */
interface Context {
  readonly known: Given;
  readonly buffers: readonly string[];
  readonly unbatched?: ReadonlySet<Call>;
}

const contextOf = (loaded: LoadedCase<VjpCase>): Context => {
  const { graph, buffers } = loaded.case;
  const rankOf = (name: string) => loaded.tensors.get(name)?.shape.length;
  return { known: givenBy(loaded, ['']), buffers, unbatched: unbatchedCalls(graph, rankOf) };
};

/** A call as statements, and the buffers that it changes. */
export function assigned(
  call: Call,
  { known, buffers, unbatched }: Context,
): { text: string; moved: readonly string[] } {
  const attrs = new Attrs(call.op, call.attrs);
  const [given, out] = [call.in.map(word), call.out.map(word)];
  if (isRecurrent(call.op)) return { text: recurrent(call.op, given, out, attrs), moved: [] };
  if (hasStatistics(call.op) && out.length === 1) {
    const names = new Set(buffers.map(word));
    return withStatistics(call.op, given, out[0]!, attrs, name => names.has(name));
  }
  if (isPair(call.op, out.length)) {
    const [pair] = translateCall(call.op, given, attrs, 1, known);
    return { text: `  (${out.join(', ')}) = ${pair}`, moved: [] };
  }
  const [x, ...rest] = given;
  const isOne = unbatched?.has(call) && out.length === 1;
  const args = isOne ? [`unsqueeze(${x}, 0)`, ...rest] : given;
  const texts = translateCall(call.op, args, attrs, out.length, known);
  const values = isOne ? texts.map(made => `squeeze(${made}, 0)`) : texts;
  return { text: out.map((name, i) => `  ${name} = ${values[i]}`).join('\n'), moved: [] };
}

export const assignment = (call: Call, known: Given): string => assigned(call, { known, buffers: [] }).text;

/** The buffers that a case's calls change. */
export function movedBuffers(loaded: LoadedCase<VjpCase>): readonly string[] {
  const { graph, buffers } = loaded.case;
  const context = contextOf(loaded);
  const moved = new Set(graph.flatMap(call => assigned(call, context).moved));
  return buffers.filter(name => moved.has(word(name)));
}

/** The tensors of a case by the words for their names. */
export function givenBy({ case: { graph }, tensors }: LoadedCase, prefixes: readonly string[]): Given {
  const names = graph.flatMap(call => call.in);
  const find = (name: string) => prefixes.map(p => tensors.get(p + name)).find(t => t !== undefined);
  const byWord = new Map(names.map(n => [word(n), find(n)]));
  return name => byWord.get(name);
}

/** Whether the case says the same with its leading extent left open. */
export function hasBatch(loaded: LoadedCase<VjpCase>): boolean {
  const { graph, inputs, consts, outputs } = loaded.case;
  if (inputs.length === 0) return false;
  const batch = tensorOf(loaded, inputs[0]!).shape[0];
  const ranks = new Set([...inputs, ...consts].map(name => tensorOf(loaded, name).shape.length));
  const broadcasts = ranks.size > 1 && !graph.some(call => isLoss(call.op));
  return (
    batch !== 1 &&
    !broadcasts &&
    contextOf(loaded).unbatched?.size === 0 &&
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
${grads.length > 0 ? `  total = ${total}\n` : ''}  return ${[...outputs.map(value), ...grads.map(n => `grad(total, ${word(n)})`), ...moved.map(word)].join(',\n    ')}
}
`;
}

/** The first step of a training case as values and gradients: the loss and `grad_P` for every trained P. */
export function firstGradients(loaded: LoadedCase<TrainCase>): LoadedCase<VjpCase> {
  const { name, graph, params, trained, feeds, consts, buffers, loss, f32_err } = loaded.case;
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
        consts,
        inputs: feeds,
        outputs: [loss],
        grads: trained,
      },
    },
    tensors: new Map([
      ...of('init', params),
      ...consts.map(n => [n, constantOf(loaded, n)] as const),
      ...of('initbuf', buffers),
      ...of('feed', feeds, first),
      [`gy.${loss}`, one],
      [`out.${loss}`, { ...first(tensorOf(loaded, 'loss')), dtype: 'f32' }],
      ...of('grad1', trained).map(([n, x]) => [`grad.${n}`, x] as const),
    ]),
  };
}

/** A constant lies under its own name, or as a first value. */
export const constantOf = (loaded: LoadedCase, name: string): NdArray =>
  loaded.tensors.get(name) ?? loaded.tensors.get(`const.${name}`) ?? tensorOf(loaded, `init.${name}`);
