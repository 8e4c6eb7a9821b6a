import { type Box, boxAround } from './box.ts';

export interface AnchorGrid {
  /** Of the map of features. */
  readonly rows: number;
  readonly columns: number;
  /** Pixels from one place of it to the next. */
  readonly stride: number;
  /** Square roots of the areas, in pixels. */
  readonly sizes: readonly number[];
  /** Heights divided by widths; 1 if absent. */
  readonly ratios?: readonly number[];
}

/**
 * The boxes that a region proposal network begins with (Ren et al., 2015): at the middle of every place of the map, one of
 * every size and ratio. Row by row, then column by column, then size by size, then ratio by ratio.
 */
export function anchorGrid({ rows, columns, stride, sizes, ratios = [1] }: AnchorGrid): Box[] {
  const boxes: Box[] = [];
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      for (const size of sizes)
        for (const ratio of ratios)
          boxes.push(
            boxAround([
              (column + 0.5) * stride,
              (row + 0.5) * stride,
              size / Math.sqrt(ratio),
              size * Math.sqrt(ratio),
            ]),
          );
  return boxes;
}
