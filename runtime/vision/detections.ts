import { type Box, iou } from './box.ts';

/** An object in a picture. */
export interface Labelled {
  readonly box: Box;
  /** The number of its class. */
  readonly kind: number;
}

/** What was found in a picture. */
export interface Detection extends Labelled {
  /** How sure it is; only the order counts. */
  readonly score: number;
}

export interface Precision {
  /** The mean of the average precisions of the classes that occur among the objects. */
  readonly mean: number;
  /** By class. */
  readonly classes: ReadonlyMap<number, number>;
  /** The part of the objects that some detection found. */
  readonly recall: number;
}

/**
 * How good detections are, picture by picture: mean average precision (mAP). A detection is right if it overlaps an object
 * of its class by at least `overlap`, and no better one did so before: an object is found once. The average precision of
 * a class is the area below its precision over its recall, made falling.
 */
export function averagePrecision(
  found: readonly (readonly Detection[])[],
  objects: readonly (readonly Labelled[])[],
  overlap = 0.5,
): Precision {
  if (found.length !== objects.length)
    throw new RangeError(`detections in ${found.length} pictures, objects in ${objects.length}`);
  const kinds = [...new Set(objects.flat().map(o => o.kind))].sort((a, b) => a - b);
  const classes = new Map<number, number>();
  let hits = 0;
  for (const kind of kinds) {
    const of = <L extends Labelled>(all: readonly (readonly L[])[]): L[][] =>
      all.map(list => list.filter(o => o.kind === kind));
    const right = rightOnes(of(found), of(objects), overlap);
    const count = of(objects).flat().length;
    hits += right.filter(Boolean).length;
    classes.set(kind, areaBelow(right, count));
  }
  const total = objects.flat().length;
  return {
    mean: kinds.length > 0 ? kinds.reduce((sum, kind) => sum + classes.get(kind)!, 0) / kinds.length : 0,
    classes,
    recall: total > 0 ? hits / total : 0,
  };
}

/** Of all detections, the surest first, which found an object that none before them had found. */
function rightOnes(
  found: readonly (readonly Detection[])[],
  objects: readonly (readonly Labelled[])[],
  overlap: number,
): boolean[] {
  const taken = objects.map(list => list.map(() => false));
  return found
    .flatMap((list, picture) => list.map(detection => ({ ...detection, picture })))
    .sort((a, b) => b.score - a.score)
    .map(({ box, picture }) => {
      const overlaps = objects[picture]!.map(object => iou(box, object.box));
      const best = overlaps.indexOf(Math.max(...overlaps));
      if (best < 0 || overlaps[best]! < overlap || taken[picture]![best]) return false;
      taken[picture]![best] = true;
      return true;
    });
}

/** The area below precision over recall, where each precision is the highest of those at that recall and beyond. */
function areaBelow(right: readonly boolean[], count: number): number {
  let hits = 0;
  const precisions = right.map((isRight, i) => (hits += Number(isRight)) / (i + 1));
  for (let i = precisions.length - 2; i >= 0; i--)
    precisions[i] = Math.max(precisions[i]!, precisions[i + 1]!);
  return right.reduce((sum, isRight, i) => sum + (isRight ? precisions[i]! / count : 0), 0);
}
