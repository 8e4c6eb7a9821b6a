import type { Declaration, File } from '../../parser/ast.ts';
import { parse } from '../../parser/parse.ts';
import { type StandardSource, sources } from '../../std/embedded.ts';
import { InternalError } from '../../support/internal-error.ts';
import type { ModuleScope } from './scope.ts';
import { makeModule } from './scope.ts';

/** Files of the standard library that some compilation of this process has needed. */
const parsed = new Map<StandardSource, File>();

/** The standard library. Its files are one module and see each other's names; each is parsed once a name of it is asked for. */
export function loadStandard(): ModuleScope {
  const files: File[] = [];
  return { ...makeModule(true, files), declarations: new StandardNames(files) };
}

class StandardNames extends Map<string, Declaration> {
  readonly #files: File[];
  readonly #waiting = new Map<string, StandardSource>();

  constructor(files: File[]) {
    super();
    this.#files = files;
    for (const source of sources)
      for (const name of source.declares) {
        if (this.#waiting.has(name)) throw new InternalError(`the standard library declares ${name} twice`);
        this.#waiting.set(name, source);
      }
  }

  override has(name: string): boolean {
    return super.has(name) || this.#waiting.has(name);
  }

  override get(name: string): Declaration | undefined {
    const source = this.#waiting.get(name);
    if (source) this.#load(source);
    return super.get(name);
  }

  override *keys(): MapIterator<string> {
    yield* super.keys();
    yield* this.#waiting.keys();
  }

  #load(source: StandardSource): void {
    let file = parsed.get(source);
    if (!file) {
      const { name, text } = source;
      const result = parse({ name: `std/${name}`, text });
      const [wrong] = result.diagnostics;
      if (wrong) throw new InternalError(`std/${name}: ${wrong.message}`);
      parsed.set(source, (file = result.file));
    }
    this.#files.push(file);
    for (const name of source.declares) this.#waiting.delete(name);
    for (const decl of file.declarations) this.set(decl.name.name, decl);
  }
}
