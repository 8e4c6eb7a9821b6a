import type binaryen from 'binaryen';

export type Binaryen = typeof binaryen;
export type Module = binaryen.Module;
export type Type = binaryen.Type;
/** An expression of Binaryen. It stands in one place only: what is used twice is kept in a local first. */
export type Ref = binaryen.ExpressionRef;
/** Makes a fresh expression for the same value each time. */
export type Get = () => Ref;

/** The module that is written. */
export interface Wasm {
  readonly b: Binaryen;
  readonly m: Module;
  /** Locals keep their names, for people; they are a third of a module. */
  readonly localNames: boolean;
}

export interface Local {
  readonly index: number;
  readonly type: Type;
  readonly get: Get;
  readonly set: (value: Ref) => Ref;
}

/** The body of one function while it is written: its locals, and the statements of the block that is open. */
export class Code {
  readonly b: Binaryen;
  readonly m: Module;
  readonly params: readonly Local[];
  readonly #names: string[] = [];
  readonly #types: Type[] = [];
  readonly #paramCount: number;
  readonly #named: boolean;
  #statements: Ref[] = [];

  constructor({ b, m, localNames }: Wasm, params: readonly (readonly [name: string, type: Type])[]) {
    this.b = b;
    this.m = m;
    this.#named = localNames;
    this.#paramCount = params.length;
    this.params = params.map(([name, type]) => this.local(type, name));
  }

  /** A new local. Its name is for readers of the module and need not be unique. */
  local(type: Type, name = ''): Local {
    const index = this.#types.length;
    this.#types.push(type);
    this.#names.push(name);
    return {
      index,
      type,
      get: () => this.m.local.get(index, type),
      set: value => this.m.local.set(index, value),
    };
  }

  push(statement: Ref): void {
    this.#statements.push(statement);
  }

  /** Computes a value now, to be used as often as one likes. */
  keep(value: Ref, type: Type, name?: string): Get {
    const local = this.local(type, name);
    this.push(local.set(value));
    return local.get;
  }

  /** What `body` pushes, as one statement. */
  block(body: () => void): Ref {
    const outer = this.#statements;
    this.#statements = [];
    body();
    const made = this.#statements;
    this.#statements = outer;
    return made.length === 1 ? made[0]! : this.m.block(null, made);
  }

  /** Adds the function, whose result is `result`. */
  finish(name: string, result?: Ref, resultType = this.b.none): void {
    const types = this.#types;
    const body = this.m.block(
      null,
      result === undefined ? this.#statements : [...this.#statements, result],
      resultType,
    );
    const params = types.slice(0, this.#paramCount);
    const func = this.m.addFunction(
      name,
      this.b.createType(params),
      resultType,
      types.slice(this.#paramCount),
      body,
    );
    if (!this.#named) return;
    const functions = (this.b as unknown as { Function: Module['Function'] }).Function;
    const taken = new Set<string>();
    this.#names.forEach((wish, index) => {
      if (wish === '') return;
      let unique = wish;
      for (let n = 2; taken.has(unique); n++) unique = `${wish}_${n}`;
      taken.add(unique);
      functions.setLocalName(func, index, unique);
    });
  }
}
