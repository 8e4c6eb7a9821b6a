import type { Axis, Compute, Expr, Index } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import type { Graph, Value } from '../../ir/graph.ts';
import { graphInputs } from '../../ir/graph.ts';
import { fixAttrs, fixType } from '../../ir/interpret/graph.ts';

/**
 * Where along one axis of the net's input an element of a value looks: from `low` to `high`, both relative to the sum
 * of `jumps[j] * index[j]` over the value's axes. Through an axis in `loose` the place is not linear (flattened
 * pixels); `everything` means that any position may be seen.
 */
interface Field {
  readonly low: number;
  readonly high: number;
  readonly jumps: readonly number[];
  readonly loose: readonly boolean[];
  readonly everything: boolean;
}

/** Fields of a value along the axes of the input that are followed; absent: the value does not depend on the input. */
type Fields = readonly Field[];

/**
 * How many positions along each of `axes` of an input an element of each value sees, at most the axis' extent.
 * Extents, strides and dilations compose as in `rf = 1 + sum((k - 1) * dilation * jump)`, but are read off the lowered
 * index maps, so that every op is covered: a bound from above where an index is not linear. By value id.
 */
export function receptiveFields(
  graph: Graph,
  input: string,
  axes: readonly number[],
  dims: D.DimEnv,
): Map<number, number[]> {
  const source = graphInputs(graph).find(n => n.name === input)!.outputs[0];
  const shape = source.type.shape.map(d => D.evaluate(d, dims));
  const fields = new Map<number, Fields>([
    [
      source.id,
      axes.map(axis => ({
        low: 0,
        high: 0,
        jumps: shape.map((_, i) => Number(i === axis)),
        loose: shape.map(() => false),
        everything: false,
      })),
    ],
  ]);
  for (const node of graph.nodes) {
    if (node.kind === 'input') continue;
    const inputs = node.inputs.map(v => fields.get(v.id));
    if (inputs.every(f => f === undefined)) continue;
    const compute =
      node.kind === 'op' &&
      node.op.lower?.(
        node.inputs.map(v => fixType(v.type, dims)),
        fixAttrs(node.attrs, dims),
        node.outputs.map(v => fixType(v.type, dims)),
      );
    node.outputs.forEach((value, i) => {
      fields.set(
        value.id,
        axes.map((_, a) =>
          compute
            ? fieldThrough(
                compute,
                i,
                value,
                inputs.map(f => f?.[a]),
              )
            : anywhere(value),
        ),
      );
    });
  }
  return new Map([...fields].map(([id, list]) => [id, list.map((f, i) => positions(f, shape[axes[i]!]!))]));
}

const positions = ({ low, high, everything }: Field, extent: number): number =>
  everything ? extent : Math.min(extent, Math.floor(high - low) + 1);

const anywhere = ({ type }: Value): Field => ({
  low: 0,
  high: 0,
  jumps: type.shape.map(() => 0),
  loose: type.shape.map(() => true),
  everything: true,
});

function fieldThrough(
  compute: Compute,
  output: number,
  value: Value,
  inputs: readonly (Field | undefined)[],
): Field {
  const out = compute.outs[output]!;
  // Stored elsewhere than at the axes in order (or only at some): the axes say nothing about the place.
  const outer = out.at || out.keep ? [] : compute.axes;
  const reduced = new Set<Axis>([
    ...(compute.reduce?.axes ?? []),
    ...(out.at || out.keep ? compute.axes : []),
  ]);
  let field: Field | undefined;
  for (const load of loadsOf([out.value, ...(compute.reduce?.lift ?? [])])) {
    const from = inputs[load.input];
    if (!from) continue;
    const one = throughLoad(load.at, from, outer, reduced, value.type.shape.length);
    field = field ? union(field, one) : one;
  }
  return field ?? anywhere(value);
}

