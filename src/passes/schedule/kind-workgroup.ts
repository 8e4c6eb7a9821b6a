import type { Compute, Expr } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import type { Kernel } from '../../ir/kernel.ts';
import type { Work } from '../../ir/program.ts';
import { loadsOf } from '../fuse/definition.ts';
import { isLong } from './blocked.ts';
import {
  type BlockChoice,
  bestBlock,
  blockChoices,
  blockText,
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

/** Workgroup tiles, over parts of the reduction where the outputs alone would leave most of a GPU idle. */
export const workgroupTiles: ScheduleKind = {
  name: 'workgroup',
  best(subject) {
    const blocks = blocksOf(subject);
    if (!blocks || !isLarge(blocks.shape)) return undefined;
    const best = bestBlock(blocks.shape, subject.target);
    return best && candidate(blocks, best);
  },
  *all(subject) {
    const blocks = blocksOf(subject);
    if (blocks)
      for (const found of blockChoices(blocks.shape, subject.target)) yield candidate(blocks, found);
  },
};
