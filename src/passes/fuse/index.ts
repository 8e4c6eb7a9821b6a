import type { Graph, LoopNode, OpNode } from '../../ir/graph.ts';
import type { Program } from '../../ir/program.ts';
import type { Target } from '../../ir/target.ts';
import { prices } from '../prices.ts';
import { assemble } from './assemble.ts';
import { type Lowered, lowerNode } from './definition.ts';
import { epilogueMerger } from './epilogues.ts';
import { initialGroups, rootOf } from './group.ts';
import { unshareConstants } from './in-place.ts';
import { turnGraph } from './loop.ts';
import { chooseMaterialised } from './materialise.ts';
import { Pool } from './pool.ts';
import { siblingMerger } from './siblings.ts';

/**
 * Lowers every node to a Compute and fuses them into works: producers into loads, consumers into outputs,
 * smaller reductions beside larger ones. Decided by structure, costs and the target's limits alone.
 */
export function fuse(graph: Graph, target: Target): Program {
  const lowered = new Map<OpNode, Lowered>();
  const bodies = new Map<LoopNode, Program>();
  for (const node of graph.nodes) {
    if (node.kind === 'loop') bodies.set(node, fuse(turnGraph(node), target));
    if (node.kind === 'op') lowered.set(node, lowerNode(node));
  }
  const limit = target.maxStorageBuffersPerShaderStage;
  const grouping = initialGroups(
    graph,
    lowered,
    bodies,
    chooseMaterialised(graph, lowered, prices[target.kind]),
    limit,
  );
  const outputs = new Set(graph.outputs.map(o => rootOf(o.value, grouping.views)));
  const pool = new Pool(grouping);
  const mergeNextEpilogue = epilogueMerger(pool, grouping, outputs, limit);
  const mergeNextSiblings = siblingMerger(pool, grouping, outputs, target);
  do {
    while (mergeNextEpilogue());
    pool.dropUnused(outputs);
  } while (mergeNextSiblings());
  grouping.groups.splice(0, Infinity, ...pool.groups);
  const unshared = unshareConstants(graph, grouping);
  return assemble(unshared, grouping, grouping.groups);
}
