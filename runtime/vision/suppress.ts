import { type Box, iou } from './box.ts';

export interface SuppressOptions {
  /** Boxes that overlap a better one by more than this go; 0.5 if absent. */
  readonly overlap?: number;
  /** Boxes of different classes let each other be. */
  readonly classes?: ArrayLike<number>;
  /** Boxes with a lower score go first of all. */
  readonly least?: number;
  /** The most that are kept. */
  readonly most?: number;
}

/**
 * Non-maximum suppression: of boxes that mean the same thing the one with the highest score stays. Gives the positions
 * of those that stay, the best first; of equal scores the first one counts as better. A score that is no number is the
 * lowest.
 */
export function suppress(
  boxes: readonly Box[],
  scores: ArrayLike<number>,
  { overlap = 0.5, classes, least = -Infinity, most = Infinity }: SuppressOptions = {},
): number[] {
  if (scores.length !== boxes.length || (classes && classes.length !== boxes.length))
    throw new RangeError(
      `${boxes.length} boxes with ${scores.length} scores${classes ? ` and ${classes.length} classes` : ''}`,
    );
  const scored = boxes.flatMap((_, i) => (scores[i]! >= least ? [i] : []));
  const kept: number[] = [];
  for (const i of scored.sort((a, b) => scores[b]! - scores[a]! || a - b)) {
    if (kept.length >= most) break;
    const hidden = kept.some(
      k => (!classes || classes[k] === classes[i]) && iou(boxes[k]!, boxes[i]!) > overlap,
    );
    if (!hidden) kept.push(i);
  }
  return kept;
}
