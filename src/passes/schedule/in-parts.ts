import type { Axis, Compute } from '../../ir/compute.ts';
import type { Kernel } from '../../ir/kernel.ts';
import type { Work } from '../../ir/program.ts';
import type { Target } from '../../ir/target.ts';
import type { NewTensor, Scheduled } from './kind.ts';
import { bestTileKernel } from './kind-tiles.ts';
import { asProduct, type Product } from './product.ts';
import { splitReduction } from './split.ts';

/** An axis of a reduction, and into how many parts it is cut. */
export interface Parts {
  readonly along: Axis;
  readonly pieces: number;
}

/**
 * A product over parts of the reduction, where the outputs alone would leave most of a GPU idle: `make` gives the kernel of
 * all parts, and tiles in registers add up what they leave.
 */
export function productInParts(
  work: Work,
  { along, pieces }: Parts,
  target: Target,
  temporary: NewTensor,
  make: (work: Work, compute: Compute, product: Product) => Kernel,
): Scheduled {
  const { works, temporaries } = splitReduction(work, work.region.stages[0]!, along, pieces, temporary);
  const [partial, finish] = works;
  const stage = partial.region.stages[0]!;
  const part = asProduct(stage);
  const first = part ? make(partial, stage, part) : bestTileKernel(partial, target);
  return { kernels: [first, bestTileKernel(finish, target)], temporaries };
}
