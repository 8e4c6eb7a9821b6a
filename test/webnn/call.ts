import type { Attribute } from '../onnx/node.ts';
import type { Element } from '../onnx/tensor.ts';
import { writeNode } from '../onnx/translate.ts';
import { list, type Value, type Writer } from '../onnx/writer.ts';
import { Untranslated } from '../torch/attrs.ts';

type Json = unknown;

/** One operator of WebNN: its arguments and options, all of which must be read. */
export class Call {
  readonly name: string;
  readonly count: number;
  readonly #values: ReadonlyMap<string, Value>;
  readonly #given: Map<string, Json>;
  readonly #writer: Writer;

  constructor(
    name: string,
    count: number,
    given: Readonly<Record<string, Json>>,
    values: ReadonlyMap<string, Value>,
    writer: Writer,
  ) {
    this.name = name;
    this.count = count;
    this.#values = values;
    this.#writer = writer;
    const { options, ...positional } = given;
    this.#given = new Map(Object.entries({ ...positional, ...(options as object) }));
  }

  #take(name: string): Json {
    const found = this.#given.get(name);
    this.#given.delete(name);
    return found;
  }

  optional(name: string): Value | undefined {
    const key = this.#take(name);
    return typeof key === 'string' ? this.#values.get(key) : undefined;
  }

  operand(...names: readonly string[]): Value {
    for (const name of names) {
      const found = this.optional(name);
      if (found) return found;
    }
    throw new Untranslated(`${this.name} without ${names.join(' or ')}`);
  }

  operands(name: string): readonly Value[] {
    return (this.#take(name) as readonly string[]).map(key => this.#values.get(key)!);
  }

  number(name: string): number | undefined {
    const value = this.#take(name);
    return value === undefined || value === null ? undefined : Number(value);
  }

  numbers(name: string): readonly number[] | undefined {
    return this.#take(name) as readonly number[] | undefined;
  }

  string(name: string, otherwise: string): string {
    return (this.#take(name) as string | undefined) ?? otherwise;
  }

  strings(name: string): readonly string[] | undefined {
    return this.#take(name) as readonly string[] | undefined;
  }

  boolean(name: string): boolean {
    return this.#take(name) === true;
  }

  raw(name: string): Json {
    return this.#take(name);
  }

  done(): void {
    this.#given.delete('label');
    if (this.#given.size > 0)
      throw new Untranslated(`${this.name} with ${[...this.#given.keys()].join(', ')}`);
  }

  /** Integers that ONNX takes as an input. */
  integers(data: readonly number[]): Value {
    return this.#writer.feed({ element: 'int64', shape: [data.length], data });
  }

  scalar(data: number, element: Element): Value {
    return this.#writer.feed({ element, shape: [], data: [data] });
  }

  /** A line of text as a value. */
  text(text: string, element: Element): Value {
    return this.#writer.value(this.#writer.assign(text), element);
  }

  permuted(x: Value, order: readonly number[]): Value {
    return order.every((a, i) => a === i) ? x : this.text(`transpose(${x.text}, ${list(order)})`, x.element);
  }

  /** The same as an operator of ONNX says. */
  onnx(
    op: string,
    inputs: readonly (Value | undefined)[],
    attributes: Readonly<Record<string, Attribute | undefined>> = {},
    count = 1,
  ): readonly Value[] {
    const set = Object.entries(attributes).flatMap(([k, v]) => (v === undefined ? [] : [[k, v] as const]));
    const outputs = Array.from({ length: count }, () => true);
    return writeNode(this.#writer, { op, opset: 22, inputs, outputs, attributes: new Map(set) }) as Value[];
  }
}
