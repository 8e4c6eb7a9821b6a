import * as D from '../ir/dim.ts';
import type { Plan, PlanTensor } from '../ir/plan.ts';
import { printType, type TensorType } from '../ir/type.ts';
import { place } from '../support/source.ts';
import { exportNames, type ModuleEntry, runtimeTypes, stepsOf } from './entry.ts';
import type { ModuleOptions } from './module.ts';
import { commentText, isIdentifier, memberKey, Names, quote } from './names.ts';

/** The declarations of what `printModule` prints, with shapes as literal types. */
export function printTypes(
  name: string,
  entries: readonly ModuleEntry[],
  options: ModuleOptions = {},
): string {
  const stems = exportNames(entries);
  const body = entries.map((entry, i) => (entry.kind === 'net' ? netTypes : trainTypes)(entry, stems[i]!));
  const used = runtimeTypes.filter(type => body.some(text => new RegExp(`\\b${type}\\b`).test(text))).sort();
  const parts = [
    `// Compiled from ${commentText(name)} by dnnc.\nimport type { ${used.join(', ')} } from ${quote(options.runtime ?? 'dnnc/runtime')};`,
    ...body,
  ];
  return `${parts.join('\n\n')}\n`;
}

function netTypes(entry: ModuleEntry, stem: string): string {
  const plan = planOf(entry, 'predict');
  const where = entry.span ? `, ${place(entry.span)}` : '';
  return [
    doc(`\`${signature(entry.name, plan)}\`${where}`),
    `export interface ${stem} extends LoadedNet {`,
    `  ${predictType(plan)};`,
    '}',
    '',
    `export function load${stem}(options?: OpenOptions): Promise<${stem}>;`,
  ].join('\n');
}

function trainTypes(entry: ModuleEntry, stem: string): string {
  const steps = stepsOf(entry);
  const inputs = new Map(steps.flatMap(s => s.plan.inputs.map(t => [t.name, t])));
  const where = entry.span ? `, ${place(entry.span)}` : '';
  const nets = entry.programs.flatMap(({ name, plan }) => {
    if (!name.startsWith('net:')) return [];
    const net = name.slice('net:'.length);
    return [
      doc(`\`${signature(net, plan)}\``, 4),
      `    readonly ${memberKey(net)}: { ${predictType(plan)} };`,
    ];
  });
  return [
    doc(`What \`${entry.name}\` is fed: one batch.`),
    `export interface ${stem}Batch {`,
    ...[...inputs.values()].flatMap(t => [
      doc(`\`data ${t.name}: ${printType(t.type)}\``, 2),
      `  ${memberKey(t.name)}: ${inputType(t.type)};`,
    ]),
    '}',
    '',
    `export interface ${stem}Metrics {`,
    // What runs for some batches only has no metrics for the others.
    ...steps.flatMap(({ plan, every = 1 }) =>
      plan.outputs.map(t => `  ${memberKey(t.name)}${every > 1 ? '?' : ''}: ${metricType(t.type)};`),
    ),
    '}',
    '',
    doc(`\`train ${entry.name}\`${where}`),
    `export interface ${stem} extends LoadedTrainer {`,
    `  step(batch: ${stem}Batch, options?: StepOptions): Promise<${stem}Metrics>;`,
    `  evaluate(batch: ${stem}Batch, options?: StepOptions): Promise<${stem}Metrics>;`,
    nets.length === 0 ? '  readonly nets: {};' : '  readonly nets: {',
    ...nets,
    ...(nets.length === 0 ? [] : ['  };']),
    '}',
    '',
    `export function load${stem}(options?: OpenOptions): Promise<${stem}>;`,
  ].join('\n');
}

function planOf(entry: ModuleEntry, name: string): Plan {
  const program = entry.programs.find(p => p.name === name);
  if (!program) throw new RangeError(`${entry.kind} ${entry.name} has no program ${name}`);
  return program.plan;
}

/** As in the `.dnn` file: `net LeNet(x: f32[N, 1, 28, 28]) -> f32[N, 10]`. */
function signature(name: string, { inputs, outputs }: Plan): string {
  const named = (t: PlanTensor): string => `${t.name}: ${printType(t.type)}`;
  const result = outputs.length === 1 ? printType(outputs[0]!.type) : `(${outputs.map(named).join(', ')})`;
  return `net ${name}(${inputs.map(named).join(', ')}) -> ${result}`;
}

function predictType({ inputs, outputs }: Plan): string {
  const record = (tensors: readonly PlanTensor[], print: (type: TensorType) => string): string =>
    tensors.length === 0
      ? '{}'
      : `{ ${tensors.map(t => `${memberKey(t.name)}: ${print(t.type)}`).join('; ')} }`;
  const only = inputs.length === 1 ? inputs[0]! : undefined;
  const parameter = only
    ? `${new Names().fresh(only.name)}: ${inputType(only.type)}`
    : `inputs${inputs.length === 0 ? '?' : ''}: ${record(inputs, inputType)}`;
  const result = outputs.length === 1 ? outputType(outputs[0]!.type) : record(outputs, outputType);
  return `predict(${parameter}): Promise<${result}>`;
}

const inputType = (type: TensorType): string => `Input<'${type.dtype}', ${shapeType(type)}>`;
const outputType = (type: TensorType): string => `Output<'${type.dtype}', ${shapeType(type)}>`;

/** Metrics of one element come as numbers. */
const metricType = (type: TensorType): string => (type.shape.length === 0 ? 'number' : outputType(type));

function shapeType({ shape }: TensorType): string {
  const parts = shape.map(d => {
    const n = D.constantValue(d);
    if (n !== undefined) return String(n);
    return isIdentifier(d.key) ? `${d.key}: number` : 'number';
  });
  return `[${parts.join(', ')}]`;
}

function doc(text: string, indent = 0): string {
  return `${' '.repeat(indent)}/** ${commentText(text)} */`;
}
