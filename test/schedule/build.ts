import { GraphBuilder } from '../../src/ir/builder.ts';
import * as D from '../../src/ir/dim.ts';
import type { Graph, Value } from '../../src/ir/graph.ts';
import { tensor } from '../../src/ir/type.ts';

export const N = D.symbol('N');

export type Shape = readonly (number | D.Dim)[];

/** A graph of inputs in f32 and the results that `make` gives. */
export function build(
  shapes: Record<string, Shape>,
  make: (b: GraphBuilder, inputs: Value[]) => Value[],
): Graph {
  const b = new GraphBuilder('g');
  const values = Object.entries(shapes).map(([name, shape]) => b.input('input', name, tensor('f32', shape)));
  make(b, values).forEach((value, i) => {
    b.output({ name: `y${i}`, role: 'result', value });
  });
  return b.build();
}
