import { Untranslated } from '../torch/attrs.ts';
import type { AttributeProto, GraphProto } from './proto.ts';
import { type Element, readTensor, type Tensor } from './tensor.ts';
import type { Value, Writer } from './writer.ts';

/** An attribute of a node, as ONNX or WebNN writes it. */
export type Attribute = number | string | readonly number[] | readonly string[] | Tensor | GraphProto;

export function readAttribute(a: AttributeProto): Attribute {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  switch (a.type) {
    case 1:
      return a.f;
    case 2:
      return a.i;
    case 3:
      return text(a.s);
    case 4:
      return readTensor(a.t!);
    case 5:
      return a.g!;
    case 6:
      return a.floats;
    case 7:
      return a.ints;
    case 8:
      return a.strings.map(text);
    default:
      throw new Untranslated(`attribute ${a.name} of type ${a.type}`);
  }
}

/** A result of a rule: text of the element type of the first input, or of the one that is said. */
export type Result =
  | string
  | { readonly text: string; readonly element: Element; readonly constant?: readonly number[] };

/** Writes a node as text, one result per output. */
export type Rule = (n: Node) => Result | readonly Result[];

/** What a rule sees of a node. Attributes that no rule reads are an error, so that none is ignored in silence. */
export class Node {
  readonly op: string;
  readonly opset: number;
  readonly inputs: readonly (Value | undefined)[];
  /** How many outputs are used; absent ones between them count. */
  readonly outputs: readonly boolean[];
  readonly writer: Writer;
  readonly #attributes: ReadonlyMap<string, Attribute>;
  readonly #unread: Set<string>;

  constructor(init: {
    op: string;
    opset: number;
    inputs: readonly (Value | undefined)[];
    outputs: readonly boolean[];
    attributes: ReadonlyMap<string, Attribute>;
    writer: Writer;
  }) {
    this.op = init.op;
    this.opset = init.opset;
    this.inputs = init.inputs;
    this.outputs = init.outputs;
    this.writer = init.writer;
    this.#attributes = init.attributes;
    this.#unread = new Set(init.attributes.keys());
  }

  in(i: number): Value {
    const found = this.inputs[i];
    if (!found) throw new Untranslated(`${this.op} without input ${i}`);
    return found;
  }

  /** The name of an input. */
  x(i = 0): string {
    return this.in(i).text;
  }

  has(i: number): boolean {
    return this.inputs[i] !== undefined;
  }

  /** The integers of an input that must be known at compile time. */
  constants(i: number): readonly number[] | undefined {
    return this.inputs[i]?.constant();
  }

  /** Names an expression that is used more than once. */
  let(text: string): string {
    return this.writer.assign(text);
  }

  /** Names the results of an expression that has several. */
  lets(text: string, count: number): readonly string[] {
    return this.writer.assignAll(text, count);
  }

  get(name: string): Attribute | undefined {
    this.#unread.delete(name);
    return this.#attributes.get(name);
  }

  number(name: string): number | undefined {
    const value = this.get(name);
    if (value === undefined || typeof value === 'number') return value;
    throw new Untranslated(`${this.op} with this ${name}`);
  }

  int(name: string, otherwise: number): number {
    return this.number(name) ?? otherwise;
  }

  /** A float that was rounded to 32 bits. */
  float(name: string, otherwise: number): number {
    const value = this.number(name);
    return value === undefined ? otherwise : Number(value.toPrecision(7));
  }

  string(name: string, otherwise: string): string {
    const value = this.get(name);
    return typeof value === 'string' ? value : otherwise;
  }

  numbers(name: string): readonly number[] | undefined {
    return this.get(name) as readonly number[] | undefined;
  }

  strings(name: string): readonly string[] | undefined {
    return this.get(name) as readonly string[] | undefined;
  }

  tensor(name: string): Tensor | undefined {
    return this.get(name) as Tensor | undefined;
  }

  graph(name: string): GraphProto | undefined {
    return this.get(name) as GraphProto | undefined;
  }

  ignore(...names: readonly string[]): void {
    for (const name of names) this.#unread.delete(name);
  }

  no(what: string): never {
    throw new Untranslated(`${this.op} with ${what}`);
  }

  done(): void {
    if (this.#unread.size > 0) this.no([...this.#unread].join(', '));
  }
}

/** An axis counted from the start. */
export const fromStart = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);
export const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(to - from, 0) }, (_, i) => from + i);
