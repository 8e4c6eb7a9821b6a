import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { readWeights, type TensorValue, writeWeights } from '../../runtime/index.ts';
import { runCli } from '../../src/cli/program.ts';
import { getDevice } from '../gpu.ts';

/** A net and a training program that the interpreter runs in milliseconds. */
export const tiny = `
const Rate = 0.1

net Tiny(x: f32[N, 4]) -> f32[N, 3] {
  return x -> hidden: dense(5) -> tanh -> head: dense(3)
}

train fit {
  data x: f32[N, 4]
  data y: i32[N]
  logits = Tiny(x)
  loss = cross_entropy(logits, y)
  metric accuracy = mean(cast(argmax(logits, axis = 1) == y, f32))
  minimize loss over Tiny by sgd(lr = Rate, momentum = 0.9)
}
`;

/** Where kernels can run here: a software adapter is used because it is asked for. */
export const kernelTargets = async (): Promise<readonly string[]> =>
  (await getDevice()) ? ['webgpu', 'wasm'] : ['wasm'];

export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `dnnc` in this process. */
export async function dnnc(...args: readonly string[]): Promise<Result> {
  let out = '';
  let err = '';
  const code = await runCli(args, {
    out: text => {
      out += text;
    },
    err: text => {
      err += text;
    },
    color: false,
  });
  return { code, out, err };
}

/** A folder of the test file's own, removed after it. */
export function temporaryFolder(): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'dnnc-cli-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return name => {
    const path = join(folder, name);
    mkdirSync(join(path, '..'), { recursive: true });
    return path;
  };
}

/** A program in a folder of the test file's own, with tables to train it on and inputs of its net. */
export function tinyFiles(program = tiny, rows = 22) {
  const at = temporaryFolder();
  const file = at('tiny.dnn');
  writeFileSync(file, program);
  const data = writeTensors(at('data.safetensors'), examples(rows));
  const val = writeTensors(at('val.safetensors'), examples(7, 1));
  const inputs = writeTensors(at('in.safetensors'), { x: f32([2, 4]) });
  return { at, file, data, val, inputs };
}

export function writeTensors(path: string, tensors: Readonly<Record<string, TensorValue>>): string {
  writeFileSync(path, writeWeights(tensors));
  return path;
}

export const readTensorFile = (path: string): Record<string, TensorValue> => readWeights(readFileSync(path));

export function f32(shape: readonly number[], f: (i: number) => number = i => Math.sin(i)): TensorValue {
  const count = shape.reduce((n, d) => n * d, 1);
  return { dtype: 'f32', shape, data: Float32Array.from({ length: count }, (_, i) => f(i)) };
}

/** Points of three classes that a line or two tell apart. */
export function examples(n: number, first = 0): Record<string, TensorValue> {
  const label = (i: number): number => (i + first) % 3;
  return {
    x: f32([n, 4], at => {
      const i = Math.floor(at / 4);
      return Number(at % 4 === label(i)) + 0.3 * Math.sin(at * 1.7 + first);
    }),
    y: { dtype: 'i32', shape: [n], data: Int32Array.from({ length: n }, (_, i) => label(i)) },
  };
}
