import * as D from '../../src/ir/dim.ts';
import type { DType } from '../../src/ir/type.ts';
import { tensor } from '../../src/ir/type.ts';
import { callable, callLike } from './calls.ts';
import type { Case, Val } from './case.ts';
import { forms } from './forms.ts';
import { type Random, randomFrom } from './random.ts';
import { trained } from './training.ts';
import { N, Writer } from './writer.ts';

export interface Size {
  /** Statements, about. */
  readonly least: number;
  readonly most: number;
}

/**
 * A random program: every kind of op, and forms of the language, on values of each other. What is wished for comes
 * first, as far as there is place; the same wishes and seed give the same program.
 */
export function randomCase(seed: number, size: Size, wishes: readonly string[] = []): Case {
  const random = randomFrom(seed);
  const w = new Writer(random, wishes);
  const half = w.chance('dtype: f16', 0.15);
  const dtypes: readonly DType[] = [
    'f32',
    'i32',
    'u32',
    'u8',
    'bool',
    ...(half ? (['f16', 'f16', 'f16'] as const) : []),
  ];
  declareInputs(w, random);
  const untrained = wishes.includes('form: gradient of a net') && random.chance(0.2);
  const training = !untrained && (random.chance(0.4) || wishes.some(inTraining));
  if (training) begin(w);
  const drawn = Math.floor(size.least + (size.most - size.least) * random.next() ** 3);
  // A program costs something by itself: few large ones have everything sooner than many small ones.
  const wanted = wishes.length > 40 ? Math.max(drawn, Math.min(120, size.most)) : drawn;
  // Neighbouring seeds begin at other places of the lists, so that a few programs together have everything.
  const ops = deck(random, callable, spread(seed));
  const ways = deck(random, Object.keys(forms), spread(seed));
  for (const write of wished(w, wishes, dtypes)) if (w.lines.length < wanted) write();
  while (w.lines.length < wanted) {
    if (random.chance(0.7)) callLike(w, ops(), dtypes);
    else write(w, ways());
  }
  // From 8 on WebAssembly takes the batch in blocks of 16.
  const sizes = random.pick([
    [{ N: 1 }],
    [{ N: 3 }],
    [{ N: 2 }],
    [{ N: 4 }, { N: 1 }],
    [{ N: 8 }],
    [{ N: 17 }],
  ]);
  const rest = { inputs: w.inputs, declarations: w.declarations, lines: w.lines, sizes };
  if (training) return { ...rest, ...trained(w, leaves(w), seed), forms: [...w.forms] };
  const outputs = leaves(w).slice(0, 10);
  if (w.chance('form: gradient of a net', 0.4)) outputs.push(...gradients(w, outputs));
  return { ...rest, outputs, forms: [...w.forms] };
}

const trainingForms = [
  'state',
  'several steps',
  'steps with every',
  'a gradient inside a loss',
  'parts of a net',
];

const inTraining = (wish: string): boolean =>
  wish.startsWith('optimiser: ') || trainingForms.some(form => wish === `form: ${form}`);

/** Statements that fulfil wishes: a call of an op has all wished options of it that go together. */
function* wished(w: Writer, wishes: readonly string[], dtypes: readonly DType[]): Generator<() => void> {
  for (const wish of wishes) {
    const [group, name] = [wish.slice(0, wish.indexOf(':')), wish.slice(wish.indexOf(':') + 2)];
    const op = callable.find(
      o => o.name === (group === 'op' ? name : group === 'option' && name.split('.')[0]),
    );
    // An option may have come with another one of the same call.
    if (op && w.wishes.delete(wish)) {
      if (group === 'option') w.wishes.add(wish);
      yield () => callLike(w, op, dtypes);
    }
    const form = formOf(wish);
    if (form) yield () => write(w, form);
  }
}

/** The form that a wish is about; schedules for large products come with those. */
function formOf(wish: string): string | undefined {
  if (wish.startsWith('schedule: workgroup')) return 'a large product';
  if (wish.startsWith('form: scan')) return 'scan';
  if (wish.endsWith(': winograd')) return 'filters of 3 x 3';
  const name = wish.replace(/^form: /, '');
  return forms[name] && name;
}

function write(w: Writer, name: string): void {
  w.forms.add(name);
  w.keep(...forms[name]!(w));
}

/** Neighbouring seeds lie far from each other in 0 .. 1, and evenly. */
const spread = (seed: number): number => (seed * 0.6180339887498949) % 1;

/** All of a list, first from a place on (a part of its length), then in random order, over and over. */
function deck<T>(random: Random, list: readonly T[], from: number): () => T {
  const at = Math.floor(from * list.length);
  let left = [...list.slice(at), ...list.slice(0, at)].reverse();
  return () => {
    if (left.length === 0) left = random.shuffled(list);
    return left.pop()!;
  };
}

function declareInputs(w: Writer, random: Random): void {
  w.input('f32', [N, 1 + random.below(6)]);
  if (random.chance(0.6)) w.input('f32', [N, 2, 3 + random.below(4), 3 + random.below(4)]);
  if (random.chance(0.7)) w.input('f32', [1 + random.below(7)]);
  w.input('i32', random.pick([[N], [N, 3], [5]]));
  if (random.chance(0.5)) w.input('bool', [N, 2]);
  if (random.chance(0.5)) w.input('u32', [4]);
  if (random.chance(0.5)) w.input('u8', [N, 3]);
}

/** Values that a training program always has: a layer with a name, and a block with a state. */
function begin(w: Writer): void {
  const x = w.inputs[0]!;
  const first = w.one(`${x.name} -> first: dense(4) -> tanh`, tensor('f32', [N, 4]), [x]);
  w.declarations.push({
    name: 'tracked',
    text: `block tracked(rate: float)(x: f32[N, C]) -> f32[N, C] {
  param gain: f32[C] = constant(0.8)
  state seen: f32[C] = zeros
  state steps: i32 = 0
  seen <- seen * (1 - rate) + rate * mean(x, axis = 0)
  steps <- steps + 1
  return gain * x + 0.1 * seen + 0.01 * cast(steps, f32)
}`,
  });
  w.keep(first, w.one(`${first.name} -> tracked(0.3)`, first.type, [first]));
  w.forms.add('state');
}

const isEmpty = (v: Val): boolean => v.type.shape.some(d => D.isConstant(d, 0));

/** What nothing reads. */
function leaves(w: Writer): Val[] {
  const read = new Set(w.lines.flatMap(l => l.needs));
  const found = w.pool.filter(v => !read.has(v.name) && !w.inputs.includes(v));
  return w.random.shuffled(found.length > 0 ? found : [w.lines.at(-1)!.makes[0]!]);
}

/** The gradient of a sum of what floats there are, by inputs and what was made of them early. */
function gradients(w: Writer, outputs: readonly Val[]): Val[] {
  const floats = outputs.filter(v => v.type.dtype === 'f32' && !isEmpty(v)).slice(0, 4);
  const by = w.pool.filter(v => v.type.dtype === 'f32' && !isEmpty(v)).slice(0, 3);
  if (floats.length === 0) return [];
  w.forms.add('gradient of a net');
  const text = floats.map(v => `mean(sin(${v.name}))`).join(' + ');
  const loss = w.one(text, tensor('f32', []), floats, 1);
  return by.map(v => w.one(`grad(${loss.name}, ${v.name})`, v.type, [loss, v]));
}
