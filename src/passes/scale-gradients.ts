import type { Graph } from '../ir/graph.ts';
import * as B from '../ops/build.ts';
import { gradient } from '../ops/gradient.ts';
import type { Pass } from './pass.ts';
import { rewriteGraph } from './rewrite.ts';

/** Enough to lift what f16 cannot hold (below 6e-8) by three orders, far from what it cannot hold above (65504). */
const scale = 1024;

/**
 * Half precision: gradients are taken of `scale * loss` and divided by `scale` where they arrive, so that the small ones
 * on the way do not vanish. A power of two changes no other bit.
 *
 *     gradient(of, wrt)   ->   gradient(scale * of, wrt) / scale
 */
export const scaleGradients: Pass<Graph> = {
  name: 'scale-gradients',
  doc: 'scales what gradients are taken of, for half precision',
  run: graph =>
    rewriteGraph(graph, {
      replace: (b, node, [of, ...wrt]) =>
        node.op === gradient
          ? b.emitAll(gradient, [B.mul(b, of!, scale), ...wrt]).map(g => B.mul(b, g, 1 / scale))
          : undefined,
    }),
};
