import type { DimEnv } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import type { CompiledModule } from '../../passes/pipeline.ts';
import { reportProgram, sizesOf } from '../explain/programs.ts';
import { formatBytes, formatCount } from '../explain/table.ts';

/** What `--memory-limit` costs: a line for each program that computes results again. */
export function againLines({ programs }: CompiledModule, dims: DimEnv): string {
  let lines = '';
  for (const program of programs.values()) {
    const sizes = sizesOf(program, dims);
    const taken = program.variants?.find(v => v.fits.every(d => D.evaluate(d, sizes) >= 1));
    const { name, memory, again } = reportProgram({ ...program, ...taken }, sizes);
    if (!again) continue;
    const works = `${again.works} ${again.works === 1 ? 'work' : 'works'}`;
    const more = `${formatCount(again.flops)} FLOPs (+${(100 * again.share).toFixed(1)} %)`;
    lines += `${name}: ${formatBytes(memory.arena)}, computed again: ${works}, ${more}\n`;
  }
  return lines;
}
