import type { Compute } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import type { Kernel } from '../../ir/kernel.ts';
import type { Work } from '../../ir/program.ts';
import { describeMatrices } from './describe.ts';
import { productInParts } from './in-parts.ts';
import { emitKernel } from './kernel.ts';
import type { Candidate, NewTensor, Scheduled, ScheduleKind, Subject } from './kind.ts';
import { registerTiles } from './kind-tiles.ts';
import { emitMatrixTiles } from './matrix.ts';
import {
  isLargeEnough,
  type MatrixChoice,
  matrixChoices,
  matrixText,
  type RankedMatrices,
  threadsOf,
} from './matrix-choice.ts';
import { asProduct, type Product } from './product.ts';
import { scaleProduct } from './split-product.ts';
import { asVectors } from './vectors.ts';

function matrixKernel(work: Work, compute: Compute, product: Product, choice: MatrixChoice): Kernel {
  const kernel = emitKernel(work, describeMatrices(compute, product, choice), threadsOf(choice), emitter =>
    emitMatrixTiles(emitter, work, compute, product, choice),
  );
  return asVectors({ ...kernel, subgroupSize: choice.subgroupSize });
}

/** A product, over parts of the reduction where the outputs alone would leave most of a GPU idle. */
function productKernels(
  { work, compute, target }: Subject,
  product: Product,
  { choice, split }: RankedMatrices,
  temporary: NewTensor,
): Scheduled {
  if (!split) return { kernels: [matrixKernel(work, compute, product, choice)], temporaries: [] };
  return productInParts(work, split, target, temporary, (...part) => matrixKernel(...part, choice));
}

/** A product whose factors are scaled first, where they are to be taken as two numbers each. */
function make(subject: Subject, product: Product, ranked: RankedMatrices, temporary: NewTensor): Scheduled {
  const { work, compute, target } = subject;
  const split = (['left', 'right'] as const).filter(which => ranked.choice.parts[which] === 2);
  if (split.length === 0) return productKernels(subject, product, ranked, temporary);
  const scaled = scaleProduct(work, compute, product, split, temporary);
  const [stage] = scaled.product.region.stages;
  const scales = scaled.scales.map(scale => {
    const found = registerTiles.best({ work: scale, compute: scale.region.stages[0]!, target });
    return found!.make(temporary);
  });
  const main = { work: scaled.product, compute: stage!, target };
  const all = [...scales, productKernels(main, asProduct(stage!)!, ranked, temporary)];
  return {
    kernels: all.flatMap(s => s.kernels),
    temporaries: [...scaled.temporaries, ...all.flatMap(s => s.temporaries)],
  };
}

function candidatesOf(
  subject: Subject,
): { readonly product: Product; readonly all: RankedMatrices[] } | undefined {
  const { work, compute, target } = subject;
  if (target.kind !== 'gpu' || !target.matrices || !compute.reduce) return undefined;
  const product = asProduct(compute);
  if (!product || compute.reduce.axes.some(a => D.isConstant(a.extent, 0))) return undefined;
  // The scales are bound too.
  const room = target.maxStorageBuffersPerShaderStage - work.inputs.length - work.outputs.length;
  const all = matrixChoices(compute, product, target).filter(({ choice: { parts } }) => {
    const scales = parts.left + parts.right - 2;
    return scales === 0 || room >= scales;
  });
  return { product, all };
}

function candidate(subject: Subject, product: Product, ranked: RankedMatrices): Candidate {
  const { rows, columns, subgroupRows, subgroupColumns } = ranked.choice;
  return {
    text: matrixText(ranked),
    family: `matrices ${rows}x${columns} of ${subgroupRows}x${subgroupColumns}`,
    time: ranked.time,
    make: temporary => make(subject, product, ranked, temporary),
  };
}

/** Products on the matrix units of subgroups, where the target has them and factors may be what they take. */
export const matrixTiles: ScheduleKind = {
  name: 'matrices',
  best(subject) {
    const found = candidatesOf(subject);
    if (!found || found.all.length === 0 || !isLargeEnough(subject.compute, found.product)) return undefined;
    const best = found.all.reduce((a, b) => (b.time < a.time ? b : a));
    return candidate(subject, found.product, best);
  },
  *all(subject) {
    const found = candidatesOf(subject);
    for (const ranked of found?.all ?? []) yield candidate(subject, found!.product, ranked);
  },
};
