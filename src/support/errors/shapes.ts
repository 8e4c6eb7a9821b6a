import type { Diagnostic } from '../diagnostic.ts';
import type { Span } from '../source.ts';

type Notes = NonNullable<Diagnostic['notes']>;

interface Extras {
  readonly label?: string | undefined;
  readonly notes?: Notes;
  readonly hint?: string | undefined;
}

function error(code: string, span: Span, message: string, { label, notes, hint }: Extras = {}): Diagnostic {
  return {
    code,
    severity: 'error',
    message,
    span,
    ...(label !== undefined && { label }),
    ...(notes !== undefined && notes.length > 0 && { notes }),
    ...(hint !== undefined && { hint }),
  };
}

/** E0201: a value of another kind than the place wants: a tensor for an `int`, a list for a tensor. */
export function wrongKind(span: Span, message: string, extras: Extras = {}): Diagnostic {
  return error('E0201', span, message, extras);
}

/** E0202: too many arguments, or one missing. */
export function wrongArguments(span: Span, message: string, extras: Extras = {}): Diagnostic {
  return error('E0202', span, message, extras);
}

/** E0203: dtypes that do not go together. */
export function wrongDType(span: Span, message: string, extras: Extras = {}): Diagnostic {
  return error('E0203', span, message, extras);
}

/** E0204: shapes that do not match. */
export function wrongShape(span: Span, message: string, extras: Extras = {}): Diagnostic {
  return error('E0204', span, message, extras);
}

/** E0205: a static computation that has no result: division by zero, an index out of range. */
export function staticFailure(span: Span, message: string, hint?: string): Diagnostic {
  return error('E0205', span, message, { hint });
}

/** E0206: an `if` or another compile-time place that depends on run-time values. */
export function notStatic(span: Span, what: string, found: string, hint?: string): Diagnostic {
  return error('E0206', span, `${what} must be known at compile time`, { label: `this is ${found}`, hint });
}

/** E0207: the body of a declaration does not do what it must, such as `return`. */
export function wrongBody(span: Span, message: string, hint?: string): Diagnostic {
  return error('E0207', span, message, { hint });
}

/** E0208: work that grows beyond what the compiler unrolls. */
export function tooLarge(span: Span, message: string): Diagnostic {
  return error('E0208', span, message);
}

/** One application in a circle of blocks, functions or nets. */
export interface Turn {
  readonly name: string;
  readonly span: Span;
}

/** E0208: what applies itself, over `turns`; the first of them is applied again by the last. */
export function endlessCalls(span: Span, turns: readonly Turn[], depth: number): Diagnostic {
  const names = [...turns, turns[0]!].map(t => t.name);
  const applies = (i: number): string => `\`${names[i]}\` applies \`${names[i + 1]}\``;
  return {
    ...error(
      'E0208',
      span,
      `\`${names[0]}\` applies itself, more than ${depth} deep: ${names.join(' -> ')}`,
      {
        hint: 'blocks and functions are unfolded at compile time: a circle ends only by an `if` on a static argument',
      },
    ),
    label: applies(0),
    notes: turns.slice(1).map((t, i) => ({ message: applies(i + 1), span: t.span })),
  };
}

/** E0208: a tensor that no device can address. */
export function tensorTooLarge(span: Span, type: string, elements: number, limit: number): Diagnostic {
  return error('E0208', span, `${type} is too large: at least ${elements} elements, at most ${limit}`);
}

/** E0209: a size that nothing determines. */
export function undetermined(span: Span, name: string, hint?: string): Diagnostic {
  return error('E0209', span, `nothing determines the size \`${name}\``, { hint });
}

/**
 * What to say of two sizes that had to be equal: for which they differ, or, without an example, that none was found.
 */
