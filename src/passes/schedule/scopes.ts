import { type KExpr, lanesOf, type Stmt } from '../../ir/kernel.ts';
import { partsOf } from '../../ir/kernel-parts.ts';
import * as K from './kexpr.ts';

interface Scope {
  readonly statements: Stmt[];
  readonly known: Map<string, KExpr>;
  readonly isLoop: boolean;
}

/** Statements in their scopes, and the names in them: nothing is computed again where the first result is still in scope. */
export abstract class Scopes {
  readonly #names = new Set<string>();
  /** Where counting begins for a name that is wished for again. */
  readonly #numbers = new Map<string, number>();
  readonly #scopes: Scope[] = [{ statements: [], known: new Map(), isLoop: false }];
  /** The scope in which a name has its value; those that change are not listed. */
  readonly #depths = new Map<string, number>();
  readonly #hoists: boolean;

  /** `hoists`: what does not change inside a loop is named in front of it, for targets whose compilers do not see to that. */
  constructor(hoists: boolean) {
    this.#hoists = hoists;
  }

  /** Whether nothing in the kernel writes a buffer. */
  protected abstract isReadOnly(buffer: string): boolean;

  get statements(): readonly Stmt[] {
    return this.#scopes[0]!.statements;
  }

  /** A name that nothing else in the kernel has. */
  name(wish: string): string {
    let name = wish;
    let n = this.#numbers.get(wish) ?? 2;
    while (this.#names.has(name)) name = `${wish}_${n++}`;
    this.#numbers.set(wish, n);
    this.#names.add(name);
    return name;
  }

  push(statement: Stmt): void {
    this.#scopes.at(-1)!.statements.push(statement);
  }

  /**
   * Statements made by `body` go into a block of their own; what they name is forgotten afterwards. `counter` is the
   * variable of the loop that the block is the body of.
   */
  block(body: () => void, counter?: string): Stmt[] {
    this.#scopes.push({ statements: [], known: new Map(), isLoop: counter !== undefined });
    if (counter !== undefined) this.#depths.set(counter, this.#scopes.length - 1);
    body();
    return this.#scopes.pop()!.statements;
  }

  /** A named value; an equal one that is in scope is used again. */
  bind(wish: string, value: KExpr): KExpr {
    if (K.isLeaf(value)) return value;
    const key = K.key(value);
    for (const scope of this.#scopes) {
      const known = scope.known.get(key);
      if (known) return known;
    }
    const name = this.name(wish);
    const depth = this.#hoists ? this.#depthOf(value) : this.#scopes.length - 1;
    const scope = this.#scopes[depth]!;
    scope.statements.push({ kind: 'let', name, value });
    this.#depths.set(name, depth);
    const ref = K.ref(name, value.dtype, lanesOf(value));
    scope.known.set(key, ref);
    return ref;
  }

  /** The outermost scope in which an expression has the value that it has here. */
  #depthOf(e: KExpr): number {
    const here = this.#scopes.length - 1;
    switch (e.kind) {
      case 'const':
      case 'uniform':
        return 0;
      case 'builtin':
        return 0;
      case 'ref':
        return this.#depths.get(e.name) ?? here;
      case 'load-shared':
        return here;
      case 'load': {
        // Not out of a condition, which may be what keeps it inside its buffer.
        if (!this.isReadOnly(e.buffer)) return here;
        const condition = this.#scopes.findLastIndex(s => !s.isLoop);
        return Math.max(condition, this.#depthOf(e.index), e.mask ? this.#depthOf(e.mask) : 0);
      }
      default:
        return partsOf(e).reduce((most, part) => Math.max(most, this.#depthOf(part)), 0);
    }
  }

  /** A sum whose terms change in different loops is added up from the outermost inwards. */
  protected bindSum(wish: string, value: KExpr): KExpr {
    if (!this.#hoists) return this.bind(wish, value);
    const byDepth = new Map<number, KExpr[]>();
    const all = K.terms(value);
    const constants = all.filter(t => t.kind === 'const');
    for (const term of all.filter(t => t.kind !== 'const')) {
      const depth = this.#depthOf(term);
      byDepth.set(depth, [...(byDepth.get(depth) ?? []), term]);
    }
    const levels = [...byDepth].sort(([a], [b]) => a - b).map(([, terms]) => terms);
    const [first = [], ...others] = levels;
    const changing = others.reduce(
      (sum, terms) => this.bind(wish, K.sum([sum, ...terms])),
      this.bind(wish, K.sum(first)),
    );
    return K.sum([changing, ...constants]);
  }

  variable(wish: string, value: KExpr): Extract<KExpr, { kind: 'ref' }> {
    const name = this.name(wish);
    this.push({ kind: 'var', name, dtype: value.dtype, ...K.several(lanesOf(value)), value });
    return K.ref(name, value.dtype, lanesOf(value));
  }
}
