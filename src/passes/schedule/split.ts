import * as A from '../../ir/affine.ts';
import type { Axis, Compute } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import * as E from '../../ir/expr.ts';
import type { Tensor, Work } from '../../ir/program.ts';
import { tensor as tensorType } from '../../ir/type.ts';
import { mapCompute, valueOfFills } from '../fuse/definition.ts';

/**
 * A long reduction with few outputs, in two deterministic passes:
 *
 *     out = value(reduce over k)   ->   partial[z, ...] = reduce over the z-th part of k;
 *                                       out = value(reduce over z of partial[z, ...])
 *
 * The parts are fixed by the shape alone, so results repeat bit for bit.
 */
export function splitReduction(
  work: Work,
  compute: Compute,
  along: Axis,
  pieces: number,
  nextTensor: (name: string, type: Tensor['type'], origin: Work['origin']) => Tensor,
): { works: readonly [Work, Work]; temporaries: readonly Tensor[] } {
  const reduce = compute.reduce!;
  const { monoid } = reduce;
  const z: Axis = { name: 'z', extent: D.constant(pieces) };
  const length = D.floorDiv(D.add(along.extent, D.constant(pieces - 1)), D.constant(pieces));
  const inner: Axis = { name: along.name, extent: length };
  const whole = A.add(A.mul(z, length), inner);
  const exact = D.divideExact(along.extent, D.constant(pieces)) !== undefined;
  const moved = mapCompute(compute, { axis: a => (a === along ? whole : undefined) }).reduce!;
  const guard = exact ? [] : ([{ op: 'lt', a: whole, b: A.index(along.extent) }] as const);

  const axes = [z, ...compute.axes];
  const temporaries = monoid.types.map((dtype, i) =>
    nextTensor(
      `${work.name}_partial${i > 0 ? i : ''}`,
      tensorType(
        dtype,
        axes.map(a => a.extent),
      ),
      work.origin,
    ),
  );
  // Past the end nothing is read: the guard stands on every load. Where that makes a sum's terms 0 it is enough.
  const guarded = moved.lift.map(e =>
    E.mapExpr(e, {
      load: l =>
        E.load(l.input, { dtype: l.dtype, shape: [] }, l.at, [...guard, ...(l.guard ?? [])], l.fill ?? 0),
    }),
  );
  const lift = exact ? moved.lift : guarded;
  const vanishes =
    (monoid.parts ?? [monoid]).every(m => m.name === 'sum') && lift.every(e => valueOfFills(e) === 0);
  const bounds = [...(moved.guard ?? []), ...(vanishes ? [] : guard)];
  const first: Work = {
    ...work,
    name: `${work.name}_partial`,
    role: joined(work.role, `split in ${pieces}: parts`),
    region: {
      outer: [],
      stages: [
        {
          inputs: compute.inputs,
          axes,
          reduce: {
            axes: reduce.axes.map(a => (a === along ? inner : a)),
            ...(bounds.length > 0 && { guard: bounds }),
            lift,
            monoid,
          },
          outs: temporaries.map((t, i) => ({ type: t.type, value: E.reduced(i, monoid) })),
        },
      ],
    },
    outputs: temporaries,
  };
  const offset = work.inputs.length;
  const at = [A.index(z), ...compute.axes.map(A.index)];
  const second: Work = {
    ...work,
    role: joined(work.role, `split in ${pieces}: end`),
    inputs: [...work.inputs, ...temporaries],
    region: {
      outer: [],
      stages: [
        {
          ...compute,
          inputs: [...compute.inputs, ...temporaries.map(t => t.type)],
          reduce: { axes: [z], lift: temporaries.map((t, i) => E.load(offset + i, t.type, at)), monoid },
        },
      ],
    },
  };
  return { works: [first, trimInputs(second)], temporaries };
}

const joined = (role: string | undefined, part: string): string => (role ? `${role}, ${part}` : part);

/** Drops inputs that no load refers to any more. */
export function trimInputs(work: Work): Work {
  const [compute] = work.region.stages;
  const used = new Set<number>();
  mapCompute(compute!, {
    load: l => {
      used.add(l.input);
      return l;
    },
  });
  const kept = [...used].sort((a, b) => a - b);
  const renumbered = mapCompute(compute!, { load: l => ({ ...l, input: kept.indexOf(l.input) }) });
  const stage = { ...renumbered, inputs: kept.map(i => compute!.inputs[i]!) };
  return { ...work, inputs: kept.map(i => work.inputs[i]!), region: { ...work.region, stages: [stage] } };
}
