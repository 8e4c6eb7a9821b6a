import { type Box, iou } from './box.ts';

/** A box that is ground, and one that is too near to an object to be that, and too far to be the object. */
export const ground = -1;
export const undecided = -2;

export interface MatchOptions {
  /** A box is the object that it overlaps most, if by at least this; 0.7 if absent. */
  readonly positive?: number;
  /** It is ground if it overlaps none by this; 0.3 if absent, and at most `positive`. Between the two it is undecided. */
  readonly negative?: number;
  /** Whether the boxes that overlap an object most are the object in any case, if they overlap it at all; true if absent. */
  readonly best?: boolean;
}

/** For every box the number of the object that it should find, `ground` or `undecided`. */
export function matchBoxes(
  boxes: readonly Box[],
  objects: readonly Box[],
  { positive = 0.7, negative = Math.min(0.3, positive), best = true }: MatchOptions = {},
): Int32Array<ArrayBuffer> {
  const matches = new Int32Array(boxes.length).fill(ground);
  const highest = objects.map(() => 0);
  const overlaps = boxes.map(box => objects.map(object => iou(box, object)));
  overlaps.forEach((row, i) => {
    const top = Math.max(0, ...row);
    if (top >= positive && top > 0) matches[i] = row.indexOf(top);
    else if (top >= negative && top > 0) matches[i] = undecided;
    row.forEach((value, k) => {
      highest[k] = Math.max(highest[k]!, value);
    });
  });
  if (best)
    overlaps.forEach((row, i) => {
      // A box may be the best of an object and still nearer to another one, which it then is.
      const mine = row.flatMap((value, k) => (value > 0 && value === highest[k] ? [k] : []));
      if (mine.length > 0 && matches[i]! < 0) matches[i] = mine.reduce((a, b) => (row[b]! > row[a]! ? b : a));
    });
  return matches;
}

export interface SampleOptions {
  /** How many boxes. */
  readonly count: number;
  /** The part of them that may be objects; 0.5 if absent. Ground fills the rest. */
  readonly objects?: number;
  /** Numbers from 0 to 1; Math.random if absent. */
  readonly random?: () => number;
}

/** Positions of some boxes to learn from, objects first: most boxes are ground, and would drown the others. */
export function sampleMatches(
  matches: ArrayLike<number>,
  { count, objects = 0.5, random = Math.random }: SampleOptions,
): number[] {
  const all = Array.from(matches, (match, i) => ({ match, i }));
  const pick = (of: typeof all, most: number): number[] =>
    of
      .map(({ i }) => ({ i, at: random() }))
      .sort((a, b) => a.at - b.at || a.i - b.i)
      .slice(0, Math.max(most, 0))
      .map(({ i }) => i);
  const positive = pick(
    all.filter(({ match }) => match >= 0),
    Math.round(count * objects),
  );
  const negative = pick(
    all.filter(({ match }) => match === ground),
    count - positive.length,
  );
  return [...positive, ...negative];
}