function throughLoad(
  at: readonly Index[],
  from: Field,
  outer: readonly Axis[],
  reduced: ReadonlySet<Axis>,
  rank: number,
): Field {
  let { low, high, everything } = from;
  const jumps = new Array<number>(rank).fill(0);
  const loose = new Array<boolean>(rank).fill(false);
  at.forEach((index, d) => {
    const jump = from.jumps[d]!;
    if (jump === 0 && !from.loose[d]) return;
    const map = mapOf(index);
    if (map.data) everything = true;
    for (const [axis, coefficient] of map.axes) {
      const isLoose = from.loose[d]! || map.loose.has(axis);
      if (reduced.has(axis)) {
        const reach = jump * coefficient * (D.evaluate(axis.extent) - 1);
        if (isLoose) everything ||= !D.isConstant(axis.extent, 1);
        else if (reach > 0) high += reach;
        else low += reach;
        continue;
      }
      const j = outer.indexOf(axis);
      if (isLoose) loose[j] = true;
      else jumps[j]! += jump * coefficient;
    }
    low += jump * map.offset;
    high += jump * map.offset;
  });
  return { low, high, jumps, loose, everything };
}

/** Both together. Where they move differently along an axis, the place is no longer known. */
function union(a: Field, b: Field): Field {
  const loose = a.loose.map((l, i) => l || b.loose[i]! || a.jumps[i] !== b.jumps[i]);
  const apart = a.jumps.some((jump, i) => jump !== b.jumps[i]);
  return {
    low: Math.min(a.low, b.low),
    high: Math.max(a.high, b.high),
    jumps: a.jumps,
    loose,
    everything: a.everything || b.everything || apart,
  };
}

/** An index as offset + sum(coefficient * axis), with the axes on which it depends in another way. */
interface IndexMap {
  readonly offset: number;
  readonly axes: ReadonlyMap<Axis, number>;
  readonly loose: ReadonlySet<Axis>;
  /** It depends on values that are computed. */
  readonly data: boolean;
}

const constantMap = (offset: number, data = false): IndexMap => ({
  offset,
  axes: new Map(),
  loose: new Set(),
  data,
});

function mapOf(index: Index): IndexMap {
  if (index.kind === 'dim') return constantMap(D.evaluate(index.dim));
  if (index.kind === 'axis') return { ...constantMap(0), axes: new Map([[index.axis, 1]]) };
  if (index.kind === 'value') return constantMap(0, true);
  const a = mapOf(index.a);
  const b = mapOf(index.b);
  const isConstant = (m: IndexMap): boolean => m.axes.size === 0 && !m.data;
  switch (index.op) {
    case 'add':
      return combine(a, b);
    case 'mul':
      if (isConstant(b)) return scaled(a, b.offset);
      return isConstant(a) ? scaled(b, a.offset) : loosened(a, b);
    case 'floordiv':
      // Nearest-neighbour resizing: a step of the output is a part of a step of the input.
      return isConstant(b) ? scaled(a, 1 / b.offset) : loosened(a, b);
    case 'min':
    case 'max':
      // Clamped at an edge: inside, the other operand.
      return isConstant(b) ? a : isConstant(a) ? b : loosened(a, b);
    case 'mod':
      return loosened(a, b);
  }
}

function combine(a: IndexMap, b: IndexMap): IndexMap {
  const axes = new Map(a.axes);
  for (const [axis, c] of b.axes) axes.set(axis, (axes.get(axis) ?? 0) + c);
  return {
    offset: a.offset + b.offset,
    axes,
    loose: new Set([...a.loose, ...b.loose]),
    data: a.data || b.data,
  };
}

function scaled(map: IndexMap, factor: number): IndexMap {
  return {
    ...map,
    offset: map.offset * factor,
    axes: new Map([...map.axes].map(([axis, c]) => [axis, c * factor])),
  };
}

function loosened(a: IndexMap, b: IndexMap): IndexMap {
  const both = combine(a, b);
  return { ...both, offset: 0, loose: new Set(both.axes.keys()) };
}

type Load = Extract<Expr, { kind: 'load' }>;

/** Every load in expressions. Those inside an index make it depend on data, which `mapOf` sees. */
function loadsOf(expressions: readonly Expr[]): Load[] {
  const found = new Set<Load>();
  const seen = new Set<Expr>();
  const visit = (e: Expr): void => {
    if (seen.has(e)) return;
    seen.add(e);
    switch (e.kind) {
      case 'load':
        found.add(e);
        break;
      case 'unary':
      case 'cast':
        visit(e.a);
        break;
      case 'binary':
        visit(e.a);
        visit(e.b);
        break;
      case 'select':
        for (const part of [e.condition, e.a, e.b]) visit(part);
        break;
      case 'random':
        e.args.forEach(visit);
    }
  };
  expressions.forEach(visit);
  return [...found];
}
