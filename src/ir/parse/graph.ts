import { GraphBuilder } from '../builder.ts';
import type { Graph, InputNode, Origin, Output, Value } from '../graph.ts';
import { loopInputProblems } from '../loop.ts';
import type { Attr, AttrSpec, Attrs, Primitive } from '../primitive.ts';
import { ShapeError } from '../primitive.ts';
import type { TensorType } from '../type.ts';
import { printType, sameType } from '../type.ts';
import { Scanner, type Token } from './scanner.ts';
import { deepest, readAttr, readString, readType } from './type.ts';

export { GraphTextError } from './scanner.ts';

/**
 * The op of a name. Programs declare ops in index notation, several of one name where sizes differ: their attributes
 * tell them apart. Asked without attributes too, for what attributes there are.
 */
export type FindOp = (name: string, attrs?: Attrs) => Primitive | undefined;

/**
 * The graph that `printGraph` made the text of. Comments, and with them places in the source, are not read. Throws
 * `GraphTextError` and nothing else.
 */
export function readGraph(text: string, ops: FindOp): Graph {
  const s = new Scanner(text);
  const graph = new GraphReader(s, ops, 0).read();
  if (s.next.kind !== 'end') s.fail(`expected the end of the text, found ${s.found()}`);
  return graph;
}

const inputRoles: readonly string[] = [
  'input',
  'data',
  'param',
  'state',
  'scalar',
  'key',
] satisfies InputNode['role'][];
const outputRoles: readonly string[] = ['result', 'metric', 'update'] satisfies Output['role'][];

const loopAttrs: Readonly<Record<string, AttrSpec>> = {
  steps: { type: 'dim', doc: '' },
  reverse: { type: 'bool', doc: '' },
};

class GraphReader {
  readonly #s: Scanner;
  readonly #ops: FindOp;
  readonly #depth: number;
  readonly #values = new Map<number, Value>();
  readonly #inputs = new Set<string>();
  #builder = new GraphBuilder('');

  constructor(s: Scanner, ops: FindOp, depth: number) {
    this.#s = s;
    this.#ops = ops;
    this.#depth = depth;
  }

  read(): Graph {
    const s: Scanner = this.#s;
    if (this.#depth >= deepest) s.fail('loops nest too deep');
    s.expect('graph');
    this.#builder = new GraphBuilder(this.#name());
    s.expect('(');
    while (!s.accept(')')) this.#input();
    s.expect('{');
    while (!s.accept('}')) {
      if (s.next.kind === 'value') this.#node();
      else this.#output();
    }
    return this.#builder.build();
  }

  #input(): void {
    const s: Scanner = this.#s;
    const ids = this.#results();
    s.expect('=');
    const role = this.#word(inputRoles, 'the role of an input');
    const at = s.next;
    const name = this.#name();
    if (this.#inputs.has(name)) s.fail(`there are two inputs \`${name}\``, at);
    this.#inputs.add(name);
    const types = this.#types();
    if (ids.length !== 1 || types.length !== 1) s.fail('an input is one value', at);
    const origin = { path: name, ...this.#origin() };
    this.#define(ids, types, at, () => [
      this.#builder.input(role as InputNode['role'], name, types[0]!, origin),
    ]);
  }

