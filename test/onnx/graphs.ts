import type { Attribute } from './node.ts';
import type { Tensor } from './tensor.ts';
import { type Translated, writeNode } from './translate.ts';
import { type Value, Writer } from './writer.ts';

/** A node by name: what it takes, what it gives, its attributes. */
export type Step = readonly [
  op: string,
  inputs: readonly string[],
  output: string,
  attributes?: Readonly<Record<string, Attribute>>,
];

/** Several nodes over named tensors; the last one's output is the result. */
export function translateSteps(given: Readonly<Record<string, Tensor>>, steps: readonly Step[]): Translated {
  const writer = new Writer();
  const values = new Map<string, Value>(Object.entries(given).map(([k, t]) => [k, writer.feed(t)]));
  for (const [op, inputs, output, attributes = {}] of steps) {
    const [made] = writeNode(writer, {
      op,
      opset: 18,
      inputs: inputs.map(name => values.get(name)!),
      outputs: [true],
      attributes: new Map(Object.entries(attributes)),
    });
    values.set(output, made!);
  }
  return { text: writer.source([values.get(steps.at(-1)![2])!]), inputs: writer.inputs() };
}
