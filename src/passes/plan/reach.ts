import type { Dim, DimEnv } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import { type Plan, type StateLayout, usedRanges } from '../../ir/plan.ts';
import { storageOf, type Tensor } from '../../ir/program.ts';
import { mostElements, type Target } from '../../ir/target.ts';
import { printType } from '../../ir/type.ts';
import type { Diagnostic } from '../../support/diagnostic.ts';
import { beyondDevices } from '../../support/errors/shapes.ts';

/** At most so many of one program are told. */
const most = 3;

/**
 * What of a plan no device of the target's kind can have, for all sizes or at those that are given: tensors that cannot be
 * bound, more elements than kernels count, more memory than there is. Nothing is said of what some devices can have.
 */
export function beyondReach(
  plan: Plan,
  layout: StateLayout,
  target: Target,
  given: DimEnv,
): readonly Diagnostic[] {
  const sizes = Object.fromEntries(
    plan.dims.flatMap(d => (Object.hasOwn(given, d) ? [[d, given[d]!] as const] : [])),
  );
  /** Undefined: it depends on sizes that nobody gave. */
  const known = (d: Dim): number | undefined =>
    [...D.symbols(d)].every(s => Object.hasOwn(sizes, s)) ? D.evaluate(d, sizes) : undefined;
  const found: Diagnostic[] = [];
  const add = (diagnostic: Diagnostic): void => {
    if (found.length < most) found.push(diagnostic);
  };
  const seen = new Set<Tensor>();
  for (const { bindings } of plan.dispatches)
    for (const { tensor, bytes } of bindings) {
      const value = known(bytes) ?? D.lowerBound(bytes);
      const storage = storageOf(tensor);
      if (value <= target.mostBytes.binding || seen.has(storage)) continue;
      seen.add(storage);
      const what = `${storage.path ?? storage.name}: ${printType(storage.type)}`;
      add(beyondDevices(storage.origin.span, `${what} takes`, value, limitOf(target), sizes));
    }
  if (found.length > 0) return found;
  for (const { name, origin, size } of plan.counts) {
    const value = known(size) ?? D.lowerBound(size);
    const limit = { most: mostElements, name: 'in 32 bits' };
    if (value > mostElements) add(beyondDevices(origin.span, `${name} counts to`, value, limit, sizes));
  }
  const { memory } = target.mostBytes;
  const arena = known(plan.arenaBytes) ?? 0;
  const constants = known(plan.constantBytes ?? D.constant(0)) ?? 0;
  const state = usedRanges([plan]).reduce((n, r) => n + r.end - r.start, 0);
  const total = state + arena + constants;
  if (memory !== undefined && total > memory) {
    const limit = { most: memory, unit: 'bytes', name: 'the memory of WebAssembly' };
    const [first] = [...layout.tensors].sort((a, b) => elements(b.shape) - elements(a.shape));
    const note = `${state} of them are parameters and states${first ? `, the largest is ${first.name}` : ''}`;
    add(beyondDevices(undefined, `${plan.name} takes`, total, limit, sizes, note));
  }
  return found;
}

const elements = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

const limitOf = ({ kind, mostBytes }: Target): Parameters<typeof beyondDevices>[3] => ({
  most: mostBytes.binding,
  unit: 'bytes',
  name: kind === 'cpu' ? 'the memory of WebAssembly' : 'the largest maxStorageBufferBindingSize',
});
