import type { Axis, Compute, Out, Reduce, Region } from '../compute.ts';
import * as D from '../dim.ts';
import { printType } from '../type.ts';
import { Names, printExpr, printIndex, printPredicate } from './expr.ts';

/**
 * A Compute as text:
 *
 *     for n < N, c < 6, y < 24, x < 24
 *       in0 : f32[N, 1, 28, 28]
 *       in1 : f32[6, 1, 5, 5]
 *       sum over ky < 5, kx < 5
 *         in0[n, 0, y + ky, x + kx] * in1[c, 0, ky, kx]
 *       out0 : f32[N, 6, 24, 24] = acc0
 *
 * `acc0` is the first component of the finished reduction. Axes that share a name are told apart by a number.
 */
export function printCompute(compute: Compute, names: Names = new Names()): string {
  const lines = [`for ${printAxes(compute.axes, names) || 'one point'}`];
  compute.inputs.forEach((type, i) => {
    lines.push(`  in${i} : ${printType(type)}`);
  });
  if (compute.reduce) lines.push(...printReduce(compute.reduce, names).map(line => `  ${line}`));
  compute.outs.forEach((out, i) => {
    lines.push(`  ${printOut(out, i, names)}`);
  });
  return lines.join('\n');
}

/** The stages one below the other, under the axes that they share. */
export function printRegion(region: Region): string {
  const names = new Names();
  const outer = printAxes(region.outer, names);
  const stages = region.stages.map(stage => printCompute(stage, names));
  if (region.outer.length === 0) return stages.join('\n');
  return [`for ${outer}`, ...stages.map(text => text.replace(/^/gm, '  '))].join('\n');
}

function printAxes(axes: readonly Axis[], names: Names): string {
  return axes.map(a => `${names.of(a)} < ${D.print(a.extent)}`).join(', ');
}

function printReduce(reduce: Reduce, names: Names): string[] {
  const over = `${reduce.monoid.name} over ${printAxes(reduce.axes, names) || 'one point'}`;
  const guard = reduce.guard && reduce.guard.length > 0 ? ` if ${printPredicate(reduce.guard, names)}` : '';
  return [over + guard, ...reduce.lift.map(e => `  ${printExpr(e, names)}`)];
}

function printOut(out: Out, i: number, names: Names): string {
  const at = out.at ? `[${out.at.map(x => printIndex(x, names)).join(', ')}]` : '';
  const keep = out.keep ? ` keeping (${out.keep.map(a => names.of(a)).join(', ')})` : '';
  return `out${i}${at}${keep} : ${printType(out.type)} = ${printExpr(out.value, names)}`;
}
