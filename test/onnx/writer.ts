import { check } from '../../src/compile.ts';
import * as D from '../../src/ir/dim.ts';
import type { Graph } from '../../src/ir/graph.ts';
import { interpretGraph } from '../../src/ir/interpret/graph.ts';
import { ndarray, size } from '../../src/ir/ndarray.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import { renderDiagnostic } from '../../src/support/render.ts';
import { Untranslated } from '../torch/attrs.ts';
import { dtypeOf, type Element, type Tensor } from './tensor.ts';

/** A value of the model: the expression that names it, and what ONNX says that it holds. */
export interface Value {
  readonly text: string;
  readonly element: Element;
  readonly shape: readonly number[];
  /** Its elements, where nothing that it depends on is fed when the model runs, or where the test feeds few of them. */
  readonly constant: () => readonly number[];
}

/** Collects the lines of `net Case`. What is fed is declared when it is first named. */
export class Writer {
  readonly #lines: string[] = [];
  readonly #fed = new Map<string, { type: string; array: NdArray }>();
  #count = 0;

  /** A tensor of the test, an initialiser or a constant: all of them are fed to the net. */
  feed(tensor: Tensor): Value {
    const { element, shape, data } = tensor;
    const dtype = dtypeOf(element);
    const name = `x${this.#count++}`;
    const declare = () => {
      if (!this.#fed.has(name)) {
        const type = shape.length === 0 && dtype !== 'bool' ? dtype : `${dtype}[${shape.join(', ')}]`;
        this.#fed.set(name, {
          type,
          array: ndarray(
            dtype,
            shape,
            data.map(v => intoRange(v, dtype)),
          ),
        });
      }
      return name;
    };
    return {
      get text() {
        return declare();
      },
      element,
      shape,
      constant: () => data,
    };
  }

  /** Adds `name = text`. */
  assign(text: string): string {
    const name = `v${this.#count++}`;
    this.#lines.push(`  ${name} = ${text}`);
    return name;
  }

  assignAll(text: string, count: number): readonly string[] {
    const names = Array.from({ length: count }, () => `v${this.#count++}`);
    this.#lines.push(`  (${names.join(', ')}) = ${text}`);
    return names;
  }

  value(text: string, element: Element): Value {
    const of = () => this.#graph([{ text, element }]);
    let shape: readonly number[] | undefined;
    return {
      text,
      element,
      get shape() {
        shape ??= of().outputs[0]!.value.type.shape.map(d => D.evaluate(d));
        return shape;
      },
      constant: () => Array.from([...interpretGraph(of(), this.inputs()).outputs.values()][0]!.data),
    };
  }

  /** What is fed, by name. */
  inputs(): Record<string, NdArray> {
    return Object.fromEntries([...this.#fed].map(([name, { array }]) => [name, array]));
  }

  source(results: readonly { readonly text: string; readonly element: Element }[]): string {
    const texts = results.map(r => r.text);
    const given = [...this.#fed].map(([name, { type }]) => `${name}: ${type}`);
    const made = results.map((r, i) => `y${i}: ${dtypeOf(r.element)}[...Y${i}]`);
    return `net Case(${given.join(', ')}) -> (${made.join(', ')}) {
${this.#lines.join('\n')}
  return ${texts.join(', ')}
}
`;
  }

  #graph(results: readonly { readonly text: string; readonly element: Element }[]): Graph {
    const text = this.source(results);
    const { module, diagnostics } = check({ name: 'shape.dnn', text });
    if (!module) throw new Error(`${diagnostics.map(d => renderDiagnostic(d)).join('\n')}\n${text}`);
    return module.nets[0]!.predict;
  }
}

/** Bounds such as the largest 64-bit integer become the largest of a word. */
function intoRange(value: number, dtype: string): number {
  if (dtype === 'i32') return Math.min(Math.max(value, -2147483648), 2147483647);
  if (dtype === 'u32') return Math.min(value, 4294967295);
  return value;
}

export const elementCount = (v: Value): number => size(v.shape);

/** `[1, 2]`. */
export const list = (values: readonly (number | string)[]): string => `[${values.join(', ')}]`;

/** A literal of a float: whole numbers are ones too. */
export function float(value: number): string {
  if (!Number.isFinite(value)) {
    if (Number.isNaN(value)) throw new Untranslated('NaN as a constant');
    return value > 0 ? '3.4028234663852886e38' : '-3.4028234663852886e38';
  }
  return String(value).replace('e+', 'e');
}

/** A 32-bit float as the decimal that it was made of, so that texts stay readable. */
export function single(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === Math.fround(value)) return float(short);
  }
  return float(value);
}
