import type { File } from '../../parser/ast.ts';
import { parse } from '../../parser/parse.ts';
import type { Diagnostic } from '../../support/diagnostic.ts';
import { duplicateName, importFails } from '../../support/errors/names.ts';
import type { Source } from '../../support/source.ts';
import type { ModuleScope } from './scope.ts';
import { makeModule } from './scope.ts';

/**
 * Finds the text of an imported file. A path that begins with `.` is joined to the folder of the importing file's
 * name; any other comes as written.
 */
export type Resolve = (path: string) => Source | undefined;

/** The names of a file and of all that it imports. */
export function loadModule(
  file: File,
  resolve: Resolve | undefined,
  report: (d: Diagnostic) => void,
): ModuleScope {
  return load(file, resolve, report, new Map());
}

function load(
  file: File,
  resolve: Resolve | undefined,
  report: (d: Diagnostic) => void,
  loaded: Map<string, ModuleScope>,
): ModuleScope {
  const module = makeModule(false, [file]);
  loaded.set(file.source.name, module);
  declareAll(module, report);
  for (const { names, from, fromSpan } of file.imports) {
    const path = join(file.source.name, from);
    const other = loaded.get(path) ?? read(path);
    for (const name of names) {
      if (module.declarations.has(name.name) || module.imported.has(name.name)) {
        report(duplicateName(name.span, 'name', name.name, module.declarations.get(name.name)?.name.span));
        continue;
      }
      // A name that is not there is kept, so that its uses are no further errors.
      module.imported.set(name.name, { module: other ?? makeModule(false, [file]), name });
      if (!other) continue;
      const kind = other.declarations.get(name.name)?.kind;
      if (kind === undefined)
        report(
          importFails(name.span, `${from} has no \`${name.name}\``, name.name, other.declarations.keys()),
        );
      else if (kind === 'train')
        report(importFails(name.span, `\`${name.name}\` is a training program, which cannot be imported`));
    }
    function read(at: string): ModuleScope | undefined {
      const source = resolve?.(at);
      if (!source) {
        report(importFails(fromSpan, `cannot find ${JSON.stringify(from)}`));
        return undefined;
      }
      const parsed = parse({ name: at, text: source.text });
      parsed.diagnostics.forEach(report);
      return load(parsed.file, resolve, report, loaded);
    }
  }
  return module;
}

function declareAll(module: ModuleScope, report: (d: Diagnostic) => void): void {
  for (const file of module.files)
    for (const decl of file.declarations) {
      const first = module.declarations.get(decl.name.name);
      if (first) report(duplicateName(decl.name.span, decl.kind, decl.name.name, first.name.span));
      else module.declarations.set(decl.name.name, decl);
    }
}

function join(from: string, path: string): string {
  const folder = from.slice(0, from.lastIndexOf('/') + 1);
  if (!path.startsWith('.') || folder === '') return path;
  const parts: string[] = [];
  for (const part of `${folder}${path}`.split('/')) {
    if (part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..' && parts.at(-1) !== '') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}
