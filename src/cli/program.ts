import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import type { CompileCommandOptions } from './compile.ts';
import type { DumpOptions } from './dump.ts';
import { exitCode, report } from './errors.ts';
import type { EvalOptions } from './eval.ts';
import type { ExplainOptions } from './explain.ts';
import type { FmtOptions } from './fmt.ts';
import type { Io } from './io.ts';
import {
  parseBytes,
  parseCount,
  parseDefine,
  parseDim,
  parseInterval,
  parseSeed,
  type SourceOptions,
} from './options.ts';
import { type OutputOptions, withOutput } from './output.ts';
import { passNames } from './pass-names.ts';
import type { RunOptions } from './run.ts';
import type { TrainOptions } from './train.ts';
import { defaults } from './training/defaults.ts';
import type { TuneOptions } from './tune.ts';

/**
 * Runs `dnnc` with arguments (without node and script) and gives the exit code. Nothing is thrown: every fault is
 * told to `io` as a message.
 */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  let code: number = exitCode.fine;
  try {
    await buildProgram(io, found => {
      code = found;
    }).parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    // commander has told what is wrong with the command line; help and version end this way too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.fine : exitCode.usage;
    return report(error, io);
  }
}

/** A command's module is loaded when it runs: `check` needs no more than checking does. */
function buildProgram(io: Io, finish: (code: number) => void): Command {
  const program = new Command('dnnc')
    .description('Compiles networks written in .dnn to WebGPU, runs and trains them.')
    .version(version())
    .configureOutput({ writeOut: text => io.out(text), writeErr: text => io.err(text) })
    .exitOverride()
    .showHelpAfterError('(dnnc --help lists the commands)');
  program.addHelpText(
    'after',
    '\nExit codes: 0 fine, 1 diagnostics, 2 usage, 3 device, 70 internal error, 130 Ctrl-C.',
  );

  const command = (usage: string, description: string): Command =>
    program.command(usage).description(description).allowExcessArguments(false);
  const onSource = (usage: string, description: string): Command =>
    command(usage, description)
      .argument('<file>', 'a .dnn file')
      .option('-D, --define <name=value>', 'set a const; may be given again', parseDefine);
  const sizes = ['--dim <name=size>', 'a free size of a `param`; may be given again', parseDim] as const;
  const profile = (fallback?: string): Option => {
    const option = new Option('--profile <profile>', 'what schedules are chosen for').choices([
      'gpu',
      'software',
      'auto',
    ]);
    return fallback === undefined ? option : option.default(fallback);
  };
  const memoryLimit = [
    '--memory-limit <bytes>',
    'what a program may take beside parameters and states, as in 500MB; computes again what it must let go of',
    parseBytes,
  ] as const;
  const precision = (): Option =>
    new Option('--precision <precision>', 'f16: tensors in half precision (default: f32)').choices([
      'f32',
      'f16',
    ]);
  const exact = ['--exact', "convolutions without Winograd's transforms: a digit more, slower"] as const;
  const splitProducts = [
    '--split-products',
    'f32 products on matrix units, each factor as two f16: a digit less, faster where there are such',
  ] as const;
  const tuning = ['--tuning <file>', 'a table of schedules measured by `dnnc tune`'] as const;
  const runTarget = (fallback?: string): Option => {
    const option = new Option(
      '--target <target>',
      'where it runs; auto: webgpu on a real GPU, else wasm',
    ).choices([...['webgpu', 'wasm', 'auto', 'interpret']]);
    return fallback === undefined ? option : option.default(fallback);
  };
  const threads = [
    '--threads <n>',
    'at most so many, for wasm (default: cores, at most 8)',
    parseCount,
  ] as const;
  const format = (): Option =>
    new Option('--format <format>', 'json: one document on standard output, for programs').choices([
      'text',
      'json',
    ]);
  const annotations = (): Option =>
    new Option(
      '--format <format>',
      'json: one document on standard output; github: annotations of GitHub Actions',
    ).choices(['text', 'json', 'github']);
  const quiet = ['-q, --quiet', 'results and errors only'] as const;
  const answer = async (options: OutputOptions, work: (io: Io) => Promise<number>): Promise<void> =>
    finish(await withOutput(io, options, work));

  onSource('check', 'report everything that is wrong with a file')
    .addOption(annotations())
    .action((file: string, options: SourceOptions & OutputOptions) =>
      answer(options, async io => (await import('./check.ts')).checkCommand(file, options, io)),
    );

  command('fmt', 'write files in the one style')
    .argument('<files...>', '.dnn files; - reads standard input and writes standard output')
    .option('--check', 'write nothing, name the files that are not formatted')
    .action(async (files: readonly string[], options: FmtOptions) =>
      finish(await (await import('./fmt.ts')).fmtCommand(files, options, io)),
    );

  onSource('compile', 'write an ES module, its types and its kernels')
    .requiredOption('-o, --out <dir>', 'folder to write to')
    .option(...sizes)
    .addOption(
      new Option('--target <target>', 'auto: one module for both, which chooses where it is loaded')
        .choices(['webgpu', 'wasm', 'auto'])
        .default('webgpu'),
    )
    .addOption(profile('gpu'))
    .option(...memoryLimit)
    .addOption(precision())
    .option(...exact)
    .option(...splitProducts)
    .option(...tuning)
    .action(async (file: string, options: CompileCommandOptions) =>
      finish(await (await import('./compile.ts')).compileCommand(file, options, io)),
    );

  onSource('run', 'run a net on the tensors of a file')
    .requiredOption('--net <name>', 'the net')
    .option('--weights <file>', 'parameters (.safetensors); without it the net is initialised')
    .requiredOption('--inputs <file>', 'input tensors by name (.safetensors)')
    .requiredOption('--outputs <file>', 'where results go (.safetensors), or pictures (.png)')
    .addOption(runTarget('auto'))
    .option(...threads)
    .addOption(precision())
    .option(...exact)
    .option(...splitProducts)
    .option(...tuning)
    .option('--seed <n>', 'of initialisation and random values', parseSeed, 0)
    .addOption(format())
    .option(...quiet)
    .action((file: string, options: RunOptions) =>
      answer(options, async io => (await import('./run.ts')).runCommand(file, options, io)),
    );

  onSource('train', 'run a training program')
    .argument('<program>', 'its name')
    .requiredOption('--data <files>', "the program's data, the leading axis examples: files or a folder")
    .option(...sizes)
    .option('--val <files>', 'validation data, evaluated after every epoch')
    // Without defaults here, so that --resume can tell what was given from what was not.
    .option('--batch <n>', `examples in a batch (default: ${defaults.batch})`, parseCount)
    .addOption(
      new Option('--epochs <n>', `epochs to train (default: ${defaults.epochs})`)
        .argParser(parseCount)
        .conflicts('steps'),
    )
    .option('--steps <n>', 'steps to train', parseCount)
    .option('--no-shuffle', 'keep the order of the examples')
    .option('--keep-last', 'train on the last, partial batch of an epoch too')
    .option('--weights <file>', 'parameters, and state where there is any, to start from (.safetensors)')
    .option(
      '--seed <n>',
      `of initialisation, random values and shuffling (default: ${defaults.seed})`,
      parseSeed,
    )
    .addOption(runTarget())
    .option(...threads)
    .option(...memoryLimit)
    .addOption(precision())
    .option(...exact)
    .option(...splitProducts)
    .option(...tuning)
    .option('--out <dir>', 'folder for metrics, weights and checkpoints of a training that begins')
    .addOption(
      new Option('--resume <dir>', 'go on with the training of this folder').conflicts(['out', 'weights']),
    )
    .addOption(
      new Option('--overwrite', 'begin anew where the folder has an unfinished training').conflicts('resume'),
    )
    .option('--checkpoint-every <interval>', 'steps, or a time as in 30s (default: 60s)', parseInterval)
    .option('--patience <n>', 'stop after n epochs without a better metric (needs --val)', parseCount)
    .option('--report <file>', 'write a page that shows the training (.html)')
    .option('--monitor <metric>', 'of the validation data: loss, accuracy, dice:max (default: loss)')
    .addOption(format())
    .option(...quiet)
    .action((file: string, name: string, options: TrainOptions) =>
      answer(options, async io => (await import('./train.ts')).trainCommand(file, name, options, io)),
    );

  onSource('eval', 'the metrics of a training program over a file, in inference mode')
    .argument('<program>', 'its name')
    .requiredOption('--data <files>', "the program's data, the leading axis examples: files or a folder")
    .requiredOption('--weights <file>', 'parameters and state (.safetensors)')
    .option(...sizes)
    .option('--batch <n>', 'examples in a batch', parseCount, defaults.batch)
    .addOption(runTarget('auto'))
    .option(...threads)
    .addOption(precision())
    .option(...exact)
    .option(...splitProducts)
    .option(...tuning)
    .addOption(format())
    .option(...quiet)
    .action((file: string, name: string, options: EvalOptions) =>
      answer(options, async io => (await import('./eval.ts')).evalCommand(file, name, options, io)),
    );

  onSource('explain', 'show layers, kernels after fusion and memory')
    .option('--dim <name=size>', 'size of a free dim (default: 64); may be given again', parseDim)
    .addOption(new Option('--target <target>', 'whose kernels').choices(['webgpu', 'wasm']).default('webgpu'))
    .option(...threads)
    .addOption(
      new Option(
        '--profile [profile]',
        'what schedules are chosen for; without a value the same as --time',
      ).choices(['gpu', 'software', 'auto']),
    )
    .option(...memoryLimit)
    .addOption(precision())
    .option('--depth <n>', 'fold the tables of layers: so many names of a path make a row', parseCount)
    .option('--layers', 'the tables of layers alone; nothing is compiled')
    .option(...exact)
    .option(...splitProducts)
    .option(...tuning)
    .option('--time', 'measure every program and each of its kernels')
    .addOption(format())
    .action((file: string, options: ExplainOptions & OutputOptions) =>
      answer(options, async io => (await import('./explain.ts')).explainCommand(file, options, io)),
    );

  onSource('tune', 'measure schedules on this machine and keep the best in a table')
    .option('--out <file>', 'the table; what it has is kept, but for works that are measured again')
    .option('--program <name>', 'one program only, as in LeNet or mnist.step')
    .option('--dim <name=size>', 'size of a free dim (default: 64); may be given again', parseDim)
    .option('--top <n>', 'schedules to measure for each work', parseCount, 8)
    .addOption(
      new Option('--target <target>', 'where they run; auto: webgpu on a real GPU, else wasm')
        .choices(['webgpu', 'wasm', 'auto'])
        .default('auto'),
    )
    .addOption(precision())
    .option(...exact)
    .option(...splitProducts)
    .addOption(format())
    .option(...quiet)
    .action((file: string, options: TuneOptions & OutputOptions) =>
      answer(options, async io => (await import('./tune.ts')).tuneCommand(file, options, io)),
    );

  onSource('dump', 'print the intermediate representation after a pass')
    .requiredOption('--after <pass>', passNames.join(', '))
    .option('--program <name>', 'one program only, as in LeNet or mnist.step')
    .option(...sizes)
    .addOption(profile('gpu'))
    .addOption(precision())
    .option(...exact)
    .option(...splitProducts)
    .option(...tuning)
    .action(async (file: string, options: DumpOptions) =>
      finish(await (await import('./dump.ts')).dumpCommand(file, options, io)),
    );

  command('devices', 'list adapters, and drivers that gave none')
    .option('--json', 'the adapters alone, as JSON')
    .addOption(format())
    .action((options: { json?: boolean } & OutputOptions) =>
      answer(options, async io => (await import('./devices.ts')).devicesCommand(options, io)),
    );

  return program;
}

/** From package.json, which lies above `src/` in the sources and above `dist/` in the package. */
function version(): string {
  for (const up of ['../..', '../../..']) {
    try {
      const text = readFileSync(new URL(`${up}/package.json`, import.meta.url), 'utf8');
      return (JSON.parse(text) as { version: string }).version;
    } catch {}
  }
  return 'unknown';
}
