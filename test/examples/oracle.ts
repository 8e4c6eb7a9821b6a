import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readSource } from '../../src/cli/files.ts';
import { compile } from '../../src/compile.ts';
import { readSafetensors } from '../../src/interop/safetensors.ts';
import { ndarray } from '../../src/ir/ndarray.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import type { Target } from '../../src/ir/target.ts';
import { renderDiagnostic } from '../../src/support/render.ts';
import type { Arrays, Backend, Compilation } from '../torch/run.ts';
import type { OracleNet } from './oracle-nets.ts';
import { exampleFile } from './train.ts';

type Shapes = readonly (readonly [name: string, shape: readonly number[]])[];

/** What test/cases/nets/make.py has written about a net. */
export interface Answers {
  readonly input: readonly number[];
  readonly classes: number;
  readonly pixels: boolean;
  readonly steps: number;
  readonly params: Shapes;
  readonly buffers: Shapes;
  /** `predicted`, `loss`, `grads`, `final`, `averages`: samples, one name after the other. */
  readonly values: Readonly<Record<string, readonly number[]>>;
}

export function readAnswers(example: string): Answers {
  const path = fileURLToPath(new URL(`../cases/nets/${example}.st`, import.meta.url));
  const { tensors, metadata } = readSafetensors(readFileSync(path), path);
  const values = Object.fromEntries([...tensors].map(([name, { data }]) => [name, Array.from(data, Number)]));
  return { ...(JSON.parse(metadata.case!) as Omit<Answers, 'values'>), values };
}

const size = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

/** From 0 to 1: as `numbers` of make.py. */
function numbers(name: string, count: number): Float64Array {
  let x = 2166136261;
  for (const byte of new TextEncoder().encode(name)) x = Math.imul(x ^ byte, 16777619);
  return Float64Array.from({ length: count }, () => {
    x = (Math.imul(x, 1664525) + 1013904223) | 0;
    return (x >>> 8) / 2 ** 24;
  });
}

function initial(name: string, shape: readonly number[]): NdArray {
  const last = name.split('.').at(-1)!;
  const positive = last === 'running_var' || (last === 'weight' && shape.length === 1);
  const scale = last === 'weight' ? Math.sqrt(6 / size(shape.slice(1))) : 0.2;
  const values = numbers(name, size(shape)).map(u => Math.fround(positive ? 0.5 + u : (2 * u - 1) * scale));
  return ndarray('f32', [...shape], [...values]);
}

function feedOf(example: string, step: number, { input, classes, pixels }: Answers): Arrays {
  const x = numbers(`${example}.x${step}`, size(input)).map(u => Math.fround(2 * u - 1));
  const [n, , ...spatial] = input;
  const shape = pixels ? [n!, ...spatial] : [n!];
  const y = numbers(`${example}.y${step}`, size(shape)).map(u => Math.floor(u * classes));
  return { x: ndarray('f32', [...input], [...x]), y: ndarray('i32', shape, [...y]) };
}

/** As `sample` of make.py. */
function sample(name: string, { data }: NdArray, most: number): number[] {
  const stride = Math.ceil(data.length / most);
  const direction = numbers(`${name}.direction`, data.length);
  let product = 0;
  const some: number[] = [];
  data.forEach((v, i) => {
    product += v * (2 * direction[i]! - 1);
    if (i % stride === 0) some.push(v);
  });
  return [...some, product];
}

export function compileNet({ example, net, defines, program }: OracleNet, target: Target): Compilation {
  const file = readSource(exampleFile(example));
  const source = { ...file.source, text: `${file.source.text}\n${program}` };
  const { compiled, entries, diagnostics } = compile(source, {
    resolve: file.resolve,
    defines,
    target,
    // Sums as they are defined: the transforms' errors of 1e-5 turn winners of SegNet's pooling round.
    exact: true,
    only: name => name === net || name.startsWith('fit.'),
  });
  if (!compiled || !entries) throw new Error(diagnostics.map(d => renderDiagnostic(d)).join('\n'));
  return { compiled, entries, diagnostics } as Compilation;
}

/** Far from PyTorch: the largest gap of each kind, as a part of the largest value of the tensor that it is in. */
export type Gaps = Readonly<Record<'predicted' | 'loss' | 'grads' | 'final' | 'averages', number>>;

/** Predicts once and trains for some steps, and says how far that is from PyTorch's numbers. */
export async function gapsOf(
  { example, net }: OracleNet,
  compiled: Compilation,
  backend: Backend,
  most = Number.POSITIVE_INFINITY,
): Promise<Partial<Gaps>> {
  const answers = readAnswers(example);
  const { params, buffers, values } = answers;
  const weights = Object.fromEntries(
    [...params, ...buffers].map(([name, shape]) => [name, initial(name, shape)]),
  );
  const { x } = feedOf(example, 0, answers);
  const predicted = Object.values(await backend.predict(compiled, net, { x: x! }, weights))[0]!;
  const training = await backend.training(compiled, weights);
  const all = (shapes: Shapes, from: (name: string) => NdArray, samples: number): number[][] =>
    shapes.map(([name]) => sample(name, from(name), samples));
  try {
    const losses: number[] = [];
    const steps = Math.min(most, answers.steps);
    let grads: number[][] = [];
    for (let step = 0; step < steps; step++) {
      const results = await training.step(feedOf(example, step, answers));
      losses.push(results.loss!.data[0]!);
      // After one step the velocity is the gradient.
      const state = step === 0 ? await training.state() : {};
      if (step === 0) grads = all(params, name => state[`fit.sgd.momentum.velocity.${name}`]!, 96);
    }
    const first = {
      predicted: gap([sample(`${example}.predicted`, predicted, 256)], values.predicted!),
      loss: gap(
        losses.map(v => [v]),
        values.loss!.slice(0, steps),
      ),
      grads: gap(grads, values.grads!),
    };
    if (steps < answers.steps) return first;
    const state = await training.state();
    return {
      ...first,
      final: gap(
        all(params, name => state[name]!, 8),
        values.final!,
      ),
      averages: gap(
        all(buffers, name => state[name]!, 8),
        values.averages!,
      ),
    };
  } finally {
    training.close();
  }
}

function gap(parts: readonly (readonly number[])[], expected: readonly number[]): number {
  if (parts.flat().length !== expected.length)
    throw new Error(`${parts.flat().length} numbers, but PyTorch has ${expected.length}`);
  let at = 0;
  let worst = 0;
  for (const part of parts) {
    const theirs = expected.slice(at, (at += part.length));
    const scale = theirs.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-3);
    part.forEach((v, i) => {
      const difference = Math.abs(v - theirs[i]!) / scale;
      if (!(difference <= worst)) worst = difference;
    });
  }
  return worst;
}
