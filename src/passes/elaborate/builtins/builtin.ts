import type { Span } from '../../../support/source.ts';
import type { Context } from '../context.ts';
import type { Val } from '../values.ts';

/** An evaluated argument. */
export interface Argument {
  readonly name?: string;
  readonly value: Val;
  readonly span: Span;
}

/** Arguments of a built-in function, bound to its parameters. */
export interface Bound {
  readonly span: Span;
  /** Arguments beyond the named parameters, for functions that take any number (`concat(a, b, c)`). */
  readonly rest: readonly Argument[];
  get(name: string): Argument | undefined;
}

/**
 * A function of the language that is not written in it, since it takes any number of arguments or works on sizes.
 * `rest`: positional arguments come as a list, and `params` are given by name only.
 */
export interface Builtin {
  readonly name: string;
  readonly params: readonly string[];
  /** How many of `params` may not be left out. */
  readonly required?: number;
  readonly rest?: boolean;
  /** One line for people. */
  readonly doc: string;
  run(ctx: Context, args: Bound): Val;
}
