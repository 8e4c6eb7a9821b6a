import type { Graph } from '../ir/graph.ts';
import { printGraph } from '../ir/print/graph.ts';
import { verifyGraph } from '../ir/verify/graph.ts';
import type { Diagnostic } from '../support/diagnostic.ts';
import { DiagnosticError } from '../support/diagnostic.ts';
import { InternalError } from '../support/internal-error.ts';

/** One step of the compiler. It gives a new IR and leaves its input as it was. */
export interface Pass<I, O = I> {
  /** As in `dnnc dump FILE --after NAME`. */
  readonly name: string;
  /** One line. */
  readonly doc: string;
  run(ir: I, context: PassContext): O;
}

export interface PassContext {
  /** Warnings that passes add; an error is thrown as `DiagnosticError`. */
  readonly diagnostics: Diagnostic[];
  /** Is given the printed result of every pass. Nothing is printed where it is absent. */
  readonly watch?: (pass: string, text: string) => void;
}

/** How an IR is shown and checked. `verify` lists what is wrong. */
export interface Level<T> {
  print(ir: T): string;
  verify(ir: T): readonly string[];
}

export const graphLevel: Level<Graph> = { print: printGraph, verify: verifyGraph };

/**
 * Runs a pass and verifies what it gives. Throws `InternalError`, naming the pass and with the IR before and after
 * it, where the pass fails or its result is not sound; `DiagnosticError` passes through.
 */
export function runPass<I, O>(
  pass: Pass<I, O>,
  ir: I,
  context: PassContext,
  from: Level<I>,
  to: Level<O>,
): O {
  let result: O;
  try {
    result = pass.run(ir, context);
  } catch (error) {
    if (error instanceof DiagnosticError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new InternalError(`pass ${pass.name} failed: ${message}`, `before:\n${from.print(ir)}`, {
      cause: error,
    });
  }
  const problems = to.verify(result);
  if (problems.length > 0)
    throw new InternalError(
      `pass ${pass.name} gives an unsound result:\n${problems.map(p => `  ${p}`).join('\n')}`,
      `before:\n${from.print(ir)}\nafter:\n${to.print(result)}`,
    );
  context.watch?.(pass.name, to.print(result));
  return result;
}

/** Runs passes from graph to graph, one after the other. */
export function runGraphPasses(passes: readonly Pass<Graph>[], graph: Graph, context: PassContext): Graph {
  return passes.reduce((ir, pass) => runPass(pass, ir, context, graphLevel, graphLevel), graph);
}
