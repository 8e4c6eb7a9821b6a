export { type AnchorGrid, anchorGrid } from './anchors.ts';
export {
  area,
  type Box,
  boxAround,
  boxAt,
  type CentredBox,
  centred,
  clipped,
  iou,
  movedBy,
  type Offsets,
  offsetsBetween,
} from './box.ts';
export { averagePrecision, type Detection, type Labelled, type Precision } from './detections.ts';
export { type CellGrid, type CellOptions, cellDetections, cellTargets } from './grid.ts';
export {
  ground,
  type MatchOptions,
  matchBoxes,
  type SampleOptions,
  sampleMatches,
  undecided,
} from './match.ts';
export { classOfPixels, pixelIou } from './pixels.ts';
export { type SuppressOptions, suppress } from './suppress.ts';
