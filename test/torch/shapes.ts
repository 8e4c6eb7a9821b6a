import { type Attrs, named, type Translation, Untranslated } from './attrs.ts';
import type { Parts } from './functions.ts';

const listed = (values: readonly (number | string)[]): string => `[${values.join(', ')}]`;

const toShape =
  (...names: readonly string[]): Translation =>
  ([x], attrs) => {
    const shape = names.map(n => attrs.numbers(n)).find(s => s !== undefined);
    return `reshape(${x}, ${listed(shape ?? [])})`;
  };

const flatten: Translation = ([x], attrs) =>
  `merge_axes(${x}, ${attrs.number('start_dim') ?? 0}, ${attrs.number('end_dim') ?? -1})`;

const expand: Translation = ([x], attrs) =>
  `expand(${x}, ${listed(attrs.numbers('size') ?? attrs.numbers('sizes') ?? attrs.list('shape'))})`;

const tile: Translation = ([x], attrs) =>
  `tile(${x}, ${listed(attrs.numbers('repeats') ?? attrs.numbers('sizes') ?? attrs.list('dims'))})`;

const transpose: Translation = ([x], attrs) => {
  const a = attrs.number('dim0') ?? attrs.number('axis0');
  const b = attrs.number('dim1') ?? attrs.number('axis1');
  return `swap_axes(${x}, ${a}, ${b})`;
};

const each = (x: string, axes: readonly number[], name: string): string =>
  axes.reduce((text, axis) => `${name}(${text}, ${axis})`, x);

const roll: Translation = ([x], attrs) => {
  const by = attrs.numbers('shifts')!;
  const dims = attrs.numbers('dims');
  if (!dims) return `reshape(roll(reshape(${x}, -1), ${by[0]}, 0), shape(${x}))`;
  return dims.reduce((text, axis, i) => `roll(${text}, ${by[i]}, ${axis})`, x!);
};

/** PyTorch's pairs begin at the last axis. */
const pad: Translation = ([x], attrs) => {
  const pairs = attrs.list('pad');
  const low = pairs.filter((_, i) => i % 2 === 0).reverse();
  const high = pairs.filter((_, i) => i % 2 === 1).reverse();
  const mode = attrs.get('mode');
  const more = { mode: mode === undefined ? undefined : JSON.stringify(mode), value: attrs.number('value') };
  return `surround(${x}, ${listed(low)}, ${listed(high)}${named(more)})`;
};

const slice: Translation = ([x], attrs) => {
  const [dim, step] = [attrs.number('dim') ?? 0, attrs.number('step') ?? 1];
  const size = `shape(${x})[${dim}]`;
  const bound = (name: string, otherwise: string): string => {
    const n = attrs.number(name);
    if (n === undefined) return otherwise;
    return n < 0 ? `max(${size} + ${n}, 0)` : `min(${n}, ${size})`;
  };
  const [from, to] = [bound('start', '0'), bound('end', size)];
  if (step === 1) return `cut(${x}, ${dim}, ${from}, ${to})`;
  return `every_nth(${x}, ${dim}, ${from}, (${to} - ${from} + ${step - 1}) ~/ ${step}, ${step})`;
};

const select: Translation = ([x], attrs) => {
  const [dim, index] = [attrs.number('dim')!, attrs.number('index')!];
  const at = index < 0 ? `shape(${x})[${dim}] + ${index}` : String(index);
  return `squeeze(cut(${x}, ${dim}, ${at}, ${at} + 1), ${dim})`;
};

const narrow: Translation = ([x], attrs) => {
  const [start, length] = [attrs.number('start')!, attrs.number('length')!];
  return `cut(${x}, ${attrs.number('dim')}, ${start}, ${start + length})`;
};

const repeatEach: Translation = ([x], attrs) => {
  const [n, dim] = [attrs.number('repeats'), attrs.number('dim')];
  return dim === undefined ? `repeat_each(reshape(${x}, -1), ${n}, 0)` : `repeat_each(${x}, ${n}, ${dim})`;
};

/** x[:, …, at, …]: positions of any shape along one axis. */
const atIndex: Translation = ([x, at], attrs) => {
  const dim = attrs.number('dim') ?? 0;
  const picked = `take(${x}, reshape(${at}, -1), ${dim})`;
  const a = `from_start(${dim}, rank(${x}))`;
  return `reshape(${picked}, shape(${x})[0:${a}] + shape(${at}) + shape(${x})[${a} + 1:])`;
};

