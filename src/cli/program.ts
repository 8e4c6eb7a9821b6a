import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { checkCommand } from './check.ts';
import { type CompileCommandOptions, compileCommand } from './compile.ts';
import { devicesCommand } from './devices.ts';
import { type DumpOptions, dumpCommand, passNames } from './dump.ts';
import { exitCode, report } from './errors.ts';
import { type ExplainOptions, explainCommand } from './explain.ts';
import type { Io } from './io.ts';
import { parseCount, parseDefine, parseDim, parseSeed, type SourceOptions } from './options.ts';
import { type RunOptions, runCommand } from './run.ts';
import { type TrainOptions, trainCommand } from './train.ts';

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

function buildProgram(io: Io, finish: (code: number) => void): Command {
  const program = new Command('dnnc')
    .description('Compiles networks written in .dnn to WebGPU, runs and trains them.')
    .version(version())
    .configureOutput({ writeOut: text => io.out(text), writeErr: text => io.err(text) })
    .exitOverride()
    .showHelpAfterError('(dnnc --help lists the commands)');
  program.addHelpText('after', '\nExit codes: 0 fine, 1 diagnostics, 2 usage, 3 device, 70 internal error.');

  const command = (usage: string, description: string): Command =>
    program.command(usage).description(description).allowExcessArguments(false);
  const onSource = (usage: string, description: string): Command =>
    command(usage, description)
      .argument('<file>', 'a .dnn file')
      .option('-D, --define <name=value>', 'set a const; may be given again', parseDefine);
  const profile = (fallback?: string): Option => {
    const option = new Option('--profile <profile>', 'what schedules are chosen for').choices([
      'gpu',
      'software',
      'auto',
    ]);
    return fallback === undefined ? option : option.default(fallback);
  };
  const runTarget = new Option('--target <target>', 'where it runs')
    .choices(['webgpu', 'interpret'])
    .default('webgpu');

  onSource('check', 'report everything that is wrong with a file').action(
    async (file: string, options: SourceOptions) => finish(await checkCommand(file, options, io)),
  );

  onSource('compile', 'write NAME.js, NAME.d.ts and NAME.wgsl')
    .requiredOption('-o, --out <dir>', 'folder to write to')
    .addOption(profile('gpu'))
    .action(async (file: string, options: CompileCommandOptions) =>
      finish(await compileCommand(file, options, io)),
    );

  onSource('run', 'run a net on the tensors of a file')
    .requiredOption('--net <name>', 'the net')
    .option('--weights <file>', 'parameters (.safetensors); without it the net is initialised')
    .requiredOption('--inputs <file>', 'input tensors by name (.safetensors)')
    .requiredOption('--outputs <file>', 'where results go (.safetensors)')
    .addOption(runTarget)
    .option('--seed <n>', 'of initialisation and random values', parseSeed, 0)
    .action(async (file: string, options: RunOptions) => finish(await runCommand(file, options, io)));

  onSource('train', 'run a training program')
    .argument('<program>', 'its name')
    .requiredOption('--data <file>', "the program's data by name, the leading axis examples (.safetensors)")
    .option('--val <file>', 'validation data, evaluated after every epoch (.safetensors)')
    .option('--batch <n>', 'examples in a batch', parseCount, 32)
    .addOption(
      new Option('--epochs <n>', 'epochs to train (default: 10)').argParser(parseCount).conflicts('steps'),
    )
    .option('--steps <n>', 'steps to train', parseCount)
    .option('--no-shuffle', 'keep the order of the examples')
    .option('--keep-last', 'train on the last, partial batch of an epoch too', false)
    .option('--weights <file>', 'parameters, and state where there is any, to start from (.safetensors)')
    .option('--seed <n>', 'of initialisation, random values and shuffling', parseSeed, 0)
    .addOption(runTarget)
    .requiredOption('--out <dir>', 'folder for metrics.jsonl and weights.safetensors')
    .action(async (file: string, name: string, options: TrainOptions) =>
      finish(await trainCommand(file, name, options, io)),
    );

  onSource('explain', 'show layers, kernels after fusion and memory')
    .option('--dim <name=size>', 'size of a free dim (default: 64); may be given again', parseDim)
    .addOption(profile())
    .option('--time', 'measure every program on the adapter')
    .action(async (file: string, options: ExplainOptions) => finish(await explainCommand(file, options, io)));

  onSource('dump', 'print the intermediate representation after a pass')
    .requiredOption('--after <pass>', passNames.join(', '))
    .option('--program <name>', 'one program only, as in LeNet or mnist.step')
    .addOption(profile('gpu'))
    .action(async (file: string, options: DumpOptions) => finish(await dumpCommand(file, options, io)));

  command('devices', 'list adapters, and drivers that gave none')
    .option('--json', 'everything that is known, as JSON')
    .action(async (options: { json?: boolean }) => finish(await devicesCommand(options, io)));

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
