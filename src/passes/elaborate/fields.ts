import { primitive, primitives } from '../../ops/list.ts';
import type { Ident } from '../../parser/ast.ts';
import { unknownName } from '../../support/errors/names.ts';
import { wrongKind } from '../../support/errors/shapes.ts';
import type { Context } from './context.ts';
import type { Instance } from './instance.ts';
import { variablePath } from './instance.ts';
import { unpoisoned } from './lookup.ts';
import { tensor } from './tensors.ts';
import type { RecordVal, Val } from './values.ts';
import { describe } from './values.ts';

/** `value.name`. */
export function field(ctx: Context, value: Val, name: Ident): Val {
  const found = find(ctx, value, name.name);
  if (found) return unpoisoned(found);
  if (value.kind === 'tensor')
    ctx.fail(wrongKind(name.span, `a tensor has no \`${name.name}\``, { label: describe(value) }));
  ctx.fail(
    unknownName(name.span, value.kind === 'primitives' ? 'primitive' : 'value', name.name, candidates(value)),
  );
}

function find(ctx: Context, value: Val, name: string): Val | undefined {
  switch (value.kind) {
    case 'primitives': {
      const op = primitive(name);
      return op && { kind: 'primitive', op };
    }
    case 'instance':
      return member(ctx, value.instance, name);
    case 'record':
      return (
        value.outputs.find(o => o.name === name)?.value ??
        value.fields.get(name) ??
        (value.instance && member(ctx, value.instance, name)) ??
        grouped(value, name)
      );
    case 'group':
      return value.record.fields.get(`${value.key}.${name}`) ?? grouped(value.record, `${value.key}.${name}`);
    default:
      return undefined;
  }
}

/** A parameter of a layer, or a layer inside it. */
function member(ctx: Context, instance: Instance, name: string): Val | undefined {
  const variable = ctx.session.variables.get(variablePath(instance, name));
  if (variable) return tensor(ctx, variable.value);
  const child = instance.children.get(name);
  return child && { kind: 'instance', instance: child };
}

/** `rest` where the values are `rest[0]`, `rest[1]`. */
function grouped(record: RecordVal, key: string): Val | undefined {
  const some = [...record.fields.keys()].some(k => k.startsWith(`${key}[`) || k.startsWith(`${key}.`));
  return some ? { kind: 'group', record, key } : undefined;
}

/** `group[i]`: what flows out of the turn, with the named values inside it. */
export function turn(group: Extract<Val, { kind: 'group' }>, i: number): Val | undefined {
  const key = `${group.key}[${i}]`;
  const value = group.record.fields.get(key);
  if (!value) return grouped(group.record, key);
  const inside = [...group.record.fields].flatMap(([name, v]): [string, Val][] =>
    name.startsWith(`${key}.`) ? [[name.slice(key.length + 1), v]] : [],
  );
  if (inside.length === 0) return value;
  if (value.kind === 'record') return { ...value, fields: new Map([...value.fields, ...inside]) };
  return { kind: 'record', outputs: [{ name: 'out', value }], fields: new Map(inside) };
}

function candidates(value: Val): Iterable<string> {
  switch (value.kind) {
    case 'primitives':
      return primitives.map(p => p.name);
    case 'record':
      return [
        ...value.outputs.map(o => o.name),
        ...value.fields.keys(),
        ...(value.instance?.children.keys() ?? []),
      ];
    case 'instance':
      return value.instance.children.keys();
    default:
      return [];
  }
}