const whole = (at: string, like: string, dim: number): string =>
  `whole_slices(${at}, shape(${like}), ${dim})`;

const diagonal: Translation = ([x], attrs) => {
  const [a, b] = [attrs.number('dim1') ?? 0, attrs.number('dim2') ?? 1];
  return `diagonal(${x}, ${attrs.number('offset') ?? 0}, ${a}, ${b})`;
};

/** A matrix from a vector, or a vector from a matrix. */
const diag: Translation = ([x], attrs, given) => {
  const k = attrs.number('diagonal') ?? 0;
  const known = given(x!);
  if (!known) throw new Untranslated('diag of a computed value');
  return known.shape.length === 1 ? `diagonal_matrix(${x}, ${k})` : `diagonal(${x}, ${k})`;
};

const stack: Translation = (args, attrs) => `stack(${args.join(', ')}, axis = ${attrs.number('dim') ?? 0})`;

const rotate: Translation = ([x], attrs) => {
  const [a, b] = attrs.get('dims') === undefined ? [0, 1] : attrs.list('dims');
  const k = (((attrs.number('k') ?? 1) % 4) + 4) % 4;
  if (k === 0) return x!;
  if (k === 2) return `flip(flip(${x}, ${a}), ${b})`;
  return `swap_axes(flip(${x}, ${k === 1 ? b : a}), ${a}, ${b})`;
};

const unfold: Translation = ([x], attrs) =>
  `windows(${x}, ${attrs.number('dimension')}, ${attrs.number('size')}, ${attrs.number('step')})`;

const triangle =
  (name: string): Translation =>
  ([x], attrs) =>
    `${name}(${x}, ${attrs.number('diagonal') ?? 0})`;

/** Everything that moves elements about. */
export const shapeTranslations: ReadonlyMap<string, Translation> = new Map<string, Translation>([
  ['flatten', flatten],
  ['ravel', flatten],
  ['reshape', toShape('shape', 'size')],
  ['view', toShape('shape', 'size')],
  [
    'unflatten',
    ([x], attrs) =>
      `split_axis(${x}, ${attrs.number('dim')}, ${listed(attrs.numbers('sizes') ?? attrs.list('unflattened_size'))})`,
  ],
  ['permute', ([x], attrs) => `transpose(${x}, ${attrs.list('dims').join(', ')})`],
  ['transpose', transpose],
  ['swapaxes', transpose],
  ['swapdims', transpose],
  ['t', ([x]) => `swap_axes(${x}, 0, -1)`],
  ['movedim', ([x], attrs) => `move_axes(${x}, ${attrs.ints('source')}, ${attrs.ints('destination')})`],
  ['moveaxis', ([x], attrs) => `move_axes(${x}, ${attrs.ints('source')}, ${attrs.ints('destination')})`],
  ['squeeze', ([x], attrs) => `squeeze_all(${x}${named({ axis: attrs.ints('dim') })})`],
  ['unsqueeze', ([x], attrs) => `unsqueeze(${x}, ${attrs.number('dim')})`],
  ['expand', expand],
  ['broadcast_to', expand],
  ['repeat', tile],
  ['tile', tile],
  ['repeat_interleave', repeatEach],
  ['cat', (args, attrs) => `concat(${args.join(', ')}, axis = ${attrs.number('dim') ?? 0})`],
  ['concat', (args, attrs) => `concat(${args.join(', ')}, axis = ${attrs.number('dim') ?? 0})`],
  ['hstack', args => `concat(${args.join(', ')}, axis = min(1, rank(${args[0]}) - 1))`],
  ['vstack', args => `concat(${args.join(', ')}, axis = 0)`],
  ['stack', stack],
  ['narrow', narrow],
  ['select', select],
  ['slice', slice],
  ['flip', ([x], attrs) => each(x!, attrs.numbers('dims')!, 'flip')],
  ['fliplr', ([x]) => `flip(${x}, 1)`],
  ['flipud', ([x]) => `flip(${x}, 0)`],
  ['rot90', rotate],
  ['roll', roll],
  ['pad', pad],
  ['triu', triangle('triu')],
  ['tril', triangle('tril')],
  ['diagonal', diagonal],
  ['diag', diag],
  ['diag_embed', ([x], attrs) => `diagonal_matrix(${x}, ${attrs.number('offset') ?? 0})`],
  ['trace', ([x]) => `sum(diagonal(${x}))`],
  ['index_select', ([x, at], attrs) => `take(${x}, ${at}, ${attrs.number('dim')})`],
  ['index', atIndex],
  ['gather', ([x, at], attrs) => `pick(${x}, ${at}, ${attrs.number('dim')})`],
  ['take_along_dim', ([x, at], attrs) => `pick(${x}, ${at}, ${attrs.number('dim')})`],
  ['scatter_add', ([x, at, y], attrs) => `add_at(${x}, ${at}, ${y}, ${attrs.number('dim')})`],
  [
    'scatter',
    ([x, at, y], attrs) =>
      `put_at(${x}, ${at}, ${y ?? `(zeros(shape(${at})) + ${attrs.number('value')})`}, ${attrs.number('dim')})`,
  ],
  [
    'index_add',
    ([x, at, y], attrs) => {
      const [dim, alpha] = [attrs.number('dim')!, attrs.number('alpha') ?? 1];
      return `add_at(${x}, ${whole(at!, x!, dim)}, ${alpha} * ${y}, ${dim})`;
    },
  ],
  [
    'index_copy',
    ([x, at, y], attrs) => {
      const dim = attrs.number('dim')!;
      return `put_at(${x}, ${whole(at!, x!, dim)}, ${y}, ${dim})`;
    },
  ],
  ['one_hot', ([x], attrs) => `cast(one_hot(${x}, ${attrs.number('num_classes')}), i32)`],
  ['argsort', ([x], attrs) => `sort(${x}${order(attrs)}).index`],
  ['tensor_unfold', unfold],
]);

