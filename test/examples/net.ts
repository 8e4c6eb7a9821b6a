import { readSource } from '../../src/cli/files.ts';
import { expandGraph, initialState, interpret } from '../../src/cli/graphs.ts';
import { check } from '../../src/compile.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import { renderDiagnostic } from '../../src/support/render.ts';
import { exampleFile } from './train.ts';

export type Arrays = Readonly<Record<string, NdArray>>;

export interface ExampleNet {
  /** Its results by name, in double precision. */
  predict(inputs: Arrays, state?: Arrays): Record<string, NdArray>;
  /** Parameters and states as they begin. */
  init(seed: number): Arrays;
}

/** A net of an example on the interpreter, translated once for any number of runs. */
export function exampleNet(
  example: string,
  net: string,
  defines: Readonly<Record<string, number>> = {},
): ExampleNet {
  const file = readSource(exampleFile(example));
  const { module, diagnostics } = check(file.source, { resolve: file.resolve, defines });
  const found = module?.nets.find(n => n.name === net);
  if (!found) throw new Error(diagnostics.map(d => renderDiagnostic(d)).join('\n') || `no net ${net}`);
  const [predict, init] = [expandGraph(found.predict), expandGraph(found.init)];
  return {
    predict: (inputs, state = {}) =>
      Object.fromEntries(
        interpret(predict, new Map(Object.entries({ ...inputs, ...state })), { seed: 0, step: 0, epoch: 0 }),
      ),
    init: seed => Object.fromEntries(initialState(init, seed)),
  };
}
