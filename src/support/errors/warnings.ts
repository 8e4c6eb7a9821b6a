import type { Diagnostic } from '../diagnostic.ts';
import type { Span } from '../source.ts';
import { place } from '../source.ts';

/** Warnings: the program means something, but most likely not what its author wanted. */
const warning = (code: string, span: Span, message: string, rest: Partial<Diagnostic>): Diagnostic => ({
  code,
  severity: 'warning',
  message,
  span,
  ...rest,
});

/** E0211: a value that nothing reads. `what` is `the value` or `the data`. */
export function unusedValue(span: Span, what: string, name: string): Diagnostic {
  const hint =
    what === 'the data'
      ? 'the host would have to feed it in every batch: remove it, or use it'
      : `remove it, or call it \`_${name}\` if it is meant to be unused`;
  return warning('E0211', span, `nothing reads ${what} \`${name}\``, { hint });
}

/** E0211: a value that another takes the name of before anything reads it. */
export function replacedValue(span: Span, name: string, by: Span): Diagnostic {
  return warning('E0211', span, `nothing reads this value of \`${name}\` before another replaces it`, {
    notes: [{ message: `replaced at ${place(by)}`, span: by }],
    hint: `use \`${name}\` in between, or give one of them another name`,
  });
}

/** E0304: a net with states, in training mode in a program that neither updates these states nor freezes the net. */
export function stateNotOwned(span: Span, net: string, paths: readonly string[], declared: Span): Diagnostic {
  const [first] = paths;
  const more = paths.length > 1 ? `, the first of ${paths.length} such states` : '';
  return warning('E0304', span, `\`${net}\` runs in training mode, but its state stays as it is`, {
    label: 'behaves as in training here',
    notes: [{ message: `no \`over\` owns \`${first}\`${more}`, span: declared }],
    hint: `write \`infer ${net}(…)\` to keep the net as it is, or name \`${net}\` after \`over\``,
  });
}

/** E0305: probabilities given to a loss that makes probabilities of its argument itself. */
export function probabilitiesAsLogits(
  span: Span,
  loss: string,
  maker: string,
  made: Span | undefined,
): Diagnostic {
  return warning('E0305', span, `\`${loss}\` takes logits, and gets what \`${maker}\` returns`, {
    ...(made && { notes: [{ message: `\`${maker}\` at ${place(made)}`, span: made }] }),
    hint: `leave \`${maker}\` out here: \`${loss}\` applies it itself, and learning slows down when it is applied twice`,
  });
}
