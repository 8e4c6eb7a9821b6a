import type { Rule } from '../node.ts';
import { elementwise } from './elementwise.ts';
import { grids } from './grids.ts';
import { indexing } from './indexing.ts';
import { normalisation } from './normalisation.ts';
import { products } from './products.ts';
import { quantised } from './quantised.ts';
import { recurrent } from './recurrent.ts';
import { reductions } from './reductions.ts';
import { resizing } from './resize.ts';
import { shapes } from './shapes.ts';
import { slices } from './slices.ts';
import { training } from './training.ts';
import { windows } from './windows.ts';

/** How each operator of ONNX is said in `.dnn`. */
export const rules: Readonly<Record<string, Rule>> = {
  ...elementwise,
  ...grids,
  ...indexing,
  ...normalisation,
  ...products,
  ...quantised,
  ...recurrent,
  ...reductions,
  ...resizing,
  ...shapes,
  ...slices,
  ...training,
  ...windows,
};
