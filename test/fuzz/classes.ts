import type { Attr, Attrs, Primitive } from '../../src/ir/primitive.ts';

/** What an option can be, as far as it is told apart. */
export function classesOf(op: Primitive, name: string): string[] {
  const spec = op.attrs[name]!;
  if (spec.type === 'bool') return ['true', 'false'];
  return spec.default === undefined ? ['given'] : ['default', 'other'];
}

/** What it is in a call whose first input has `rank` axes; attributes are those that `prepare` gives. */
export function classOf(op: Primitive, attrs: Attrs, rank: number, name: string): string {
  const spec = op.attrs[name]!;
  const value = attrs[name]!;
  if (spec.type === 'bool') return String(value);
  if (spec.default === undefined) return 'given';
  const all = spec.default === 'all' ? Array.from({ length: rank }, (_, i) => i) : undefined;
  const flat = (Array.isArray(value) ? value : [value]).map(plain);
  const isDefault = all ? flat.join() === all.join() : flat.every(v => v === spec.default);
  return isDefault ? 'default' : 'other';
}

const plain = (a: Attr): Attr =>
  typeof a === 'object' && 'terms' in a ? (/^-?\d+$/.test(a.key) ? Number(a.key) : a.key) : a;
