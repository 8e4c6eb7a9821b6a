/**
 * A box by its edges, in any unit: x to the right, y down. Its width is right - left; a box whose edges are in the wrong
 * order is empty.
 */
export type Box = readonly [left: number, top: number, right: number, bottom: number];

/** The same box by its middle and size, as YOLO predicts it. */
export type CentredBox = readonly [x: number, y: number, width: number, height: number];

/**
 * How to come from one box to another (Girshick et al., 2014): the way of the middle in widths and heights of the first,
 * and the logarithm of what the size is multiplied by. What networks for detection learn to predict.
 */
export type Offsets = readonly [x: number, y: number, width: number, height: number];

export const boxAround = ([x, y, width, height]: CentredBox): Box => [
  x - width / 2,
  y - height / 2,
  x + width / 2,
  y + height / 2,
];

export const centred = ([left, top, right, bottom]: Box): CentredBox => [
  (left + right) / 2,
  (top + bottom) / 2,
  right - left,
  bottom - top,
];

/** The part of a box that lies in a picture of this size. */
export const clipped = ([left, top, right, bottom]: Box, width: number, height: number): Box => [
  Math.min(Math.max(left, 0), width),
  Math.min(Math.max(top, 0), height),
  Math.min(Math.max(right, 0), width),
  Math.min(Math.max(bottom, 0), height),
];

export const area = ([left, top, right, bottom]: Box): number =>
  Math.max(right - left, 0) * Math.max(bottom - top, 0);

/** Intersection over union: the area that two boxes share, as a part of what they cover. 0 where both are empty. */
export function iou(a: Box, b: Box): number {
  const shared = area([
    Math.max(a[0], b[0]),
    Math.max(a[1], b[1]),
    Math.min(a[2], b[2]),
    Math.min(a[3], b[3]),
  ]);
  const covered = area(a) + area(b) - shared;
  return covered > 0 ? shared / covered : 0;
}

/** What leads from a box to another; neither may be empty. */
export function offsetsBetween(from: Box, to: Box): Offsets {
  const [x, y, width, height] = centred(from);
  const [toX, toY, toWidth, toHeight] = centred(to);
  return [(toX - x) / width, (toY - y) / height, Math.log(toWidth / width), Math.log(toHeight / height)];
}

/** Where offsets lead from a box. No size grows by more than 62 at once, so that wild predictions stay numbers. */
export function movedBy(box: Box, [dx, dy, dw, dh]: Offsets): Box {
  const [x, y, width, height] = centred(box);
  const grown = (size: number, by: number): number => size * Math.exp(Math.min(by, Math.log(1000 / 16)));
  return boxAround([x + dx * width, y + dy * height, grown(width, dw), grown(height, dh)]);
}

/** Box i of numbers that lie four by four, such as a tensor [n, 4]. */
export const boxAt = (numbers: ArrayLike<number>, i: number): Box => [
  numbers[4 * i]!,
  numbers[4 * i + 1]!,
  numbers[4 * i + 2]!,
  numbers[4 * i + 3]!,
];
