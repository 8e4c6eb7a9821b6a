import type { Program, Size } from '../../../runtime/plan.ts';
import { evaluate, roundUp } from '../../../runtime/tensor.ts';
import type { WasmProgram } from '../../../runtime/wasm/plan.ts';

/**
 * A program cut into programs of one dispatch each over the memory of the whole. Run one after the other in a session they do
 * what the whole does, once for each turn of a loop, so that the runtime need know nothing of measuring.
 */
export interface Cut<P> {
  /** Takes the inputs and does nothing. */
  readonly inputs: P;
  /** Takes nothing and does nothing: what a call costs by itself. */
  readonly nothing: P;
  readonly dispatches: number;
  /** One dispatch, `turns` times. */
  alone(dispatch: number, turns: number): P;
}

interface Parts {
  readonly inputs: readonly unknown[];
  readonly outputs: readonly unknown[];
  readonly dispatches: readonly unknown[];
  readonly loops?: readonly (readonly [from: number, to: number, turns: Size])[];
}

function cut<P extends Parts>(whole: P): Cut<P> {
  const { loops: _, ...program } = whole;
  const of = (parts: Partial<Parts>): P =>
    ({ ...program, inputs: [], outputs: [], dispatches: [], ...parts }) as unknown as P;
  return {
    inputs: of({ inputs: whole.inputs }),
    nothing: of({}),
    dispatches: whole.dispatches.length,
    alone: (dispatch, turns) =>
      of({ dispatches: [whole.dispatches[dispatch]], ...(turns > 1 && { loops: [[0, 1, turns]] }) }),
  };
}

export const cutForGpu = (program: Program): Cut<Program> => cut(program);

/** The plan for these sizes. Each program has constants of its own, so here they lie behind the arena, which all share. */
export function cutForWasm(plans: readonly WasmProgram[], dims: readonly number[]): Cut<WasmProgram> {
  const { fits: _, ...program } = plans.find(p => p.fits?.(...dims) ?? true)!;
  const end = roundUp(evaluate(program.arenaBytes, dims), 256);
  return cut({
    ...program,
    arenaBytes: end + evaluate(program.constantBytes, dims),
    constantBytes: 0,
    prologue: 0,
    dispatches: program.dispatches.map(d => ({
      ...d,
      bindings: d.bindings.map(([buffer, offset, bytes]) =>
        buffer === 2
          ? ([1, end + evaluate(offset, dims), bytes] as const)
          : ([buffer, offset, bytes] as const),
      ),
    })),
  });
}
