import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compile.ts';
import * as A from '../../src/ir/affine.ts';
import type { Compute } from '../../src/ir/compute.ts';
import * as D from '../../src/ir/dim.ts';
import * as E from '../../src/ir/expr.ts';
import { kernelKey } from '../../src/ir/kernel-key.ts';
import { inRange } from '../../src/ir/predicate.ts';
import { gpuTarget, softwareTarget, wasmTarget } from '../../src/ir/target.ts';
import { tensor } from '../../src/ir/type.ts';
import { rankLanes, rankLanesAnew } from '../../src/passes/schedule/cpu/choose.ts';
import { type KnownWorks, schedule } from '../../src/passes/schedule/index.ts';
import { Recent } from '../../src/support/recent.ts';

const text = readFileSync(new URL('../../examples/lenet/lenet.dnn', import.meta.url), 'utf8');

describe.each([gpuTarget, softwareTarget, wasmTarget])(
  'works that programs have in common, $name',
  target => {
    const { compiled } = compile({ name: 'lenet.dnn', text }, { target });
    const programs = ['LeNet', 'mnist.evaluate', 'mnist.step'].map(p => compiled!.programs.get(p)!.program);
    const print = (list: ReturnType<typeof schedule>): string =>
      list.flatMap(s => s.kernels.map(k => `${k.name} ${kernelKey(k)}`)).join('\n');

    it('become the same kernels as alone', () => {
      const shared: KnownWorks = new Map();
      for (const program of programs)
        expect(print(schedule(program, target, undefined, shared))).toBe(print(schedule(program, target)));
    });

    it('are scheduled once', () => {
      const shared: KnownWorks = new Map();
      const [first, second] = programs.slice(0, 2).map(p => schedule(p, target, undefined, shared));
      const bodies = new Set(first!.flatMap(s => s.kernels.map(k => k.body)));
      expect(second!.some(s => s.kernels.some(k => bodies.has(k.body)))).toBe(true);
    });
  },
);

/** The sum over k of a[i, k] * b[k, j], over axes of its own each time. */
function product(n: number): Compute {
  const [i, j, k] = ['i', 'j', 'k'].map(name => E.axis(name, D.constant(n)));
  const type = tensor('f32', [n, n]);
  const sum = { name: 'sum', types: ['f32'], zero: [E.constant(0)], merge: () => [] } as never;
  return {
    inputs: [type, type],
    axes: [i!, j!],
    reduce: {
      axes: [k!],
      monoid: sum,
      lift: [E.mul(E.load(0, type, [i!, k!]), E.load(1, type, [k!, j!]))],
    },
    outs: [{ type, value: { kind: 'reduced', dtype: 'f32', component: 0 } }],
  };
}

describe('what is remembered', () => {
  it('is told in the axes of who asks', () => {
    rankLanes(product(96), false);
    const other = product(96);
    const { choice, time } = rankLanes(other, false);
    expect({ choice, time }).toEqual(rankLanesAnew(other, false));
    const axes = [...other.axes, ...other.reduce!.axes];
    for (const axis of [choice.lane!, ...choice.tile.keys(), ...choice.order])
      expect(axes.some(a => a === axis)).toBe(true);
  });

  it('is not mistaken for what differs in a size', () => {
    expect(rankLanes(product(64), false).time).not.toBe(rankLanes(product(96), false).time);
  });

  it('goes when there is too much of it, the oldest first', () => {
    const recent = new Recent<number>(2);
    let made = 0;
    for (const key of ['a', 'b', 'b', 'c', 'b', 'a']) recent.of(key, () => ++made);
    expect(made).toBe(4);
  });
});

describe('an expression that nothing changes', () => {
  const i = E.axis('i', D.constant(8));
  const j = E.axis('j', D.constant(8));
  const type = tensor('f32', [8]);
  const shifted = A.sub(i, 1);
  const sum = E.add(E.load(0, type, [shifted], inRange(shifted, 8)), E.load(0, type, [j]));

  it('stays the same object', () => {
    expect(E.mapExpr(sum, { axis: a => (a === i ? A.index(i) : undefined) })).toBe(sum);
  });

  it('keeps its parts where others change', () => {
    const moved = E.mapExpr(sum, { axis: a => (a === j ? A.index(i) : undefined) });
    expect(moved).not.toBe(sum);
    expect(moved.kind === 'binary' && sum.kind === 'binary' && moved.a === sum.a).toBe(true);
    expect(E.exprKey(moved)).not.toBe(E.exprKey(sum));
  });
});
