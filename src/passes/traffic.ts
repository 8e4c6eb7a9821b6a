import type { Axis, Compute, Index } from '../ir/compute.ts';
import type { DimEnv } from '../ir/dim.ts';
import * as D from '../ir/dim.ts';
import * as E from '../ir/expr.ts';
import type { DType } from '../ir/type.ts';
import { computeLoads } from './fuse/definition.ts';

/** Bytes of memory that a Compute looks at and writes. */
export interface Traffic {
  readonly read: number;
  readonly written: number;
}

/**
 * What has to move at the least, were every element that is looked at read once: of a window over an image the image, of
 * a slice the slice. How often caches or lanes read it again is up to the schedule. Counted from the index maps: along
 * each dim of a tensor no more than its extent, and no more than the points of the axes that its index knows.
 */
export function trafficOf(compute: Compute, dims: DimEnv): Traffic {
  const { axes, outs, inputs } = compute;
  const extent = (a: Axis): number => D.evaluate(a.extent, dims);
  const points = (list: Iterable<Axis>): number => [...list].reduce((n, a) => n * extent(a), 1);
  const seen = new Map<number, number>();
  for (const { input, at } of computeLoads(compute)) {
    const { shape } = inputs[input]!;
    const along = at.map(axesOf);
    const most = points(new Set(along.flatMap(list => [...list])));
    const each = along.reduce((n, list, d) => n * Math.min(D.evaluate(shape[d]!, dims), points(list)), 1);
    seen.set(input, (seen.get(input) ?? 0) + Math.min(most, each));
  }
  let read = 0;
  for (const [input, elements] of seen) {
    const { dtype, shape } = inputs[input]!;
    const all = shape.reduce((n, d) => n * D.evaluate(d, dims), 1);
    // Bytes from the host are packed.
    read += (dtype === 'u8' ? 1 : bytesOf(dtype)) * Math.min(all, elements);
  }
  const written = outs.reduce((n, { type, keep }) => n + bytesOf(type.dtype) * points(keep ?? axes), 0);
  return { read, written };
}

/** Of an element in memory. */
const bytesOf = (dtype: DType): number => (dtype === 'f16' ? 2 : 4);

function axesOf(index: Index): Set<Axis> {
  const found = new Set<Axis>();
  E.visitIndex(index, { axis: a => void found.add(a) });
  return found;
}
