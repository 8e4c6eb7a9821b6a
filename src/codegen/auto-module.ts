import { exportNames, featuresOf, type ModuleEntry } from './entry.ts';
import { loaderTitle, type ModuleOptions, preamble } from './module-printer.ts';
import { fileAddress, quote } from './names.ts';

export interface AutoModuleOptions extends ModuleOptions {
  /** The modules of both targets, beside this one. */
  readonly webgpu: string;
  readonly wasm: string;
}

/** An ES module with the same `load` functions, which imports the module of the target that suits where it runs. */
export function printAutoModule(
  name: string,
  entries: readonly ModuleEntry[],
  options: AutoModuleOptions,
): string {
  const stems = exportNames(entries);
  const features = [...new Set(entries.flatMap(featuresOf))];
  const parts = [
    preamble(name, ['chooseTarget'], options.runtime ?? 'dnnc/runtime/auto'),
    [
      'async function choose(options) {',
      `  return (await chooseTarget(options, [${features.map(quote).join(', ')}])) === 'webgpu'`,
      `    ? import(${quote(fileAddress(options.webgpu))})`,
      `    : import(${quote(fileAddress(options.wasm))});`,
      '}',
    ].join('\n'),
    ...entries.map((entry, i) =>
      [
        `${loaderTitle(entry)}export async function load${stems[i]}(options) {`,
        `  return (await choose(options)).load${stems[i]}(options);`,
        '}',
      ].join('\n'),
    ),
  ];
  return `${parts.join('\n\n')}\n`;
}
