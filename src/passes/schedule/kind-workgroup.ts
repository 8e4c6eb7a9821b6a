import type { Compute, Expr } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import type { Kernel } from '../../ir/kernel.ts';
import type { Work } from '../../ir/program.ts';
import { loadsOf } from '../fuse/definition.ts';
import { isLong } from './blocked.ts';
import {
  type BlockChoice,
  blockChoices,
  blockText,
  fillStatements,
  invocations,
  isLarge,
  type ProductShape,
  type RankedBlock,
  shapeOf,
} from './blocks.ts';
import { describeBlock } from './describe.ts';
import { productInParts } from './in-parts.ts';
import { emitKernel } from './kernel.ts';
import type { Candidate, ScheduleKind, Subject } from './kind.ts';
import { asProduct, type Product } from './product.ts';
import { emitWorkgroupTiles, factorOrders } from './workgroup.ts';

interface Blocks extends Subject {
  readonly product: Product;
  readonly shape: ProductShape;
}

function blocksOf(subject: Subject): Blocks | undefined {
  const { work, compute, target } = subject;
  if (target.kind !== 'gpu' || !compute.reduce) return undefined;
  const product = asProduct(compute);
  if (!product || compute.reduce.axes.some(a => D.isConstant(a.extent, 0))) return undefined;
  const orders = {
    scalars: factorOrders(work, compute, product, false),
    vectors: factorOrders(work, compute, product, true),
  };
  const factors = [product.left, product.right];
  const shape = shapeOf(compute, product, orders, {
    bytes: factors.every(isHalf) ? 2 : 4,
    guarded: loadsOf(factors).some(l => l.guard !== undefined),
    long: isLong(D.product(compute.reduce.axes.map(a => a.extent))),
  });
  return { ...subject, product, shape };
}

const isHalf = (e: Expr): boolean => e.kind === 'cast' && e.a.kind === 'load' && e.a.dtype === 'f16';

function candidate(blocks: Blocks, { choice, time }: RankedBlock): Candidate {
  const { rows, columns, perRow, perColumn } = choice;
  return {
    get text() {
      return blockText(choice);
    },
    family: `${rows}x${columns} ${perRow}x${perColumn}`,
    time,
    make: temporary => {
      const { work, compute, target, product, shape } = blocks;
      if (choice.pieces === 1)
        return { kernels: [blockKernel(work, compute, product, choice)], temporaries: [] };
      return productInParts(
        work,
        { along: shape.along, pieces: choice.pieces },
        target,
        temporary,
        (...part) => blockKernel(...part, choice),
      );
    },
  };
}

function blockKernel(work: Work, compute: Compute, product: Product, choice: BlockChoice): Kernel {
  return emitKernel(work, describeBlock(compute, product, choice), invocations(choice), emitter =>
    emitWorkgroupTiles(emitter, work, compute, product, choice),
  );
}

/** What a second pass must save at least, by estimates that know nothing of how a grid ends. */
const worthSplitting = 1.2;

/** More than this to fill workgroup memory make kernels that take long to load and to compile, for what only a measurement can show to pay. */
const mostStatements = 24;

const known = new Map<string, RankedBlock | undefined>();

/** The block with the least estimated time. Deep nets ask for few shapes many times. */
function bestBlock({ shape, target }: Blocks): RankedBlock | undefined {
  const { rows, columns, depth, batch, bytes, guarded, long, along, orders } = shape;
  const sides = [orders.scalars, orders.vectors].flatMap(o => [o.left, o.right]);
  const key = JSON.stringify([
    ...[rows, columns, depth, batch, bytes, guarded, long, along.extent.key],
    ...sides.map(o => [o.alongDepth, o.fours !== undefined, o.fours?.includes(along)]),
    ...[target.maxComputeInvocationsPerWorkgroup, target.maxComputeWorkgroupStorageSize],
  ]);
  if (known.has(key)) return known.get(key);
  let best: { found: RankedBlock; time: number } | undefined;
  for (const found of blockChoices(shape, target)) {
    if (fillStatements(found.choice, shape) > mostStatements) continue;
    const time = found.time * (found.choice.pieces > 1 ? worthSplitting : 1);
    if (!best || time < best.time) best = { found, time };
  }
  if (known.size > 500) known.clear();
  known.set(key, best?.found);
  return best?.found;
}

/** Workgroup tiles, over parts of the reduction where the outputs alone would leave most of a GPU idle. */
export const workgroupTiles: ScheduleKind = {
  name: 'workgroup',
  best(subject) {
    const blocks = blocksOf(subject);
    if (!blocks || !isLarge(blocks.shape)) return undefined;
    const best = bestBlock(blocks);
    return best && candidate(blocks, best);
  },
  *all(subject) {
    const blocks = blocksOf(subject);
    if (blocks)
      for (const found of blockChoices(blocks.shape, subject.target)) yield candidate(blocks, found);
  },
};
