import * as D from '../../src/ir/dim.ts';
import type { Attr, AttrSpec, Attrs, Primitive } from '../../src/ir/primitive.ts';
import { withDefaults } from '../../src/ir/primitive.ts';
import type { DType, TensorType } from '../../src/ir/type.ts';
import { isFloat, tensor } from '../../src/ir/type.ts';
import type { Declaration, Line, Val } from './case.ts';
import type { Random } from './random.ts';

export const N = D.symbol('N');

/** What a primitive makes of types; throws `ShapeError` where it takes none of them. */
export function inferred(op: Primitive, types: readonly TensorType[], attrs: Attrs): readonly TensorType[] {
  const filled = withDefaults(op, attrs);
  return op.infer(types, op.prepare ? op.prepare(types, filled) : filled);
}

/** An attribute as `.dnn` text. */
export function attrText(attr: Attr, spec: AttrSpec): string {
  if (Array.isArray(attr)) return `[${attr.map(a => attrText(a, spec)).join(', ')}]`;
  if (typeof attr === 'object') return D.print(attr as D.Dim);
  if (typeof attr === 'string') return spec.type === 'string' ? `"${attr}"` : attr;
  return numberText(attr as number);
}

/** A number as a literal of the language. */
export function numberText(value: number | boolean): string {
  return Object.is(value, -0) ? '0' : String(value);
}

/** Writes statements and knows the types of what they make. */
export class Writer {
  readonly lines: Line[] = [];
  readonly declarations: Declaration[] = [];
  readonly inputs: Val[] = [];
  readonly pool: Val[] = [];
  readonly forms = new Set<string>();
  readonly random: Random;
  /** What of `expected` (counts.ts) this program is to have, where it can. */
  readonly wishes: Set<string>;
  #count = 0;

  constructor(random: Random, wishes: Iterable<string> = []) {
    this.random = random;
    this.wishes = new Set(wishes);
  }

  /** A choice that comes out true by chance, or because it is wished for. */
  chance(wish: string, p: number): boolean {
    const wished = this.wishes.delete(wish);
    return this.random.chance(p) || wished;
  }

  fresh(): string {
    return `v${this.#count++}`;
  }

  input(dtype: DType, shape: readonly (number | D.Dim)[]): Val {
    const val: Val = { name: `x${this.inputs.length}`, type: tensor(dtype, shape), level: 0 };
    this.inputs.push(val);
    this.pool.push(val);
    return val;
  }

  /** `name = text`. `needs` are the values that the text names. */
  emit(text: string, types: readonly TensorType[], needs: readonly Val[], level: number): Val[] {
    const makes = types.map((type): Val => ({ name: this.fresh(), type, level }));
    const left = makes.length === 1 ? makes[0]!.name : `(${makes.map(m => m.name).join(', ')})`;
    this.lines.push({ text: `${left} = ${text}`, makes, needs: needs.map(n => n.name) });
    return makes;
  }

  one(text: string, type: TensorType, needs: readonly Val[], level = 0): Val {
    return this.emit(text, [type], needs, level)[0]!;
  }

  /** A primitive by its name. */
  call(op: Primitive, inputs: readonly Val[], attrs: Attrs): Val[] {
    const types = inferred(
      op,
      inputs.map(v => v.type),
      attrs,
    );
    const given = Object.entries(attrs).map(([name, a]) => `${name} = ${attrText(a, op.attrs[name]!)}`);
    const text = `primitive.${op.name}(${[...inputs.map(v => v.name), ...given].join(', ')})`;
    const deepest = Math.max(0, ...inputs.map(v => v.level));
    return this.emit(text, types, inputs, op.kind === 'view' ? deepest : deepest + 1);
  }

  /** What is made is used again. */
  keep(...vals: readonly Val[]): void {
    this.pool.push(...vals);
  }

  /** A value that a predicate holds for, late ones with more chance. */
  find(holds: (v: Val) => boolean): Val | undefined {
    const found = this.pool.filter(holds);
    if (found.length === 0) return undefined;
    const back = Math.floor(found.length * this.random.next() ** 2);
    return found[found.length - 1 - back];
  }

  /** A float that is near 1. */
  tame(v: Val): Val {
    if (v.level < 2 || !isFloat(v.type.dtype)) return v;
    const { name, type } = v;
    const text = this.random.pick([
      `tanh(${name})`,
      `sin(${name})`,
      `${name} / (1 + abs(${name}))`,
      `sigmoid(${name}) - 0.5`,
      `erf(0.5 * ${name})`,
    ]);
    return this.one(text, type, [v]);
  }
}
