import type { Compute } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import { type Program, storageOf, type Tensor, type Work } from '../../ir/program.ts';
import type { Target } from '../../ir/target.ts';
import { type Copy, copyType, copyWork, padded, withCopy } from '../copies.ts';
import { workTime } from '../estimate.ts';
import { loadsOf } from '../fuse/definition.ts';
import { tensorBytes } from '../plan/storage.ts';
import { Temporaries } from '../temporaries.ts';
import { Parts } from './parts.ts';
import { type Filtering, recognise } from './recognise.ts';
import { algorithms, type MinimalFiltering } from './transforms.ts';

/**
 * Rewrites 3 x 3 filters of stride 1 as Winograd's F(4 x 4, 3 x 3) or F(2 x 2, 3 x 3) where that is estimated to be faster:
 * 36 products for 16 outputs (16 for 4) instead of 144 (36), at the price of three transforms. Every work becomes
 * four: the filter at the points, the image at the points of each tile, the product of both over the channels, and back
 * with whatever was fused to the outputs.
 *
 * In f32 the results of F(4 x 4) are about ten times less exact than sums of products (1e-5 of the largest instead of 1e-6),
 * those of F(2 x 2) are as exact: docs/decisions/0020-winograd.md.
 */
export function winograd(program: Program, target: Target, allowed = algorithms): Program {
  // What rounds factors would round what the transforms made larger.
  if ((target.matrices?.factors ?? 'exact') !== 'exact') return program;
  const temporaries = new Temporaries(program);
  const changed = new Set(program.works.flatMap(w => w.outputs.map(storageOf)));
  // What every device can bind stays so; where something is larger, devices that have it can bind as much.
  const most = program.tensors.reduce(
    (n, t) => Math.max(n, leastBytes(t)),
    target.maxStorageBufferBindingSize,
  );
  const works = program.works.flatMap(
    work => rewrite(work, temporaries, changed, { allowed, most, target }) ?? [work],
  );
  if (temporaries.made.length === 0) return program;
  return { ...program, works, tensors: [...program.tensors, ...temporaries.made] };
}

interface Circumstances {
  readonly allowed: readonly MinimalFiltering[];
  /** Bytes that a tensor may have. */
  readonly most: number;
  readonly target: Target;
}

/** Bytes of a tensor, where they are known. */
const leastBytes = (t: Tensor): number => D.constantValue(tensorBytes(t)) ?? 0;

function rewrite(
  work: Work,
  temporaries: Temporaries,
  changed: ReadonlySet<Tensor>,
  { allowed, most, target }: Circumstances,
): readonly Work[] | undefined {
  const [compute] = work.region.stages;
  const filtering = compute && recognise(compute);
  if (!filtering || work.loop) return undefined;
  const by = choose(filtering, target.eager ? allowed.slice(work.name.length % allowed.length) : allowed);
  if (!by) return undefined;
  if (compute.outs.some(o => o.keep || o.at)) return undefined;
  // Tiles at the end overlap: what is read must not be what is written.
  if (work.outputs.some(t => t.role !== 'temporary' || work.inputs.some(i => storageOf(i) === storageOf(t))))
    return undefined;

  const mark = temporaries.made.length;
  const made = partsOf(work, compute, by, temporaries, target);
  const fits = temporaries.made.slice(mark).every(t => leastBytes(t) <= most);
  if (fits && (target.eager || timeOf(made, changed, target) < 0.9 * workTime(work, target))) return made;
  temporaries.made.length = mark;
  return undefined;
}

/** Of those that the image has room for the one with the fewest products; of equal ones that with the fewest points. */
function choose(
  { rows, columns }: Filtering,
  allowed: readonly MinimalFiltering[],
): MinimalFiltering | undefined {
  const [height, width] = [rows, columns].map(a => D.constantValue(a.extent)!) as [number, number];
  const products = ({ outputs, points }: MinimalFiltering): number =>
    Math.ceil(height / outputs) * Math.ceil(width / outputs) * points ** 2;
  return allowed
    .filter(by => by.outputs <= Math.min(height, width))
    .sort((a, b) => products(a) - products(b) || a.points - b.points)[0];
}

function partsOf(
  work: Work,
  compute: Compute,
  by: MinimalFiltering,
  temporaries: Temporaries,
  target: Target,
): readonly Work[] {
  // Where threads have no vectors, a border saves nothing.
  const border =
    target.kind === 'cpu' ? withBorder(work, compute, temporaries) : { work, compute, copies: [] };
  const parts = new Parts(
    border.work,
    border.compute,
    recognise(border.compute)!,
    by,
    target.kind,
    temporaries,
  );
  return [parts.filter(), ...border.copies, parts.image(), parts.products(), parts.back()];
}

/** Estimated nanoseconds of all parts, without the first where it is made once. */
function timeOf(parts: readonly Work[], changed: ReadonlySet<Tensor>, target: Target): number {
  const isFixed = parts[0]!.inputs.every(t => isParameter(t, changed));
  return parts.reduce((n, w, i) => n + (i === 0 && isFixed ? 0 : workTime(w, target)), 0);
}

/** The work with its image in a border of zeros, so that no tile asks what is inside. */
function withBorder(
  work: Work,
  compute: Compute,
  temporaries: Temporaries,
): { readonly work: Work; readonly compute: Compute; readonly copies: readonly Work[] } {
  const guarded = loadsOf(compute.reduce!.lift).find(l => l.guard);
  const source = guarded && work.inputs[guarded.input]!;
  const ranges = guarded && source!.type.dtype === 'f32' ? padded(guarded, source!.type.shape) : undefined;
  if (!ranges) return { work, compute, copies: [] };
  const copy: Copy = { ranges, order: ranges.map((_, i) => i), padded: true };
  const type = copyType(source!.type, copy);
  const tensor = temporaries.make(`${source!.name}_padded`, type, work.origin);
  return {
    work: { ...work, inputs: [...work.inputs, tensor] },
    compute: withCopy(compute, guarded!, copy, compute.inputs.length, type),
    copies: [copyWork(work, source!, tensor, copy, guarded!)],
  };
}

/** Whether nothing in the program changes it, so that what is made of it is made once. */
function isParameter(tensor: Tensor, changed: ReadonlySet<Tensor>): boolean {
  const isPacked = [...changed].some(t => t.role === 'pack');
  return tensor.role === 'param' && !isPacked && !changed.has(storageOf(tensor));
}
