import type { Kernel, SharedArray } from '../../ir/kernel.ts';
import { dimPiece } from './expr.ts';
import { atom, infix } from './layout.ts';
import { valueType } from './literal.ts';
import { castPiece } from './scalar.ts';
import type { UniformWord } from './scope.ts';
import { memoryType, Scope } from './scope.ts';
import { bodyLines, commentLines } from './stmt.ts';
import { needsGuard, usesUniforms } from './uses.ts';

export type { UniformWord } from './scope.ts';
export { entryPoint } from './scope.ts';
export { usesUniforms } from './uses.ts';

/**
 * One kernel as a complete WGSL module: storage buffers at bindings 0, 1, … of group 0, the uniform block after them
 * where `usesUniforms` says so, and an entry point named `entryPoint(kernel)`. `uniforms` lists the words of the
 * block in order; free dims are u32 among them and i32 in the code. The grid may be folded into two dimensions and may
 * overshoot `groups`. Throws on an operation that WGSL lacks and on a uniform that the block lacks.
 */
export function printKernel(kernel: Kernel, uniforms: readonly UniformWord[]): string {
  const comments = kernel.comments.flatMap(text => commentLines(text, 0));
  return [...comments, ...(comments.length > 0 ? [''] : []), printCode(kernel, uniforms)].join('\n');
}

/** The same without what the kernel says of itself. */
export function printCode(kernel: Kernel, uniforms: readonly UniformWord[]): string {
  const scope = new Scope(kernel, uniforms);
  const guard = guardLines(kernel, scope);
  const body = bodyLines(kernel.body, 2, scope);
  const { parameters, lets } = inputs(scope);
  const sections = [
    [...scope.features].sort().map(feature => `enable ${feature};`),
    usesUniforms(kernel) ? uniformBlock(scope) : [],
    bindings(kernel, scope),
    kernel.shared.map(s => `var<workgroup> ${scope.name(s.name)}: array<${arrayOf(s)}>;`),
    ...scope.helperTexts().map(text => [text]),
    [
      `@compute @workgroup_size(${kernel.workgroupSize})`,
      `fn ${scope.entry}(${parameters.length > 1 ? `\n  ${parameters.join(',\n  ')},\n` : parameters.join('')}) {`,
      ...unusedLines(kernel, scope),
      ...lets,
      ...guard,
      ...body,
      '}',
    ],
  ];
  return `${sections
    .filter(lines => lines.length > 0)
    .map(lines => lines.join('\n'))
    .join('\n\n')}\n`;
}

const arrayOf = ({ dtype, size, vectors }: SharedArray): string =>
  vectors ? `${valueType(dtype, 4)}, ${size / 4}` : `${dtype}, ${size}`;

function uniformBlock(scope: Scope): string[] {
  const fields = scope.uniformWords.map(w => `  ${w.field}: ${memoryType(w.dtype)},`);
  return ['struct Uniforms {', ...fields, '}'];
}

function bindings(kernel: Kernel, scope: Scope): string[] {
  const storage = kernel.buffers.map(
    (b, i) =>
      `@group(0) @binding(${i}) var<storage, ${b.access}> ${scope.name(b.name)}: array<${b.vectors ? valueType(b.dtype, 4) : memoryType(b.dtype)}>;`,
  );
  if (!usesUniforms(kernel)) return storage;
  return [...storage, `@group(0) @binding(${storage.length}) var<uniform> uniforms: Uniforms;`];
}

const ofSubgroups = [
  ['subgroup', 'subgroup_id'],
  ['lane', 'subgroup_invocation_id'],
] as const;

/** Parameters of the entry point and the lets that turn them and the uniforms into i32, only those that are used. */
function inputs(scope: Scope): { parameters: string[]; lets: string[] } {
  const parameters: string[] = [];
  const lets: string[] = [];
  const group = scope.builtins.get('group');
  if (group) {
    const workgroup = scope.fresh('workgroup_id');
    const groups = scope.fresh('num_workgroups');
    parameters.push(
      `@builtin(workgroup_id) ${workgroup}: vec3u`,
      `@builtin(num_workgroups) ${groups}: vec3u`,
    );
    lets.push(`  let ${group} = i32(${workgroup}.x + ${workgroup}.y * ${groups}.x);`);
  }
  const local = scope.builtins.get('local');
  if (local) {
    const index = scope.fresh('local_index');
    parameters.push(`@builtin(local_invocation_index) ${index}: u32`);
    lets.push(`  let ${local} = i32(${index});`);
  }
  for (const [which, wgsl] of ofSubgroups) {
    const name = scope.builtins.get(which);
    if (!name) continue;
    const index = scope.fresh(wgsl === 'subgroup_id' ? wgsl : 'subgroup_lane');
    parameters.push(`@builtin(${wgsl}) ${index}: u32`);
    lets.push(`  let ${name} = i32(${index});`);
  }
  for (const { identifier, word, dtype } of scope.hoisted.values()) {
    const field = atom(`uniforms.${scope.uniformWords.find(w => w.name === word.name)!.field}`);
    const stored = word.dtype === 'bool' ? infix('!=', field, atom('0u')) : field;
    // Dims stay far below 2^31, so that their words need no clamp on the way to i32.
    const plain =
      word.dtype === 'u32' && dtype === 'i32'
        ? atom(`i32(${field.text})`)
        : castPiece(stored, word.dtype, dtype);
    lets.push(`  let ${identifier} = ${plain.text};`);
  }
  return { parameters, lets };
}

/** A folded grid may hold workgroups past the last; the condition is uniform, so barriers may follow. */
function guardLines(kernel: Kernel, scope: Scope): string[] {
  if (!needsGuard(kernel)) return [];
  const condition = infix('>=', atom(scope.builtin('group')), dimPiece(kernel.groups, scope));
  return [`  if (${condition.text}) {`, '    return;', '  }'];
}

/** Keeps a binding that the body does not touch in the pipeline's automatic layout. */
function unusedLines(kernel: Kernel, scope: Scope): string[] {
  return kernel.buffers.filter(b => !scope.buffersUsed.has(b.name)).map(b => `  _ = &${scope.name(b.name)};`);
}
