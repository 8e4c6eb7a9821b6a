import { readdirSync, readFileSync } from 'node:fs';
import type { Element, Tensor } from '../onnx/tensor.ts';

interface Operand {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly data: readonly (number | string)[] | number | string;
}

export interface Operator {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly outputs: string | readonly string[];
}

export interface WebnnCase {
  readonly name: string;
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly operators: readonly Operator[];
  readonly outputs: ReadonlyMap<string, Tensor>;
  readonly ulp: number;
  readonly verified: boolean;
}

const elements: Readonly<Record<string, Element>> = { float32: 'float', bool: 'bool' };

function tensorOf({ shape, dtype, data }: Operand): Tensor {
  const count = shape.reduce((n, d) => n * d, 1);
  const values = Array.isArray(data) ? data : new Array(count).fill(data);
  return { element: elements[dtype] ?? (dtype as Element), shape, data: values.map(Number) };
}

const tensors = (of: Readonly<Record<string, Operand>>): ReadonlyMap<string, Tensor> =>
  new Map(Object.entries(of).map(([name, operand]) => [name, tensorOf(operand)]));

/** The cases of all files of a folder. */
export function readCases(folder: string): WebnnCase[] {
  return readdirSync(folder)
    .filter(file => file.endsWith('.json'))
    .sort()
    .flatMap(file => {
      const { cases } = JSON.parse(readFileSync(`${folder}/${file}`, 'utf8'));
      return cases.map(
        // biome-ignore lint/suspicious/noExplicitAny: the shape of the file
        (c: any): WebnnCase => ({
          name: c.name,
          inputs: tensors(c.inputs),
          operators: c.operators,
          outputs: tensors(c.outputs),
          ulp: c.ulp ?? 0,
          verified: c.verified !== false,
        }),
      );
    });
}
