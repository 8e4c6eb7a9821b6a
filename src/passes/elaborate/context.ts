import type { GraphBuilder } from '../../ir/builder.ts';
import { ShapeError } from '../../ir/primitive.ts';
import type { Diagnostic } from '../../support/diagnostic.ts';
import { DiagnosticError } from '../../support/diagnostic.ts';
import { endlessCalls, tooLarge, wrongShape } from '../../support/errors/shapes.ts';
import type { Span } from '../../support/source.ts';
import { place } from '../../support/source.ts';
import type { ModuleScope } from './scope.ts';
import type { Session } from './session.ts';
import { showDifference } from './sizes.ts';

/** Nested calls and unrolled turns after which a program is taken for one that never ends. */
const MAX_DEPTH = 150;
const MAX_WORK = 1_000_000;
/** Turns of all loops of one graph. */
const MAX_TURNS = 4096;

/** Signals that a value is missing because of an error that is reported already. */
export class Poisoned extends Error {}

export interface Site {
  readonly span: Span;
  readonly path: string | undefined;
}

interface Call {
  readonly name: string;
  readonly span: Span;
  readonly std: boolean;
  /** Where the user's text calls it. */
  readonly from: Span;
}

export type Defines = Readonly<Record<string, number | boolean | string>>;
/** Values of free sizes by name; `stylize.H` is that of one training program alone. */
export type FixedSizes = Readonly<Record<string, number>>;

/** What one run of elaboration carries along. */
export class Context {
  readonly diagnostics: Diagnostic[] = [];
  readonly defines: Defines;
  readonly sizes: FixedSizes;
  readonly std: ModuleScope;
  readonly root: ModuleScope;
  session: Session;
  /** The innermost place in the user's own text, and the value being made there. */
  site: Site;
  /** Whether layers behave as in training: changes with `infer`. */
  training = false;
  readonly calls: Call[] = [];
  #work = 0;
  #turns = 0;
  /** Set once a declaration turned out too large: what is left of it is not looked at. */
  #abandoned = false;
  readonly #seen = new Set<string>();

  constructor(
    root: ModuleScope,
    std: ModuleScope,
    session: Session,
    defines: Defines,
    sizes: FixedSizes = {},
  ) {
    this.root = root;
    this.std = std;
    this.session = session;
    this.defines = defines;
    this.sizes = sizes;
    this.site = { span: root.files[0]!.span, path: undefined };
  }

  get b(): GraphBuilder {
    return this.session.b;
  }

  /** Adds a diagnostic unless the same was found before: a body is elaborated once for every graph it is in. */
  report(...diagnostics: readonly Diagnostic[]): void {
    for (const d of diagnostics) {
      // An unknown name is found by two checks, which may know different candidates.
      const key = `${d.code} ${d.span?.source.name}:${d.span?.start}-${d.span?.end} ${d.code === 'E0107' ? '' : d.message}`;
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      this.diagnostics.push(d);
    }
  }

  get failed(): boolean {
    return this.diagnostics.some(d => d.severity === 'error');
  }

