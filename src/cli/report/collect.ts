import type { DimEnv } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import type { Graph, Value } from '../../ir/graph.ts';
import type { Module, Net, Train } from '../../ir/module.ts';
import type { NdArray } from '../../ir/primitive.ts';
import { isFloat } from '../../ir/type.ts';
import { eliminate } from '../../passes/eliminate.ts';
import { runGraphPasses } from '../../passes/pass.ts';
import { expandGraph, interpret, stateOf } from '../graphs.ts';
import { type Tensors, toArray } from '../tensors.ts';
import { batches, type Dataset } from '../training/data.ts';
import { dataOf } from '../training/open.ts';
import type { Confusion, Picture } from './content.ts';

/** How long the interpreter may take for one thing that a report shows. */
const patience = 10_000;
/** Pictures of a kind that are shown. */
const shown = 8;

/**
 * A value of a training program in inference mode, as a graph of its own. It is found by its type and by the net that
 * makes it: the last of this type that the net computes.
 */
interface Probe {
  readonly graph: Graph;
  readonly name: string;
}

function probe(
  train: Train,
  nets: readonly Net[],
  fits: (type: Value['type']) => boolean,
): Probe | undefined {
  const graph = expandGraph(train.evaluate);
  const used = nets.filter(n => train.nets.includes(n.name));
  for (const { name, predict } of used.reverse()) {
    const results = predict.outputs.filter(o => o.role === 'result').map(o => o.value.type);
    const isResult = (type: Value['type']): boolean =>
      results.some(r => r.dtype === type.dtype && sameTail(r.shape, type.shape));
    const value = graph.nodes
      .filter(n => n.kind !== 'input' && insideOf(name, n.origin.path))
      .flatMap(n => n.outputs)
      .filter(v => fits(v.type) && isResult(v.type))
      .at(-1);
    if (value) {
      const outputs = [{ name: 'probe', role: 'result' as const, value }];
      return { graph: runGraphPasses([eliminate], { ...graph, outputs }, { diagnostics: [] }), name };
    }
  }
  return undefined;
}

const insideOf = (net: string, path: string | undefined): boolean =>
  path === net || path?.startsWith(`${net}.`) === true;

const sameTail = (a: readonly D.Dim[], b: readonly D.Dim[]): boolean =>
  a.length === b.length && a.slice(1).every((d, i) => D.equal(d, b[i + 1]!));

/** Runs it on examples of data. */
function run({ graph }: Probe, weights: Tensors, data: Dataset, rows: ArrayLike<number>): NdArray {
  const given = new Map<string, NdArray>();
  for (const [name, value] of weights) given.set(name, toArray(value));
  for (const [name, value] of Object.entries(data.batch(rows))) given.set(name, toArray(value));
  const dims: DimEnv =
    data.batchDim === undefined ? data.dims : { ...data.dims, [data.batchDim]: rows.length };
  return interpret(graph, given, { seed: 0, step: 0, epoch: 0 }, dims).get('probe')!;
}

const order = (n: number): Uint32Array => Uint32Array.from({ length: n }, (_, i) => i);

/**
 * Which classes are taken for which, where a net of the program gives a score for each class and its labels are among
 * the data: over as many examples as the interpreter does in some seconds.
 */
export function confusionOf(
  { nets }: Module,
  train: Train,
  weights: Tensors,
  data: Dataset,
): Confusion | undefined {
  const labels = dataOf(train).find(
    ({ type: { dtype, shape } }) =>
      shape.length === 1 && shape[0]!.key === data.batchDim && !isFloat(dtype) && dtype !== 'bool',
  );
  const found =
    labels &&
    probe(train, nets, ({ dtype, shape }) => {
      const classes = shape.length === 2 && isFloat(dtype) ? D.constantValue(shape[1]!) : undefined;
      return classes !== undefined && classes > 1 && classes <= 100;
    });
  if (!found) return undefined;
  const began = performance.now();
  let counts: number[][] | undefined;
  let examples = 0;
  for (const rows of batches(order(data.held), 16, true)) {
    if (performance.now() - began > patience) break;
    const scores = run(found, weights, data, rows);
    const classes = scores.shape[1]!;
    counts ??= Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
    const truth = data.batch(rows)[labels.name]!.data;
    for (let i = 0; i < rows.length; i++) {
      const row = scores.data.subarray(i * classes, (i + 1) * classes);
      const said = row.indexOf(Math.max(...row));
      // A label that is ignored is none of the classes.
      if (counts[truth[i]!] && said >= 0) counts[truth[i]!]![said]!++;
    }
    examples += rows.length;
  }
  return counts && { counts, examples, of: data.examples, net: found.name };
}

/** The pictures that a net of the program makes of the first examples, where one makes pictures. */
export function sampler(
  { nets }: Module,
  train: Train,
  data: Dataset,
): ((weights: Tensors) => Picture[]) | undefined {
  const found = probe(train, nets, ({ dtype, shape }) => {
    const channels = shape.length === 4 && isFloat(dtype) ? D.constantValue(shape[1]!) : undefined;
    const [height, width] = shape.slice(2).map(d => D.constantValue(d) ?? data.dims[D.print(d)] ?? 0);
    return (channels === 1 || channels === 3) && height! >= 8 && width! >= 8;
  });
  if (!found) return undefined;
  return weights => picturesOf(run(found, weights, data, order(Math.min(shown, data.held)))).slice(0, shown);
}

/** [n, 1 or 3, height, width] as pictures, from the least to the greatest value of all of them. */
export function picturesOf({ shape, data }: Pick<NdArray, 'shape' | 'data'>, each = false): Picture[] {
  const [n, channels, height, width] = shape as readonly [number, number, number, number];
  const size = channels * height * width;
  const range = (values: ArrayLike<number>): readonly [number, number] => {
    let [low, high] = [Infinity, -Infinity];
    for (let i = 0; i < values.length; i++) {
      low = Math.min(low, values[i]!);
      high = Math.max(high, values[i]!);
    }
    return [low, high];
  };
  const all = range(data);
  return Array.from({ length: n }, (_, i) => {
    const values = data.subarray(i * size, (i + 1) * size);
    const [low, high] = each ? range(values) : all;
    const bytes = Uint8Array.from(values, v => (high > low ? (255 * (v - low)) / (high - low) : 128));
    return { width, height, channels: channels as 1 | 3, planes: bytes };
  });
}

/** What the first layer of each net looks for: kernels over one or three channels, or weights of square pictures. */
export function filtersOf(
  { nets }: Module,
  train: Train,
  weights: Tensors,
): { readonly name: string; readonly pictures: Picture[] }[] {
  return nets
    .filter(n => train.nets.includes(n.name))
    .flatMap(({ predict }) => {
      const first = stateOf([predict]).find(s => s.role === 'param' && s.type.shape.length > 1);
      const value = first && weights.get(first.name);
      if (!value) return [];
      const array = toArray(value);
      const [n, channels] = array.shape as readonly [number, number];
      const side = Math.sqrt(channels);
      const shape =
        array.shape.length === 4 && (channels === 1 || channels === 3)
          ? array.shape
          : array.shape.length === 2 && Number.isInteger(side) && side >= 8
            ? [n, 1, side, side]
            : undefined;
      if (!shape || shape[2]! * shape[3]! < 4) return [];
      return [{ name: first.name, pictures: picturesOf({ shape, data: array.data }, true).slice(0, 64) }];
    });
}
