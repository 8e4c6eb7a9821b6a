import type { Declaration, File } from '../../parser/ast.ts';
import { parse } from '../../parser/parse.ts';
import { type StandardSource, sources } from '../../std/embedded.ts';
import { InternalError } from '../../support/internal-error.ts';
import type { ModuleScope } from './scope.ts';
import { makeModule } from './scope.ts';

/** A declaration of the standard library that nothing has asked for yet. */
interface Waiting {
  readonly source: StandardSource;
  readonly from: number;
  readonly to: number;
}

/** Those that some compilation of this process has needed. */
const parsed = new Map<string, File>();

/**
 * The standard library. Its files are one module and see each other's names. A declaration is parsed when its name is
 * asked for: a program needs few of them, and parsing all takes longer than most programs.
 */
export function loadStandard(): ModuleScope {
  const files: File[] = [];
  return { ...makeModule(true, files), declarations: new StandardNames(files) };
}

class StandardNames extends Map<string, Declaration> {
  readonly #files: File[];
  readonly #waiting = new Map<string, Waiting>();

  constructor(files: File[]) {
    super();
    this.#files = files;
    for (const source of sources)
      source.declares.forEach(([name, from], i) => {
        if (this.#waiting.has(name)) throw new InternalError(`the standard library declares ${name} twice`);
        this.#waiting.set(name, { source, from, to: source.declares[i + 1]?.[1] ?? source.text.length });
      });
  }

  override has(name: string): boolean {
    return super.has(name) || this.#waiting.has(name);
  }

  override get(name: string): Declaration | undefined {
    const known = super.get(name);
    if (known) return known;
    const waiting = this.#waiting.get(name);
    if (!waiting) return undefined;
    this.#load(name, waiting);
    return super.get(name);
  }

  override *keys(): MapIterator<string> {
    yield* super.keys();
    yield* this.#waiting.keys();
  }

  #load(name: string, waiting: Waiting): void {
    let file = parsed.get(name);
    if (!file) parsed.set(name, (file = parseOne(waiting)));
    this.#files.push(file);
    this.#waiting.delete(name);
    for (const decl of file.declarations) this.set(decl.name.name, decl);
  }
}

/** One declaration at its place: what stands before it in its file is left blank. */
function parseOne({ source: { name, text }, from, to }: Waiting): File {
  const before = text.slice(0, from).replace(/[^\n]/g, ' ');
  const { file, diagnostics } = parse({ name: `std/${name}`, text: before + text.slice(from, to) });
  const [wrong] = diagnostics;
  if (wrong) throw new InternalError(`std/${name}: ${wrong.message}`);
  return file;
}
