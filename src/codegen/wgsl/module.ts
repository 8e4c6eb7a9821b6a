import type { Kernel } from '../../ir/kernel.ts';
import type { UniformWord } from './kernel.ts';
import { printKernel } from './kernel.ts';
import { commentLines } from './stmt.ts';

/** A kernel and the words of the uniform block it is dispatched with. */
export interface WgslEntry {
  readonly kernel: Kernel;
  readonly uniforms: readonly UniformWord[];
}

/** All kernels of a program in one text for reading: each is a module of its own, under a banner with its name. */
export function printWgslFile(title: string, entries: readonly WgslEntry[]): string {
  const rule = `// ${'='.repeat(77)}`;
  const parts = entries.map(({ kernel, uniforms }) => {
    const size = `${kernel.groups.key} workgroups of ${kernel.workgroupSize}`;
    return [rule, ...commentLines(`${kernel.name} · ${size}`, 0), rule, printKernel(kernel, uniforms)].join(
      '\n',
    );
  });
  const count = `${entries.length} ${entries.length === 1 ? 'kernel' : 'kernels'}; each is compiled as a module of its own.`;
  return [[...commentLines(title, 0), `// ${count}`].join('\n') + '\n', ...parts].join('\n');
}
