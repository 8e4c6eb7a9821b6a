import type { Diagnostic } from '../diagnostic.ts';
import type { Span } from '../source.ts';

/** Diagnostics about trainings and what they read and write. They carry no span: the message names the place. */
const error = (code: string, message: string, hint?: string, notes: readonly string[] = []): Diagnostic => ({
  code,
  severity: 'error',
  message,
  ...(notes.length > 0 && { notes: notes.map(text => ({ message: text })) }),
  ...(hint && { hint }),
});

/** E0310: a loss or a weight that is not finite. */
export function notFinite(what: string, value: number): Diagnostic {
  return error(
    'E0310',
    `${what} is ${Number.isNaN(value) ? 'not a number' : 'infinite'}; training stopped`,
    'a smaller learning rate may help; the weights of the last good epoch are kept',
  );
}

/** E0411: data without examples. */
export function noExamples(file: string): Diagnostic {
  return error('E0411', `${file} has no examples`);
}

/** E0412: a batch that the data cannot fill. */
export function batchTooLarge(examples: number, batch: number): Diagnostic {
  return error(
    'E0412',
    `${examples} examples are fewer than a batch of ${batch}`,
    `use --batch ${examples} or --keep-last`,
  );
}

/** E0412: examples that no number of whole batches makes up, where a parameter has a row for each of a batch. */
export function unevenBatches(flag: string, examples: number, batch: number, path: string): Diagnostic {
  return error(
    'E0412',
    `the ${examples} examples of ${flag} are not whole batches of ${batch}, which ${path} is made for`,
    'use a --batch that divides them, and no --keep-last',
  );
}

/** E0413: a file or a folder that cannot be written. What was there before is as it was. */
export function cannotWrite(path: string, why: string): Diagnostic {
  return error('E0413', `cannot write ${path}: ${why}`);
}

/** E0414: a folder that holds no checkpoint that can be read; `damaged` says what is wrong with each that is there. */
export function noCheckpoint(folder: string, damaged: readonly string[]): Diagnostic {
  return error(
    'E0414',
    `${folder} has no ${damaged.length > 0 ? 'whole ' : ''}checkpoint to resume from`,
    'start it with --out instead of --resume',
    damaged,
  );
}

/** E0415: flags or data that are not those of the training which is to be resumed; a line for each. */
export function otherTraining(folder: string, differences: readonly string[]): Diagnostic {
  return error(
    'E0415',
    `the training in ${folder} cannot go on like this`,
    'leave the flags out to take those of the training, or start anew with --out',
    differences,
  );
}

/** E0416: a new training where an unfinished one would be lost. */
export function unfinishedTraining(folder: string, step: number, steps: number): Diagnostic {
  return error(
    'E0416',
    `${folder} holds a training that stopped at step ${step} of ${steps}`,
    `--resume ${folder} goes on with it, --overwrite begins anew`,
  );
}

/** E0417: a metric that cannot be watched. */
export function notMonitored(metric: string, why: string, hint: string): Diagnostic {
  return error('E0417', `cannot watch ${metric}: ${why}`, hint);
}

/** E0418: tensors of files that are not those which a program takes; a line for each. `owner`: "net LeNet". */
export function tensorsDoNotFit(owner: string, problems: readonly string[]): Diagnostic {
  return error('E0418', `the tensors do not fit ${owner}`, undefined, problems);
}

/** E0419: a table of `rename` that cannot be used. */
export function badRename(span: Span, file: string, why: string): Diagnostic {
  return {
    ...error(
      'E0419',
      `rename "${file}": ${why}`,
      'it is one JSON object, of regular expressions and what takes their place',
    ),
    span,
  };
}

/** E0420: free sizes for which a tensor of the program has no elements; `which` is `H - 4 = -1: …`. */
export function impossibleSize(which: string): Diagnostic {
  return error('E0420', which, 'the inputs are too small for this program');
}

/** E0502: half precision where nothing can compute in it. */
export function noHalfPrecision(why: string): Diagnostic {
  return error(
    'E0502',
    `--precision f16: ${why}`,
    'leave --precision away: f32 runs everywhere, in twice the memory',
  );
}

/** E0501: memory that the device or the host does not have. `what` says how much was asked for. */
export function outOfMemory(what: string, hint?: string): Diagnostic {
  return error('E0501', what, hint);
}
