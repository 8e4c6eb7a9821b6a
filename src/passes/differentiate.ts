import type { Graph, OpNode, Origin, Value } from '../ir/graph.ts';
import { gradient } from '../ops/gradient.ts';
import type { Diagnostic } from '../support/diagnostic.ts';
import { unreached as unreachedError } from '../support/errors/gradients.ts';
import type { Unreached } from './backward.ts';
import { emitBackward } from './backward.ts';
import { dropUnused } from './eliminate.ts';
import { withTrace } from './loop-trace.ts';
import type { Pass } from './pass.ts';
import { rewriteGraph } from './rewrite.ts';

export interface Differentiated {
  readonly graph: Graph;
  /** Values of the new graph, in the order of the gradients that ask for them. */
  readonly unreached: readonly (Unreached & {
    /** Where the gradient was asked for. */
    readonly origin: Origin;
  })[];
}

/**
 * Replaces each `gradient` node by the nodes that compute it, beside the forward ones that they share values with.
 * Nodes come in topological order, so what a gradient is taken of has its own gradients expanded already: derivatives
 * of derivatives need no rule. Gradients that nothing reads are dropped, with all that nothing reads but inputs.
 *
 * `wrt` may be any value: it is differentiated by as if it were an input, so later uses of an equal value that is a
 * node of its own do not count. Rules that merge such values must run after this (see `canonicalise`).
 *
 * `scale` is what gradients are larger by on their way (see `differentiateScaled`).
 */
export function differentiateGraph(graph: Graph, scale = 1): Differentiated {
  const unreached: Differentiated['unreached'][number][] = [];
  if (!hasGradients(graph)) return { graph, unreached };
  const expanded = rewriteGraph(dropUnused(graph), {
    loop: (builder, node, inputs) => {
      const body = differentiateGraph(node.body, scale);
      unreached.push(...body.unreached);
      return builder.loop({ ...node, body: withTrace(body.graph) }, inputs as readonly Value[]);
    },
    replace: (builder, node, [of, ...wrt]) => {
      if (node.op !== gradient) return undefined;
      const backward = emitBackward(builder, of!, wrt, scale);
      unreached.push(...backward.unreached.map(u => ({ ...u, origin: node.origin })));
      return backward.gradients;
    },
  });
  return { graph: expanded, unreached };
}

/** E0301 for a value that no gradient reaches; `severity` is the caller's, who knows what asked for it. */
export function unreachedDiagnostic(
  { value, cutBy }: Unreached,
  severity?: Diagnostic['severity'],
  name = nameOf(value),
): Diagnostic {
  const { node } = value;
  const describeCut = (cut: OpNode) => ({ what: `${cut.op.name}(...)`, span: cut.origin.span });
  return unreachedError(name, node.origin.span, cutBy.map(describeCut), severity);
}

const nameOf = ({ node, id }: Value): string =>
  node.kind === 'input' ? node.name : (node.origin.path ?? `%${id}`);

/** One warning for all parameters of a layer that are cut off at the same places. */
export function unreachedWarnings(unreached: readonly Unreached[]): Diagnostic[] {
  const layers: Unreached[][] = [];
  const isSame = (a: Unreached, b: Unreached): boolean =>
    a.value.node.origin.span !== undefined &&
    a.value.node.origin.span === b.value.node.origin.span &&
    a.cutBy.length === b.cutBy.length &&
    a.cutBy.every((cut, i) => cut === b.cutBy[i]);
  for (const one of unreached) {
    const layer = layers.find(l => isSame(l[0]!, one));
    if (layer) layer.push(one);
    else layers.push([one]);
  }
  return layers.map(layer =>
    unreachedDiagnostic(layer[0]!, 'warning', layer.map(u => nameOf(u.value)).join(', ')),
  );
}

/**
 * Whether a gradient is still to be taken with respect to a value computed inside the graph. Until then what stands
 * for that value must not change: after `neg(neg(x)) = x` nothing would lead through `neg(x)` any more.
 */
export function hasInnerTargets(graph: Graph): boolean {
  const isInner = (value: Value) => value.node.kind !== 'input';
  return someOp(graph, n => n.op === gradient && n.inputs.slice(1).some(isInner));
}

const hasGradients = (graph: Graph): boolean => someOp(graph, n => n.op === gradient);

/** Whether it holds for an op of the graph or of a loop in it. */
function someOp(graph: Graph, holds: (node: OpNode) => boolean): boolean {
  return graph.nodes.some(n => (n.kind === 'op' ? holds(n) : n.kind === 'loop' && someOp(n.body, holds)));
}

const passWith = (scale: number): Pass<Graph> => ({
  name: 'differentiate',
  doc: 'replaces gradients by the backward graph; warns of values that none reaches',
  run: (graph, context) => {
    const result = differentiateGraph(graph, scale);
    context.diagnostics.push(...unreachedWarnings(result.unreached));
    return result.graph;
  },
});

export const differentiate = passWith(1);

/**
 * For half precision: gradients are those of 1024 times the scalar, divided where they arrive, so that small ones on the
 * way do not vanish below what f16 holds (6e-8), and large ones stay far from where it ends (65504). A power of two
 * changes no other bit.
 */
export const differentiateScaled = passWith(1024);
