import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Module, Net } from '../ir/module.ts';
import { moduleGraphs } from '../passes/pipeline.ts';
import { DiagnosticError } from '../support/diagnostic.ts';
import { badRename } from '../support/errors/training.ts';
import type { Span } from '../support/source.ts';
import { usageError } from './errors.ts';
import { readTensors, type SourceFile } from './files.ts';
import { type StateSpec, stateOf } from './graphs.ts';
import { type MatchOptions, matchTensors, type Tensors, withFloatsOf } from './tensors.ts';

/**
 * What a file of weights may have besides those that are wanted: what other nets and programs of the module have, such
 * as an optimiser's state, and what is of nets and programs of other files, which this one imports from.
 */
export function othersIn(module: Module): MatchOptions {
  const others = new Set(stateOf(moduleGraphs(module).map(([, graph]) => graph)).map(s => s.name));
  const owners = new Set([...module.nets, ...module.trains].map(m => m.name));
  return {
    isKnown: name => others.has(name),
    isElsewhere: name => name.includes('.') && !owners.has(name.slice(0, name.indexOf('.'))),
  };
}

/**
 * What the program itself says of its weights: for every `net … weights "file"` whose parameters are among `specs`,
 * the tensors of that file. Its keys may begin with the net's name or leave it out; tensors that the net does not
 * have (a head that was cut) are left out, missing and misshapen ones are errors, all at once.
 */
export function declaredWeights(module: Module, file: SourceFile, specs: readonly StateSpec[]): Tensors {
  const found = new Map<string, Tensors extends ReadonlyMap<string, infer V> ? V : never>();
  for (const net of module.nets) {
    const own = specs.filter(s => s.name.startsWith(`${net.name}.`));
    if (!net.weights || own.length === 0) continue;
    const given = withFloatsOf(own, renamed(net, file));
    matchTensors(`net ${net.name}`, own, given, { isKnown: () => true });
    for (const { name } of own) found.set(name, given.get(name)!);
  }
  return found;
}

function renamed(net: Net, file: SourceFile): Tensors {
  const { file: path, rename, span } = net.weights!;
  const folder = dirname(file.pathOf(span.source) ?? '');
  const table = rename === undefined ? [] : readTable(resolve(folder, rename), rename, span);
  const prefix = `${net.name}.`;
  const from = resolve(folder, path);
  if (!existsSync(from))
    throw usageError(
      `net ${net.name} takes its weights from "${path}", but there is no file ${from}`,
      'put it there, or give weights with --weights; checking and compiling need none',
    );
  return new Map(
    [...readTensors(from)].map(([key, value]) => {
      const name = table.reduce((text, [pattern, by]) => text.replace(pattern, by), key);
      return [name.startsWith(prefix) ? name : prefix + name, value] as const;
    }),
  );
}

/** `{"^layer1\\.(\\d+)": "rest[$1]"}`: regular expressions and what takes their place, applied in order. */
function readTable(path: string, name: string, span: Span): [RegExp, string][] {
  const fail = (why: string): never => {
    throw new DiagnosticError(badRename(span, name, why));
  };
  let table: unknown;
  try {
    table = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    fail(code === undefined ? 'this is no JSON' : `it cannot be read: ${code}`);
  }
  if (typeof table !== 'object' || table === null || Array.isArray(table))
    return fail('this is no JSON object');
  return Object.entries(table).map(([pattern, by]) => {
    if (typeof by !== 'string') return fail(`what takes the place of ${pattern} is no text`);
    try {
      return [new RegExp(pattern), by];
    } catch {
      return fail(`${pattern} is no regular expression`);
    }
  });
}
