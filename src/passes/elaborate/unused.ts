import type { Arg, Body, DimExpr, Expr, Ident, Stage, Statement, TypeExpr } from '../../parser/ast.ts';
import type { Diagnostic } from '../../support/diagnostic.ts';
import { replacedValue, unusedValue } from '../../support/errors/warnings.ts';

/** A binding that nothing has read yet. The names of one `(a, b) = …` share it: one that is read is enough. */
interface Binding {
  readonly name: Ident;
  readonly what: 'the value' | 'the data';
  /** Whether it has one name. Of several, some may be there to be left out. */
  readonly single: boolean;
}

type Assign = Extract<Statement, { kind: 'assign' }>;

/**
 * E0211 for values that nothing reads. Found in the text alone, so a read in a branch that is not taken counts. With
 * `reachable`, as in blocks and nets, every value can still be read as `out.name` by whoever applies them, except
 * those whose name another value takes.
 */
export function unusedValues(body: Body, { reachable }: { readonly reachable: boolean }): Diagnostic[] {
  const flow = new Flow();
  flow.statements(body.statements);
  if (!reachable) flow.end();
  return flow.found;
}

class Flow {
  readonly found: Diagnostic[];
  readonly #pending = new Map<string, Binding>();
  readonly #outer: Flow | undefined;
  /** Names that have another meaning here than outside. */
  readonly #own: ReadonlySet<string>;

  constructor(outer?: Flow, own: readonly string[] = []) {
    this.#outer = outer;
    this.#own = new Set(own);
    this.found = outer ? outer.found : [];
  }

  statements(list: readonly Statement[]): void {
    for (const s of list) this.#statement(s);
  }

  /** What is unread here will not be read any more. */
  end(): void {
    for (const { name, what } of new Set(this.#pending.values()))
      this.found.push(unusedValue(name.span, what, name.name));
  }

  #read(name: string): void {
    const binding = this.#pending.get(name);
    if (binding) {
      for (const [other, its] of this.#pending) if (its === binding) this.#pending.delete(other);
    } else if (this.#outer && !this.#own.has(name)) this.#outer.#read(name);
  }

  #bind(names: readonly Ident[], what: Binding['what']): void {
    for (const name of names) {
      const before = this.#pending.get(name.name);
      if (before?.single) this.found.push(replacedValue(before.name.span, name.name, name.span));
      this.#pending.delete(name.name);
    }
    if (names.some(n => n.name.startsWith('_'))) return;
    const binding: Binding = { name: names[0]!, what, single: names.length === 1 };
    for (const name of names) this.#pending.set(name.name, binding);
  }

  #statement(s: Statement): void {
    switch (s.kind) {
      case 'declare':
        this.#type(s.type);
        if (s.value) this.#expr(s.value);
        if (s.role === 'data') this.#bind([s.name], 'the data');
        break;
      case 'assign':
        this.#expr(s.value);
        this.#bind(s.names, 'the value');
        break;
      case 'update':
      case 'metric':
        this.#expr(s.value);
        break;
      case 'minimize':
        this.#expr(s.value);
        for (const target of s.targets) {
          for (const e of target.what) this.#expr(e);
          this.#expr(target.by);
        }
        break;
      case 'repeat':
        this.#expr(s.over);
        this.#loop(s.body);
        break;
      case 'step': {
        // Its names are its own; those from outside keep their values.
        const inner = new Flow(this);
        inner.statements(s.body.statements);
        inner.end();
        break;
      }
      case 'return':
      case 'yield':
        for (const e of s.values) this.#expr(e);
    }
  }

  /** A turn reads what the one before has bound, and there may be no turn at all: nothing in it is taken for replaced. */
  #loop(body: Body): void {
    const reads = new Flow(this);
    reads.statements(body.statements.filter(s => s.kind !== 'assign'));
    for (const s of assignsIn(body)) reads.#expr(s.value);
    for (const { names } of assignsIn(body)) for (const name of names) this.#pending.delete(name.name);
  }

  /** A turn of a `scan` begins with what it carries alone, and hands out what it carries and yields alone. */
  #turn({ variable, carry, body }: Extract<Expr, { kind: 'scan' }>): void {
    const carried = carry.map(c => c.name.name);
    const inner = new Flow(this, [variable.name, ...carried]);
    inner.statements(body.statements);
    for (const name of carried) inner.#read(name);
    inner.end();
  }

  #type(type: TypeExpr): void {
    for (const dim of type.dims ?? []) this.#dim(dim);
  }

  #dim(dim: DimExpr): void {
    if (dim.kind === 'pack' && dim.name) this.#read(dim.name.name);
    if (dim.kind === 'expr') this.#expr(dim.value);
  }

  #expr(e: Expr): void {
    switch (e.kind) {
      case 'number':
      case 'string':
        break;
      case 'name':
        this.#read(e.name);
        break;
      case 'list':
        for (const item of e.items) this.#expr(item);
        break;
      case 'unary':
      case 'field':
        this.#expr(e.value);
        break;
      case 'binary':
        this.#expr(e.left);
        this.#expr(e.right);
        break;
      case 'range':
        this.#expr(e.from);
        this.#expr(e.to);
        break;
      case 'call':
        this.#expr(e.callee);
        this.#args(e.args);
        break;
      case 'index':
        this.#expr(e.value);
        for (const item of e.index)
          if (item.kind === 'at') this.#expr(item.value);
          else if (item.kind === 'slice')
            for (const part of [item.from, item.to, item.step]) if (part) this.#expr(part);
        break;
      case 'if':
        this.#expr(e.condition);
        this.#expr(e.then);
        this.#expr(e.else);
        break;
      case 'scan':
        this.#args(e.args);
        this.#expr(e.over);
        for (const { value } of e.carry) this.#expr(value);
        this.#turn(e);
        break;
      case 'pipe':
        this.#expr(e.value);
        for (const stage of e.stages) this.#stage(stage);
    }
  }

  #args(args: readonly Arg[]): void {
    for (const arg of args) this.#expr(arg.value);
  }

  #stage(stage: Stage): void {
    if (stage.kind === 'apply') this.#expr(stage.value);
    else {
      this.#expr(stage.over);
      for (const inner of stage.stages) this.#stage(inner);
    }
  }
}

function assignsIn(body: Body): Assign[] {
  return body.statements.filter((s): s is Assign => s.kind === 'assign');
}
