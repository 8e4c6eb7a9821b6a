import { GraphBuilder } from '../../ir/builder.ts';
import type { Module, Net, Train } from '../../ir/module.ts';
import type { File, NetDecl } from '../../parser/ast.ts';
import type { Diagnostic } from '../../support/diagnostic.ts';
import { checkNames } from './check-names.ts';
import { checkDefines } from './constants.ts';
import type { Defines, FixedSizes } from './context.ts';
import { Context } from './context.ts';
import { lookup } from './lookup.ts';
import type { Resolve } from './modules.ts';
import { loadModule } from './modules.ts';
import { elaborateNet } from './nets.ts';
import { elaborateTrain } from './programs.ts';
import type { ModuleScope } from './scope.ts';
import { makeScope } from './scope.ts';
import { makeSession } from './session.ts';
import { checkSizes } from './sizes.ts';
import { loadStandard } from './standard.ts';
import { warnOfUnused } from './warnings.ts';

export interface ElaborateOptions {
  readonly resolve?: Resolve;
  /** Values of consts, set from outside. */
  readonly defines?: Defines;
  /** Values of free sizes that `param`s of training programs have; others are left free. */
  readonly sizes?: FixedSizes;
}

/**
 * What a file means: its nets and training programs as graphs over named parameters, with all blocks, loops, static
 * conditions and the standard library unfolded. Never throws; the module is absent where there are errors.
 */
export function elaborate(
  file: File,
  options: ElaborateOptions = {},
): { module?: Module; diagnostics: Diagnostic[] } {
  const early: Diagnostic[] = [];
  const root = loadModule(file, options.resolve, d => early.push(d));
  const session = makeSession(new GraphBuilder('static'), 'predict');
  const ctx = new Context(root, loadStandard(), session, options.defines ?? {}, options.sizes);
  ctx.report(...early);
  checkDefines(ctx);
  checkNames(ctx, root);
  const nets: Net[] = [];
  const trains: Train[] = [];
  for (const decl of root.declarations.values()) {
    ctx.begin();
    ctx.attempt(() => {
      if (decl.kind === 'const') lookup(ctx, makeScope('module', '', root), decl.name.name, decl.name.span);
      else if (decl.kind === 'net') nets.push(elaborateNet(ctx, decl, instanceOf(ctx, root, decl)));
      else if (decl.kind === 'train') trains.push(elaborateTrain(ctx, decl));
    });
  }
  for (const { module, name } of root.imported.values()) {
    const decl = module.declarations.get(name.name);
    ctx.begin();
    if (decl?.kind === 'net')
      ctx.attempt(() => nets.push(elaborateNet(ctx, decl, instanceOf(ctx, module, decl))));
  }
  for (const { predict, init } of nets) checkSizes(ctx, [predict, init]);
  for (const { steps, init } of trains) checkSizes(ctx, [...steps.map(step => step.graph), init]);
  if (!ctx.failed) warnOfUnused(ctx, root);
  const diagnostics = inOrder(ctx.diagnostics);
  return ctx.failed ? { diagnostics } : { module: { nets, trains }, diagnostics };
}

/** As they stand in the text. */
function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const name = (d: Diagnostic) => d.span?.source.name ?? '';
  return diagnostics.toSorted((a, b) =>
    name(a) === name(b) ? (a.span?.start ?? 0) - (b.span?.start ?? 0) : name(a) < name(b) ? -1 : 1,
  );
}

function instanceOf(ctx: Context, module: ModuleScope, decl: NetDecl) {
  const value = lookup(ctx, makeScope('module', '', module), decl.name.name, decl.name.span);
  // A name that is declared as a net means that net in its own file.
  if (value.kind !== 'instance') throw new Error(`${decl.name.name} is no net`);
  return value.instance;
}
