import { readFileSync } from 'node:fs';
import type { Graph } from '../../src/ir/graph.ts';
import { interpretGraph } from '../../src/ir/interpret/graph.ts';
import type { Module, Train } from '../../src/ir/module.ts';
import { ndarray } from '../../src/ir/ndarray.ts';
import type { NdArray } from '../../src/ir/primitive.ts';
import { parse } from '../../src/parser/parse.ts';
import { differentiateGraph } from '../../src/passes/differentiate.ts';
import type { ElaborateOptions } from '../../src/passes/elaborate/index.ts';
import { elaborate } from '../../src/passes/elaborate/index.ts';
import type { Diagnostic } from '../../src/support/diagnostic.ts';

/** Elaborates a text; syntax errors fail the test. */
export function run(text: string, options: ElaborateOptions = {}, name = 'test.dnn') {
  const { file, diagnostics } = parse({ name, text });
  if (diagnostics.length > 0) throw new Error(`syntax: ${diagnostics.map(d => d.message).join('; ')}`);
  return elaborate(file, options);
}

export function moduleOf(text: string, options: ElaborateOptions = {}, name = 'test.dnn'): Module {
  const { module, diagnostics } = run(text, options, name);
  if (!module) throw new Error(diagnostics.map(show).join('\n'));
  return module;
}

export function show(d: Diagnostic): string {
  const at = d.span ? JSON.stringify(d.span.source.text.slice(d.span.start, d.span.end)) : '';
  const notes = (d.notes ?? []).map(n => `\n  note: ${n.message}`).join('');
  return `${d.code} ${d.message} at ${at}${notes}${d.hint ? `\n  hint: ${d.hint}` : ''}`;
}

export function example(path: string): string {
  return readFileSync(new URL(`../../examples/${path}`, import.meta.url), 'utf8');
}

export const f32 = (shape: readonly number[], values: ArrayLike<number>): NdArray =>
  ndarray('f32', shape, values);
export const i32 = (shape: readonly number[], values: ArrayLike<number>): NdArray =>
  ndarray('i32', shape, values);
export const key = (seed = 1, step = 0): NdArray => ndarray('u32', [2], [seed, step]);
export const scalar = (x: number): NdArray => ndarray('f32', [], [x]);

/** Outputs of a graph as plain arrays, by name. */
export function interpret(graph: Graph, inputs: Record<string, NdArray>): Record<string, number[]> {
  const { outputs } = interpretGraph(differentiateGraph(graph).graph, inputs);
  return Object.fromEntries([...outputs].map(([name, array]) => [name, [...array.data]]));
}

/** The graph of the only step of a training program. */
export function stepOf(train: Train): Graph {
  const [step, ...others] = train.steps;
  if (!step || others.length > 0) throw new Error(`${train.name} has ${train.steps.length} steps`);
  return step.graph;
}

/** Names of the parameters and states that a graph reads. */
export function variables(graph: Graph): string[] {
  return graph.nodes.flatMap(n =>
    n.kind === 'input' && (n.role === 'param' || n.role === 'state') ? [n.name] : [],
  );
}
