import * as D from '../dim.ts';
import { type Program, storageOf, type Tensor } from '../program.ts';
import { printType } from '../type.ts';
import { printRegion } from './compute.ts';

/** Fused works with what each absorbed, reads and writes. */
export function printProgram(program: Program): string {
  const lines = [`program ${program.name}`];
  for (const t of program.tensors)
    if (t.role !== 'temporary' || t.view || t.within) lines.push(`  ${describe(t)}`);
  for (const work of program.works) {
    const loop = work.loop ? `  // each turn of ${work.loop.name}, ${D.print(work.loop.steps)} in all` : '';
    lines.push('', `work ${work.name}  // ${work.absorbed.join(' + ')}${loop}`);
    work.inputs.forEach((t, i) => {
      lines.push(`  @${i} = ${t.name}: ${printType(t.type)}`);
    });
    lines.push(`  -> ${work.outputs.map(t => `${t.name}: ${printType(t.type)}`).join(', ')}`);
    for (const line of printRegion(work.region).split('\n')) lines.push(`  ${line}`);
  }
  lines.push('', ...program.outputs.map(o => `${o.role} ${o.name} = ${o.tensor.name}`));
  return lines.join('\n');
}

function describe(t: Tensor): string {
  const where = t.view
    ? ` = view of ${storageOf(t).name}`
    : t.within
      ? ` = ${t.within.pack.name}[${t.within.offset}..]`
      : '';
  return `${t.role} ${t.name}: ${printType(t.type)}${where}`;
}
