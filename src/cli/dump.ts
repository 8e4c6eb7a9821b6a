import { printWgslFile } from '../codegen/wgsl/module.ts';
import { printGraph } from '../ir/print/graph.ts';
import { moduleGraphs } from '../passes/pipeline.ts';
import { targetFor } from './adapter.ts';
import { distinctKernels } from './compile.ts';
import { exitCode, unknownName, usageError } from './errors.ts';
import type { Io } from './io.ts';
import { loadCompiled, loadModule } from './load.ts';
import type { Profile, SourceOptions } from './options.ts';
import { neededFlags, passNames } from './pass-names.ts';

export interface DumpOptions extends SourceOptions {
  readonly after: string;
  readonly program?: string;
  readonly profile: Profile;
}

/** `dnnc dump FILE --after PASS`: the intermediate representation of every program, or of one. */
export async function dumpCommand(path: string, options: DumpOptions, io: Io): Promise<number> {
  const { after, program } = options;
  if (!passNames.some(p => p === after)) throw unknownName('pass', after, passNames);
  const texts =
    after === 'elaborate' ? elaborated(path, options, io) : await compiledTexts(path, options, io);
  const how = neededFlags[after];
  if (texts.size === 0 && how) throw usageError(`${after} runs ${how} only`);
  if (program !== undefined && !texts.has(program)) throw unknownName('program', program, [...texts.keys()]);
  for (const [name, text] of texts)
    if (program === undefined || program === name) io.out(`// ${name}\n${text.trimEnd()}\n\n`);
  return exitCode.fine;
}

function elaborated(path: string, options: DumpOptions, io: Io): Map<string, string> {
  const { module } = loadModule(path, options, io);
  return new Map(moduleGraphs(module).map(([name, graph]) => [name, printGraph(graph)]));
}

async function compiledTexts(path: string, options: DumpOptions, io: Io): Promise<Map<string, string>> {
  const target = await targetFor(options.profile, options);
  const texts = new Map<string, string>();
  const { compiled } = loadCompiled(path, options, io, {
    target,
    watch: (pass, text) => {
      if (pass !== options.after) return;
      // `compileModule` puts the program's name on the first line, as a comment.
      const end = text.indexOf('\n');
      texts.set(text.slice('// '.length, end), text.slice(end + 1));
    },
  });
  if (options.after === 'wgsl')
    for (const [name, { plan }] of compiled.programs)
      texts.set(name, printWgslFile(name, distinctKernels([plan])));
  return texts;
}
