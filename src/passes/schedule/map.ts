import * as A from '../../ir/affine.ts';
import type { Axis, Compute } from '../../ir/compute.ts';
import * as D from '../../ir/dim.ts';
import type { Work } from '../../ir/program.ts';
import type { Emitter } from './emitter.ts';
import * as K from './kexpr.ts';
import { storeAll } from './tile.ts';

export interface MapChoice {
  /** Elements that one invocation makes, a workgroup apart, so that neighbours touch neighbouring memory. */
  readonly perInvocation: number;
  readonly workgroupSize: number;
}

/**
 * Elementwise work: all axes become one.
 *
 *     for each point of the axes      ->      for (j = 0; j < perInvocation; j++)
 *       out = value                             i = (group * perInvocation + j) * workgroupSize + local
 *                                               if (i < total) out[i] = value at unflatten(i)
 */
export function emitMap(emitter: Emitter, work: Work, compute: Compute, choice: MapChoice): D.Dim {
  const { perInvocation, workgroupSize } = choice;
  const extents = compute.axes.map(a => a.extent);
  const total = D.product(extents);
  const flat: Axis = { name: 'i', extent: total };
  const at = A.unflatten(A.index(flat), extents);
  const position = new Map(compute.axes.map((a, i) => [a, at[i]!]));
  const map = { axis: (a: Axis) => position.get(a) };

  const element = (place: () => void): void => {
    place();
    const body = emitter.block(() => storeAll(emitter, work, compute.outs, compute.axes, map));
    const covered = D.divideExact(total, D.constant(workgroupSize * perInvocation));
    if (covered) for (const s of body) emitter.push(s);
    else {
      const index = emitter.index(A.index(flat));
      emitter.push({ kind: 'if', condition: K.binary('lt', index, emitter.dim(total)), then: body });
    }
  };
  if (perInvocation === 1)
    element(() => {
      const id = K.sum([K.scale(K.builtin('group'), workgroupSize), K.builtin('local')]);
      emitter.setAxis(flat, emitter.bind('i', id));
    });
  else {
    const name = emitter.name('j');
    const body = emitter.block(() =>
      element(() => {
        const chunk = K.sum([K.scale(K.builtin('group'), perInvocation), K.ref(name)]);
        const id = K.sum([K.scale(chunk, workgroupSize), K.builtin('local')]);
        emitter.setAxis(flat, emitter.bind('i', id));
      }),
    );
    emitter.push({ kind: 'for', name, from: K.int(0), to: K.int(perInvocation), step: 1, body });
  }
  const chunk = workgroupSize * perInvocation;
  return D.floorDiv(D.add(total, D.constant(chunk - 1)), D.constant(chunk));
}
