import type { Call } from './case.ts';

const windowed =
  /^(conv|conv_transpose|max_pool|avg_pool|lp_pool|adaptive_avg_pool|adaptive_max_pool)([123])d$/;

/** What leaves the number of axes as it is. */
const pointwise = new Set([
  'relu',
  'tanh',
  'sigmoid',
  'silu',
  'gelu',
  'elu',
  'leaky_relu',
  'relu6',
  'hardswish',
]);

/**
 * PyTorch's convolutions and pools also take one example, [C, ...spatial]. Finds the calls that do: those whose input
 * is known to have no axis for a batch.
 */
export function unbatchedCalls(
  graph: readonly Call[],
  rankOf: (input: string) => number | undefined,
): ReadonlySet<Call> {
  const ranks = new Map<string, number>();
  const found = new Set<Call>();
  for (const call of graph) {
    const rank = ranks.get(call.in[0]!) ?? rankOf(call.in[0]!);
    const spatial = windowed.exec(call.op)?.[2];
    if (rank === undefined || (!spatial && !pointwise.has(call.op))) continue;
    if (spatial && rank === Number(spatial) + 1) found.add(call);
    for (const out of call.out) ranks.set(out, rank);
  }
  return found;
}