export function unequalSizes(example: string | undefined): Pick<Extras, 'notes' | 'hint'> {
  if (example !== undefined) return { notes: [{ message: example }] };
  return {
    notes: [{ message: 'they are equal for all sizes that were tried, but this could not be proved' }],
    hint: 'write both sizes in the same way, or declare that of the result as `_`',
  };
}

/** Sizes for which a condition holds, and for which it fails, where such were found. */
export interface ConditionExamples {
  readonly holds?: string;
  readonly fails?: string;
}

/** E0210: a condition on sizes that could be proved neither to hold nor to fail. */
export function unprovable(span: Span, condition: string, { holds, fails }: ConditionExamples): Diagnostic {
  const message = `cannot prove ${condition} or the opposite`;
  if (holds !== undefined && fails !== undefined)
    return error('E0210', span, message, {
      notes: [{ message: `it holds for ${holds}, and fails for ${fails}` }],
      hint: 'a condition must hold, or fail, for all sizes',
    });
  return error('E0210', span, message, {
    notes: [
      {
        message: `it ${holds === undefined ? 'fails' : 'holds'} for all sizes that were tried, but this could not be proved`,
      },
    ],
    hint: 'compare sizes written in the same way, or leave the condition out',
  });
}

/** E0212: a `param` of free size where its size must be known. */
export function openSize(
  span: Span | undefined,
  path: string,
  type: string,
  names: readonly string[],
): Diagnostic {
  const flags = names.map(name => `--dim ${name}=64`).join(' ');
  return {
    code: 'E0212',
    severity: 'error',
    message: `${path} is ${type}, of a size that is not known yet`,
    ...(span && { span }),
    hint: `say it with \`${flags}\`, or write a number; \`dnnc train\` takes it from the data`,
  };
}

/** E0223: a program that takes more memory than `--memory-limit` allows, whatever is computed again. */
export function aboveMemoryLimit(
  program: string,
  limit: number,
  least: number,
  sizes: Readonly<Record<string, number>>,
): Diagnostic {
  const at = Object.entries(sizes).map(([name, n]) => `${name} = ${n}`);
  const where = at.length === 0 ? '' : ` at ${at.join(', ')}`;
  return {
    code: 'E0223',
    severity: 'error',
    message: `${program} needs ${least} bytes${where}, and may take ${limit}`,
    notes: [{ message: 'what can be computed again is counted as let go already' }],
    hint: `\`--memory-limit ${least}\` is the least that was found${at.length === 0 ? '' : `, or give smaller sizes: \`--dim ${Object.keys(sizes)[0]}=…\``}`,
  };
}

/** E0224: something larger than any device can have; `what` ends with its verb. */
export function beyondDevices(
  span: Span | undefined,
  what: string,
  amount: number,
  limit: { readonly most: number; readonly unit?: string; readonly name: string },
  sizes: Readonly<Record<string, number>>,
  note?: string,
): Diagnostic {
  const at = Object.entries(sizes).map(([name, n]) => `${name} = ${n}`);
  return {
    code: 'E0224',
    severity: 'error',
    message: `${what} ${amount}${limit.unit ? ` ${limit.unit}` : ''}${at.length === 0 ? '' : ` at ${at.join(', ')}`}, at most ${limit.most} (${limit.name})`,
    ...(span && { span }),
    ...(note !== undefined && { notes: [{ message: note }] }),
    hint:
      at.length === 0
        ? 'make it smaller, or of several parts'
        : `smaller sizes: \`--dim ${Object.keys(sizes)[0]}=…\``,
  };
}

/** E0302: `over` names something without parameters here. */
export function noParameters(span: Span, what: string, hint?: string): Diagnostic {
  return error('E0302', span, `${what} has no parameters that this program uses`, { hint });
}

/** E0303: a parameter that two `by` claim. */
export function claimedTwice(span: Span, path: string): Diagnostic {
  return error('E0303', span, `${path} is updated by two targets of one \`minimize\``, {
    hint: 'every parameter can follow one optimiser',
  });
}
