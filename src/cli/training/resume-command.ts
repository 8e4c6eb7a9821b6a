import type { SourceOptions } from '../options.ts';

/** The command line that goes on with a training, to be copied into a shell. */
export function resumeCommand(
  path: string,
  program: string,
  options: SourceOptions & { readonly data: string; readonly val?: string; readonly report?: string },
  folder: string,
): string {
  const defines = Object.entries(options.define ?? {}).flatMap(([name, value]) => ['-D', `${name}=${value}`]);
  const sizes = Object.entries(options.dim ?? {}).flatMap(([name, size]) => ['--dim', `${name}=${size}`]);
  const val = options.val === undefined ? [] : ['--val', options.val];
  const tuning = options.tuning === undefined ? [] : ['--tuning', options.tuning];
  const report = options.report === undefined ? [] : ['--report', options.report];
  const words = [
    'dnnc',
    'train',
    path,
    program,
    ...defines,
    ...sizes,
    '--data',
    options.data,
    ...val,
    ...tuning,
    ...report,
  ];
  return [...words, '--resume', folder].map(quote).join(' ');
}

const quote = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