  fail(diagnostic: Diagnostic): never {
    throw new DiagnosticError(this.#located(diagnostic));
  }

  /** Runs something and reports what it throws; undefined where it failed. */
  attempt<T>(run: () => T): T | undefined {
    if (this.#abandoned) throw new Poisoned();
    try {
      return run();
    } catch (error) {
      if (error instanceof DiagnosticError) this.report(...error.diagnostics);
      else if (error instanceof ShapeError) this.report(this.#located(this.#shape(error)));
      else if (error instanceof RangeError && /call stack/i.test(error.message))
        this.report(tooLarge(this.site.span, 'this is nested too deeply'));
      else if (!(error instanceof Poisoned)) throw error;
      return undefined;
    }
  }

  /** Begins another declaration. */
  begin(): void {
    this.#work = 0;
    this.#turns = 0;
    this.#abandoned = false;
  }

  /** Ends the work on this declaration: every statement around it fails silently. */
  private abandon(diagnostic: Diagnostic): never {
    this.#abandoned = true;
    return this.fail(diagnostic);
  }

  /** Counts unrolled work, so that no program can keep the compiler busy for ever. */
  spend(span: Span): void {
    if (++this.#work > MAX_WORK) this.abandon(tooLarge(span, 'this unrolls to too much work'));
  }

  /** Counts the turns of loops, of which those inside others multiply. */
  unroll(span: Span, turns: number): void {
    this.#turns += turns;
    if (this.#turns > MAX_TURNS)
      this.abandon(tooLarge(span, `loops unroll to more than ${MAX_TURNS} turns in all`));
  }

  /** Runs with another place in the user's text; nodes made meanwhile come from there. */
  at<T>(site: Partial<Site>, run: () => T): T {
    const before = this.site;
    this.enter({ ...before, ...site });
    try {
      return run();
    } catch (error) {
      if (error instanceof ShapeError) this.fail(this.#shape(error));
      throw error;
    } finally {
      this.enter(before);
    }
  }

  /** As `at` for text of the user; the standard library's own places say nothing to its user. */
  within<T>(module: ModuleScope, site: Partial<Site>, run: () => T): T {
    return module.std ? run() : this.at(site, run);
  }

  /** Runs the body of something that is called. */
  call<T>(name: string, span: Span, module: ModuleScope, run: () => T): T {
    if (this.calls.length >= MAX_DEPTH) this.tooDeep();
    this.calls.push({ name, span, std: module.std, from: this.site.span });
    try {
      return run();
    } catch (error) {
      if (error instanceof ShapeError) this.fail(this.#shape(error));
      throw error;
    } finally {
      this.calls.pop();
    }
  }

  /** Names the circle that the calls go round in, if they do. */
  private tooDeep(): never {
    const own = this.calls.filter(c => !c.std);
    const last = own.at(-1);
    const before = own.findLastIndex((c, i) => i < own.length - 1 && c.span === last?.span);
    if (before < 0)
      return this.abandon(tooLarge(this.site.span, `calls are nested more than ${MAX_DEPTH} deep`));
    this.#abandoned = true;
    // Each application stands in the body of the one before it.
    const turns = own.slice(before, -1).map(({ name, span }, i) => {
      return { name, definition: span, span: own[before + i + 1]!.from };
    });
    // The circle as it was entered.
    const entry = own.find(c => turns.some(t => t.definition === c.span));
    while (turns[0]!.definition !== entry?.span) turns.push(turns.shift()!);
    throw new DiagnosticError(endlessCalls(turns[0]!.span, turns, MAX_DEPTH));
  }

  withTraining<T>(training: boolean, run: () => T): T {
    const before = this.training;
    this.training = training;
    try {
      return run();
    } finally {
      this.training = before;
    }
  }

  /** Runs with another graph under construction. */
  inSession<T>(session: Session, run: () => T): T {
    const before = this.session;
    const turns = this.#turns;
    this.session = session;
    this.#turns = 0;
    this.enter(this.site);
    try {
      return run();
    } finally {
      this.session = before;
      this.#turns = turns;
      this.enter(this.site);
    }
  }

  private enter(site: Site): void {
    this.site = site;
    this.session.b.origin = { span: site.span, ...(site.path !== undefined && { path: site.path }) };
  }

  #shape(error: ShapeError): Diagnostic {
    const shown = showDifference(error.sizes);
    return wrongShape(this.site.span, error.message, { ...shown, hint: shown.hint ?? error.hint });
  }

  /** Errors inside the standard library are shown where the user called it; those in a block also where it is used. */
  #located(d: Diagnostic): Diagnostic {
    const notes = [...(d.notes ?? [])];
    const inner = this.calls.at(-1);
    if (inner?.std) notes.push({ message: `in \`${inner.name}\`, ${place(inner.span)}` });
    const outer = this.calls.filter(c => !c.std).at(-1);
    // A net that is elaborated for itself is applied nowhere: `from` is its own name.
    if (outer && outer.from !== d.span && outer.from !== outer.span)
      notes.push({ message: `while applying \`${outer.name}\``, span: outer.from });
    const own = d.span && !this.std.files.some(f => f.source === d.span!.source);
    const span = own ? d.span! : this.site.span;
    return { ...d, span, ...(notes.length > 0 && { notes }) };
  }
}
