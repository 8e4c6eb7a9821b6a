import * as D from '../../ir/dim.ts';
import { exampleOfDifference } from '../../ir/dim-examples.ts';
import type { Graph } from '../../ir/graph.ts';
import { mostElements } from '../../ir/target.ts';
import { printType, type TensorType } from '../../ir/type.ts';
import { tensorTooLarge, unequalSizes } from '../../support/errors/shapes.ts';
import type { Context } from './context.ts';

/** Reports the first tensor of some graphs that is too large for every device, whatever the free dims are. */
export function checkSizes(ctx: Context, graphs: readonly Graph[]): void {
  for (const { outputs, origin } of graphs.flatMap(graph => graph.nodes)) {
    const found = outputs.find(({ type }) => elements(type) > mostElements);
    if (found === undefined) continue;
    const { type } = found;
    ctx.report(tensorTooLarge(origin.span ?? ctx.site.span, printType(type), elements(type), mostElements));
    return;
  }
}

/** What to add to an error about sizes that had to be equal; numbers show by themselves that they are not. */
export function showDifference(sizes: readonly [D.Dim, D.Dim] | undefined): ReturnType<typeof unequalSizes> {
  if (!sizes || sizes.every(d => D.constantValue(d) !== undefined)) return {};
  return unequalSizes(exampleOfDifference(...sizes));
}

/** How many there are at least. */
function elements({ shape }: TensorType): number {
  return shape.reduce((n, d) => n * Math.max(1, D.lowerBound(d)), 1);
}