const order = (attrs: Attrs): string =>
  named({ axis: attrs.number('dim'), descending: attrs.boolean('descending') });

const chunks =
  (sizeOf: (x: string, attrs: Attrs, count: number, dim: number) => readonly [string, string][]): Parts =>
  ([x], count, attrs) => {
    const dim = attrs.number('dim') ?? 0;
    return sizeOf(x!, attrs, count, dim).map(([from, to]) => `cut(${x}, ${dim}, ${from}, ${to})`);
  };

const split = chunks((x, attrs, count, dim) => {
  const sizes =
    attrs.numbers('split_size') ?? attrs.numbers('split_size_or_sections') ?? attrs.list('sections');
  const size = `shape(${x})[${dim}]`;
  if (sizes.length > 1)
    return sizes.map((n, i) => {
      const from = sizes.slice(0, i).reduce((a, b) => a + b, 0);
      return [String(from), String(from + n)];
    });
  return Array.from({ length: count }, (_, i) => [
    `${i * sizes[0]!}`,
    `min(${(i + 1) * sizes[0]!}, ${size})`,
  ]);
});

const chunk = chunks((x, attrs, count, dim) => {
  const n = attrs.number('chunks')!;
  const size = `shape(${x})[${dim}]`;
  const step = `((${size} + ${n - 1}) ~/ ${n})`;
  return Array.from({ length: count }, (_, i) => [`${i} * ${step}`, `min(${i + 1} * ${step}, ${size})`]);
});

const unbind: Parts = ([x], count, attrs) => {
  const dim = attrs.number('dim') ?? 0;
  return Array.from({ length: count }, (_, i) => `squeeze(cut(${x}, ${dim}, ${i}, ${i + 1}), ${dim})`);
};

const meshgrid: Parts = (args, _, attrs) => {
  const swap = attrs.get('indexing') === 'xy' && args.length > 1;
  const place = (i: number): number => (swap && i < 2 ? 1 - i : i);
  const sizes = listed(args.map((__, i) => `len(${args[place(i)]})`));
  return args.map((x, i) => {
    const shape = listed(args.map((__, k) => (k === place(i) ? `len(${x})` : 1)));
    return `broadcast(reshape(${x}, ${shape}), ${sizes})`;
  });
};

const ordered =
  (name: string, argumentsOf: (attrs: Attrs) => string): Parts =>
  ([x], _, attrs) => {
    const text = `${name}(${x}${argumentsOf(attrs)})`;
    return [`${text}.values`, `${text}.index`];
  };

const topk = (attrs: Attrs): string => {
  attrs.get('sorted');
  return `, ${attrs.number('k')}${named({ axis: attrs.number('dim'), largest: attrs.boolean('largest') })}`;
};

/** Functions with several results. */
export const shapeParts: ReadonlyMap<string, Parts> = new Map<string, Parts>([
  ['split', split],
  ['chunk', chunk],
  ['unbind', unbind],
  ['meshgrid', meshgrid],
  ['topk', ordered('topk', topk)],
  ['sort', ordered('sort', order)],
]);
