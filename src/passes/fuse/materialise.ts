import type { Compute, Expr } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import type { Graph, OpNode, Value } from '../../ir/graph.ts';
import { graphInputs } from '../../ir/graph.ts';
import type { UnaryOp } from '../../ir/scalar.ts';
import { nominal, type Prices } from '../prices.ts';
import { isMap, type Lowered, loadOccurrences } from './definition.ts';

/** Functions in units of one arithmetic instruction. */
const unaryCost: Partial<Record<UnaryOp, number>> = {
  exp: 4,
  log: 4,
  sin: 4,
  cos: 4,
  tanh: 6,
  sigmoid: 6,
  erf: 12,
  atan: 12,
  log1p: 8,
  expm1: 8,
  sqrt: 2,
};

function ownCost(compute: Compute): number {
  const cost = (e: Expr): number => {
    switch (e.kind) {
      case 'unary':
        return (unaryCost[e.op] ?? 1) + cost(e.a);
      case 'binary':
        return (e.op === 'pow' ? 8 : e.op === 'div' ? 2 : 1) + cost(e.a) + cost(e.b);
      case 'select':
        return 1 + cost(e.condition) + cost(e.a) + cost(e.b);
      case 'cast':
        return (e.a.dtype === 'u8' ? 3 : 0) + cost(e.a);
      case 'random':
        return 90;
      case 'load':
        return e.at.some(i => i.kind === 'value') ? 4 : 0;
      default:
        return 0;
    }
  };
  return compute.outs.reduce((sum, out) => sum + cost(out.value), 0);
}

/** A kernel that loads more often for one element is too much for compilers, this one and the device's. */
const loadLimit = 64;

/**
 * Decides which values get memory of their own. Reductions always do; a map does where it is needed whole (an
 * output), or where evaluating it again for every use would take longer than a dispatch. The rest is inlined.
 */
export function chooseMaterialised(
  graph: Graph,
  lowered: ReadonlyMap<OpNode, Lowered>,
  price: Prices,
): Set<Value> {
  const env = new Proxy({} as Record<string, number>, { get: () => nominal });
  const points = (dims: readonly D.Dim[]): number =>
    dims.reduce((n, d) => n * (D.constantValue(d) ?? D.evaluate(d, env)), 1);
  const elements = (v: Value): number => Math.max(1, points(v.type.shape));
  const chosen = new Set<Value>();
  const byId = new Map(graph.nodes.flatMap(n => n.outputs.map(v => [v.id, v] as const)));
  for (const output of graph.outputs) if (output.value.node.kind === 'op') chosen.add(output.value);
  // What every turn of a loop reads lies in memory; what its states start with is copied there anyway.
  for (const node of graph.nodes)
    if (node.kind === 'loop')
      graphInputs(node.body).forEach((inner, i) => {
        const value = node.inputs[i]!;
        if (inner.role !== 'state' && value.node.kind === 'op') chosen.add(value);
      });

  // Loads of a map with every map before it inlined: chains that use each value twice double at every step.
  const inlinedLoads = new Map<Value, number>();

  // Forward: what one evaluation costs if every map before it is inlined; nothing where only run-time scalars enter.
  const fullCost = new Map<Value, number>();
  const uniform = new Set<Value>();
  for (const node of graph.nodes) {
    if (node.kind === 'input' && (node.role === 'scalar' || node.role === 'key'))
      uniform.add(node.outputs[0]);
    if (node.kind !== 'op') continue;
    const { compute } = lowered.get(node)!;
    if (!isMap(compute)) {
      for (const out of node.outputs) chosen.add(out);
      continue;
    }
    const [out] = node.outputs;
    if (node.inputs.every(v => uniform.has(v)) && D.isConstant(D.product(out!.type.shape), 1))
      uniform.add(out!);
    const inner = new Set(node.inputs);
    const loads = loadOccurrences(compute).reduce(
      (sum, l) => sum + (inlinedLoads.get(byId.get(l.input)!) ?? 1),
      0,
    );
    if (loads > loadLimit) chosen.add(out!);
    inlinedLoads.set(out!, chosen.has(out!) ? 1 : Math.max(1, loads));
    let cost = ownCost(compute) * price.arithmetic;
    for (const v of inner) if (!chosen.has(v)) cost += fullCost.get(v) ?? 0;
    // Stored, it is one load each time; inlined, one for every tensor that it is made of.
    const loaded = [...inner].filter(v => !uniform.has(v) && (v.node.kind !== 'op' || chosen.has(v)));
    cost += Math.max(0, loaded.length - 1) * price.load;
    fullCost.set(out!, uniform.has(out!) ? 0 : cost);
  }

  // A map over the elements of a reduction's only use can be stored in place of the reduction's result: for nothing.
  const uses = new Map<Value, number>();
  for (const node of graph.nodes) for (const v of new Set(node.inputs)) uses.set(v, (uses.get(v) ?? 0) + 1);
  const epilogues = new Set<Value>();
  for (const node of graph.nodes) {
    if (node.kind !== 'op' || !isMap(lowered.get(node)!.compute)) continue;
    const [out] = node.outputs;
    const follows = (v: Value): boolean =>
      v.node.kind === 'op' &&
      uses.get(v) === 1 &&
      (epilogues.has(v) || !isMap(lowered.get(v.node)!.compute)) &&
      D.equal(D.product(v.type.shape), D.product(out!.type.shape));
    if (node.inputs.some(follows)) epilogues.add(out!);
  }
  const consumers = new Map<Value, OpNode[]>();
  for (const node of graph.nodes)
    if (node.kind === 'op')
      for (const v of new Set(node.inputs)) {
        const list = consumers.get(v);
        if (list) list.push(node);
        else consumers.set(v, [node]);
      }
  const endsEpilogue = (v: Value): boolean =>
    epilogues.has(v) && (consumers.get(v) ?? []).some(n => !n.outputs.some(o => epilogues.has(o)));

  // Backward: how often each element is evaluated, given what its consumers became.
  const evaluations = new Map<Value, number>();
  for (const node of [...graph.nodes].reverse()) {
    if (node.kind !== 'op') continue;
    const { compute } = lowered.get(node)!;
    const all = [...compute.axes, ...(compute.reduce?.axes ?? [])];
    const evaluated = points(all.map(a => a.extent));
    const [out] = node.outputs;
    const map = isMap(compute);
    const again = (evaluations.get(out!) ?? 0) - 1;
    const wasted = map && again > 0.01 ? (again * elements(out!) * fullCost.get(out!)!) / price.lanes : 0;
    if (wasted > price.dispatch || (map && endsEpilogue(out!))) chosen.add(out!);
    const times = map && !chosen.has(out!) ? (evaluations.get(out!) ?? 0) : 1;
    for (const load of loadOccurrences(compute)) {
      const source = node.inputs.find(v => v.id === load.input)!;
      const perElement = (evaluated / elements(source)) * times;
      evaluations.set(source, (evaluations.get(source) ?? 0) + Math.max(perElement, 1e-6));
    }
  }
  return chosen;
}
