import { type Box, boxAt, type Detection, suppress } from '../../../runtime/vision/index.ts';
import * as D from '../../ir/dim.ts';
import { type Graph, graphInputs } from '../../ir/graph.ts';
import type { Module, Train } from '../../ir/module.ts';
import type { NdArray } from '../../ir/primitive.ts';
import { isFloat, type TensorType } from '../../ir/type.ts';
import { expandGraph, inputsOf, interpret, stateOf } from '../graphs.ts';
import { type Tensors, toArray } from '../tensors.ts';
import type { Dataset } from '../training/data.ts';
import { dataOf } from '../training/open.ts';
import { picturesOf } from './collect.ts';
import type { Picture } from './content.ts';

/** How long the interpreter may take for the frames of one moment; it makes those of a picture at least. */
const patience = 10_000;
/** Pictures that are shown. */
const shown = 8;
/** What is less sure is not shown, nor what a surer frame of the same class covers by more than half. */
const least = 0.3;
const most = 20;

/** What is to be seen in pictures, before and while a training learns to find it. */
export interface Detections {
  readonly pictures: readonly Picture[];
  /** The nets that find frames. */
  readonly nets: readonly string[];
  /** What the data say themselves, by picture. */
  readonly truth: readonly (readonly Detection[])[];
  /** What the nets find with these weights, by picture. */
  find(weights: Tensors): (readonly Detection[])[];
}

interface Finder {
  readonly name: string;
  readonly graph: Graph;
}

/**
 * Frames are what a net gives as `boxes` f32[N, R, 4], left, top, right, bottom in pixels, with `scores` f32[N, R, C] of
 * the classes, from 0 to 1, where all that the net takes is among the data of the program. A net without parameters says
 * what is in the data: the truth. Undefined where there is no net that finds frames, or no picture to draw them on.
 */
export function detectionsOf(
  { nets }: Module,
  train: Train,
  weights: Tensors,
  data: Dataset,
): Detections | undefined {
  const fed = dataOf(train);
  const picture = fed.find(({ type }) => isPicture(type, data.batchDim));
  if (!picture) return undefined;
  const fits = (graph: Graph): boolean =>
    inputsOf(graph, 'input').every(({ name, type }) =>
      fed.some(f => f.name === name && f.type.dtype === type.dtype && sameTail(f.type, type)),
    ) && stateOf([graph]).every(({ name }) => weights.has(name));
  const framing = nets.filter(({ predict }) => givesFrames(predict) && fits(predict));
  const finders = framing.map(({ name, predict }): Finder => ({ name, graph: expandGraph(predict) }));
  const isLearned = ({ graph }: Finder): boolean => graphInputs(graph).some(n => n.role === 'param');
  const learned = finders.filter(isLearned);
  if (learned.length === 0) return undefined;
  const given = finders.filter(f => !isLearned(f));
  const count = Math.min(shown, data.held);
  return {
    pictures: picturesOf(toArray(data.batch(order(count))[picture.name]!)),
    nets: learned.map(f => f.name),
    truth: order(count).map(row => given.flatMap(f => finderOf(f, weights, data)(row))),
    find(now) {
      const began = performance.now();
      const all = learned.map(f => finderOf(f, now, data));
      const found: Detection[][] = [];
      for (const row of order(count)) {
        if (row > 0 && performance.now() - began > patience) break;
        found.push(all.flatMap(framesAt => framesAt(row)));
      }
      return found;
    },
  };
}

const order = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

const sameTail = (a: TensorType, b: TensorType): boolean =>
  a.shape.length === b.shape.length && a.shape.slice(1).every((d, i) => D.equal(d, b.shape[i + 1]!));

function isPicture({ dtype, shape }: TensorType, batch: string | undefined): boolean {
  const isShown = shape.length === 4 && (isFloat(dtype) || dtype === 'u8');
  const channels = isShown ? D.constantValue(shape[1]!) : undefined;
  return shape[0]?.key === batch && (channels === 1 || channels === 3);
}

function givesFrames({ outputs }: Graph): boolean {
  const typeOf = (name: string) => outputs.find(o => o.role === 'result' && o.name === name)?.value.type;
  const [boxes, scores] = [typeOf('boxes'), typeOf('scores')];
  return (
    boxes?.shape.length === 3 &&
    scores?.shape.length === 3 &&
    D.constantValue(boxes.shape[2]!) === 4 &&
    D.equal(boxes.shape[1]!, scores.shape[1]!) &&
    isFloat(boxes.dtype) &&
    isFloat(scores.dtype)
  );
}

/** What a net finds with these weights in an example. */
function finderOf({ graph }: Finder, weights: Tensors, data: Dataset): (row: number) => Detection[] {
  const state = stateOf([graph]).map(({ name }) => [name, toArray(weights.get(name)!)] as const);
  return row => {
    const values = new Map<string, NdArray>(state);
    for (const [name, value] of Object.entries(data.batch([row]))) values.set(name, toArray(value));
    const dims = data.batchDim === undefined ? data.dims : { ...data.dims, [data.batchDim]: 1 };
    const { boxes, scores } = Object.fromEntries(interpret(graph, values, hostScalars, dims));
    return surest(boxes!, scores!);
  };
}

const hostScalars = { seed: 0, step: 0, epoch: 0 };

/** Of boxes [1, rows, 4] with scores [1, rows, classes] those that are sure enough, without doubles. */
function surest({ data }: NdArray, scores: NdArray): Detection[] {
  const [, rows, classes] = scores.shape as readonly [number, number, number];
  const all = order(rows).flatMap((i): Detection[] => {
    const box: Box = boxAt(data, i);
    const each = scores.data.subarray(i * classes, (i + 1) * classes);
    const score = Math.max(...each);
    return box.every(Number.isFinite) ? [{ box, score, kind: each.indexOf(score) }] : [];
  });
  const [boxes, sure, kinds] = [all.map(d => d.box), all.map(d => d.score), all.map(d => d.kind)];
  return suppress(boxes, sure, { classes: kinds, least, most }).map(i => all[i]!);
}