  #node(): void {
    const s: Scanner = this.#s;
    const ids = this.#results();
    s.expect('=');
    const at = s.next;
    if (at.kind !== 'name') s.fail(`expected an operation, found ${s.found()}`);
    s.take();
    // An op may have any name; what follows it is always `(`.
    if (at.text === 'loop' && !s.sees('(')) this.#loop(ids, at);
    else this.#operation(ids, at);
  }

  #operation(ids: readonly number[], at: Token): void {
    const specs = this.#ops(at.text)?.attrs;
    if (!specs) this.#s.fail(`there is no operation \`${at.text}\``, at);
    const { inputs, attrs } = this.#operands(at, specs);
    const op = this.#ops(at.text, attrs);
    if (!op) this.#s.fail(`there is no operation \`${at.text}\` with these attributes`, at);
    const types = this.#types();
    const origin = this.#origin();
    this.#checkCount(op, inputs, at);
    this.#define(ids, types, at, () => this.#builder.emitAll(op, inputs, attrs, origin));
  }

  #loop(ids: readonly number[], at: Token): void {
    const s: Scanner = this.#s;
    const name = this.#name();
    const { inputs, attrs } = this.#operands(at, loopAttrs);
    const { steps, reverse } = attrs;
    const isDim = typeof steps === 'object' && 'terms' in steps;
    if (!isDim || typeof reverse !== 'boolean') s.fail('a loop has the attributes steps and reverse', at);
    const types = this.#types();
    const origin = this.#origin();
    const body = new GraphReader(s, this.#ops, this.#depth + 1).read();
    if (body.name !== name) s.fail(`the body of the loop is \`${name}\`, but \`${body.name}\` follows`, at);
    const [problem] = loopInputProblems(body, steps, inputs);
    if (problem) s.fail(problem, at);
    this.#define(ids, types, at, () => this.#builder.loop({ body, steps, reverse }, inputs, origin));
  }

  #operands(at: Token, specs: Primitive['attrs']): { inputs: Value[]; attrs: Attrs } {
    const s: Scanner = this.#s;
    const inputs: Value[] = [];
    const attrs: Record<string, Attr> = {};
    s.list('(', ')', () => {
      if (s.next.kind === 'value') {
        inputs.push(this.#value());
        return;
      }
      const name = s.next;
      const spec = Object.hasOwn(specs, name.text) ? specs[name.text] : undefined;
      if (name.kind !== 'name' || !spec)
        s.fail(`expected a value or an attribute of ${at.text}, found ${s.found()}`);
      s.take();
      if (Object.hasOwn(attrs, name.text)) s.fail(`\`${name.text}\` is given twice`, name);
      s.expect('=');
      attrs[name.text] = readAttr(s, spec.type);
    });
    return { inputs, attrs };
  }

  #checkCount({ name, inputs: names }: Primitive, inputs: readonly Value[], at: Token): void {
    const isOpen = names.at(-1)?.endsWith('...') ?? false;
    const fits = isOpen ? inputs.length >= names.length - 1 : inputs.length === names.length;
    if (!fits) this.#s.fail(`${name} takes (${names.join(', ')}), given ${inputs.length} values`, at);
  }

  /** Makes values, checks that they are what the text says, and gives them their numbers. */
  #define(
    ids: readonly number[],
    types: readonly TensorType[],
    at: Token,
    make: () => readonly Value[],
  ): void {
    const s: Scanner = this.#s;
    this.#builder.numberFrom(ids[0]!);
    const values = this.#legal(at, make);
    if (values.length !== ids.length || values.length !== types.length)
      s.fail(`this makes ${values.length} values, ${ids.length} are named, of ${types.length} types`, at);
    values.forEach((value, i) => {
      const [id, type] = [ids[i]!, types[i]!];
      if (!sameType(value.type, type))
        s.fail(`%${id} is ${printType(value.type)}, the text says ${printType(type)}`, at);
      this.#values.set(id, value);
    });
  }

  #legal<T>(at: Token, make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      this.#s.fail(error.message, at);
    }
  }

  #output(): void {
    const s: Scanner = this.#s;
    const role = this.#word(outputRoles, 'a value, an output') as Output['role'];
    const name = this.#name();
    const target = s.accept('->') ? this.#name() : undefined;
    s.expect('=');
    const value = this.#value();
    this.#builder.output({ name, role, value, ...(target !== undefined && { target }) });
  }

  /** Consecutive numbers that are not taken. */
  #results(): number[] {
    const s: Scanner = this.#s;
    const ids: number[] = [];
    do {
      const { kind, text } = s.next;
      const id = Number(text);
      if (kind !== 'value' || !Number.isSafeInteger(id))
        s.fail(`expected a value such as %1, found ${s.found()}`);
      if (this.#values.has(id)) s.fail(`%${id} is defined twice`);
      if (ids.length > 0 && id !== ids.at(-1)! + 1)
        s.fail(`%${ids.at(-1)} is followed by %${ids.at(-1)! + 1}`);
      ids.push(id);
      s.take();
    } while (s.accept(','));
    return ids;
  }

  #value(): Value {
    const s: Scanner = this.#s;
    if (s.next.kind !== 'value') s.fail(`expected a value such as %1, found ${s.found()}`);
    const value = this.#values.get(Number(s.next.text));
    if (!value) s.fail(`%${s.next.text} is not defined before it is used`);
    s.take();
    return value;
  }

  #types(): TensorType[] {
    const s: Scanner = this.#s;
    const types: TensorType[] = [];
    s.expect(':');
    do types.push(readType(s));
    while (s.accept(','));
    return types;
  }

  #origin(): Origin {
    return this.#s.accept('at') ? { path: readString(this.#s) } : {};
  }

  #name(): string {
    return this.#s.next.kind === 'name' ? this.#s.take().text : readString(this.#s);
  }

  #word(words: readonly string[], what: string): string {
    const s: Scanner = this.#s;
    if (s.next.kind !== 'name' || !words.includes(s.next.text))
      s.fail(`expected ${what} (${words.join(', ')}), found ${s.found()}`);
    return s.take().text;
  }
}
