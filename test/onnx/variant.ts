import { readFileSync } from 'node:fs';
import type { Attribute } from './node.ts';
import type { Tensor } from './tensor.ts';
import { type Translated, writeNode } from './translate.ts';
import { Writer } from './writer.ts';

/** A node and its tensors as JSON; absent inputs and outputs are null. */
export interface Variant {
  readonly name: string;
  readonly op: string;
  readonly opset: number;
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly inputs: readonly (Tensor | null)[];
  readonly outputs: readonly (Tensor | null)[];
}

const numbers: Readonly<Record<string, number>> = {
  inf: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
  nan: Number.NaN,
};

export function readVariants(path: string): Variant[] {
  const revive = (_: string, value: unknown) =>
    typeof value === 'string' && value in numbers ? numbers[value] : value;
  return JSON.parse(readFileSync(path, 'utf8'), revive) as Variant[];
}

export function translateVariant({ op, opset, attributes, inputs, outputs }: Variant): Translated {
  const writer = new Writer();
  const results = writeNode(writer, {
    op,
    opset,
    inputs: inputs.map(t => (t ? writer.feed(t) : undefined)),
    outputs: outputs.map(t => t !== null),
    attributes: new Map(Object.entries(attributes)),
  });
  const used = results.flatMap((r, i) => (r && outputs[i] ? [r] : []));
  return { text: writer.source(used), inputs: writer.inputs() };
}
