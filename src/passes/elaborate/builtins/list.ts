import type { Builtin } from './builtin.ts';
import { einsum } from './einsum.ts';
import { elementwiseBuiltins } from './elementwise.ts';
import { randomBuiltins } from './random.ts';
import { shapeBuiltins } from './shapes.ts';

/** Functions of the language that are neither primitives nor written in `.dnn`, by name. */
export const builtins: ReadonlyMap<string, Builtin> = new Map(
  [...elementwiseBuiltins, ...shapeBuiltins, ...randomBuiltins, einsum].map(b => [b.name, b]),
);
