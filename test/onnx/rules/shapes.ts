import { size } from '../../../src/ir/ndarray.ts';
import { fromStart, type Node, type Result, type Rule, range } from '../node.ts';
import { dtypeOf, elementOf } from '../tensor.ts';
import { float, list } from '../writer.ts';
import { pick, reshaped } from './text.ts';

function axesOf(n: Node, rank: number): readonly number[] | undefined {
  const attribute = n.numbers('axes');
  return (n.constants(1) ?? attribute)?.map(a => fromStart(a, rank));
}

/** Sizes of the result, as numbers that the compiler knows. */
function shapeOf(n: Node): Result {
  const { shape } = n.in(0);
  const bound = (v: number) => Math.min(Math.max(v < 0 ? v + shape.length : v, 0), shape.length);
  const end = n.number('end');
  const [from, to] = [bound(n.int('start', 0)), end === undefined ? shape.length : bound(end)];
  const constant = shape.slice(from, to);
  const sizes = constant.map((_, i) => `zeros([], dtype = i32) + shape(${n.x()})[${from + i}]`);
  const text = sizes.length > 0 ? `stack([${sizes.join(', ')}])` : 'zeros([0], dtype = i32)';
  return { text, element: 'int64', constant };
}

function reshapeTo(n: Node): readonly number[] {
  const { shape } = n.in(0);
  const attribute = n.numbers('shape');
  const given = n.constants(1) ?? attribute!;
  const keep = n.int('allowzero', 0) === 0;
  const to = given.map((d, i) => (d === 0 && keep ? shape[i]! : d));
  const known = to.filter(d => d !== -1);
  return to.map(d => (d === -1 ? size(shape) / size(known) : d));
}

function depthToSpace(n: Node): string {
  const [b, c, h, w] = n.in(0).shape as [number, number, number, number];
  const r = n.int('blocksize', 1);
  const d = c / (r * r);
  const deep = n.string('mode', 'DCR') === 'DCR';
  const [parts, order] = deep
    ? [
        [b, r, r, d, h, w],
        [0, 3, 4, 1, 5, 2],
      ]
    : [
        [b, d, r, r, h, w],
        [0, 1, 4, 2, 5, 3],
      ];
  return reshaped(`transpose(${reshaped(n.x(), parts)}, ${list(order)})`, [b, d, h * r, w * r]);
}

function spaceToDepth(n: Node): string {
  const [b, c, h, w] = n.in(0).shape as [number, number, number, number];
  const r = n.int('blocksize', 1);
  const deep = n.string('mode', 'DCR') === 'DCR';
  const parts = reshaped(n.x(), [b, c, h / r, r, w / r, r]);
  const order = deep ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4];
  return reshaped(`transpose(${parts}, ${list(order)})`, [b, c * r * r, h / r, w / r]);
}

function constantOf(n: Node): Result {
  const t = n.tensor('value');
  if (t) {
    const fed = n.writer.feed(t);
    return { text: fed.text, element: t.element, constant: t.data };
  }
  const [f, i] = [n.number('value_float'), n.number('value_int')];
  const [fs, is] = [n.numbers('value_floats'), n.numbers('value_ints')];
  const data = fs ?? is ?? [(f ?? i)!];
  if (data[0] === undefined && !fs && !is) n.no('this value');
  const element = fs || f !== undefined ? 'float' : 'int64';
  const fed = n.writer.feed({ element, shape: fs || is ? [data.length] : [], data });
  return { text: fed.text, element, constant: data };
}

function filled(n: Node): Result {
  const { element, data } = n.tensor('value') ?? { element: 'float' as const, data: [0] };
  const shape = list(n.constants(0)!);
  const dtype = dtypeOf(element);
  if (dtype === 'bool') return { text: `zeros(${shape}) == ${data[0] ? 0 : 1}`, element };
  return { text: `zeros(${shape}, dtype = ${dtype}) + ${float(data[0]!)}`, element };
}

export const shapes: Readonly<Record<string, Rule>> = {
  Reshape: n => reshaped(n.x(), reshapeTo(n)),
  Flatten: n => {
    const { shape } = n.in(0);
    const axis = fromStart(n.int('axis', 1), shape.length);
    return reshaped(n.x(), [size(shape.slice(0, axis)), size(shape.slice(axis))]);
  },
  Transpose: n => {
    const rank = n.in(0).shape.length;
    const perm = n.numbers('perm') ?? range(0, rank).reverse();
    return rank === 0 ? n.x() : `transpose(${n.x()}, ${list(perm)})`;
  },
  Squeeze: n => {
    const { shape } = n.in(0);
    const axes = axesOf(n, shape.length);
    const gone = (i: number) => (axes ? axes.includes(i) : shape[i] === 1);
    return reshaped(
      n.x(),
      shape.filter((_, i) => !gone(i)),
    );
  },
  Unsqueeze: n => {
    const { shape } = n.in(0);
    const count = (n.constants(1) ?? n.numbers('axes'))!.length;
    const axes = axesOf(n, shape.length + count)!;
    const rest = [...shape];
    return reshaped(
      n.x(),
      range(0, shape.length + count).map(i => (axes.includes(i) ? 1 : rest.shift()!)),
    );
  },
  Concat: n => {
    const axis = fromStart(n.int('axis', 1), n.in(0).shape.length);
    return `concat([${n.inputs.map((_, i) => n.x(i)).join(', ')}], axis = ${axis})`;
  },
  Expand: n => {
    const { shape } = n.in(0);
    const to = n.constants(1)!;
    const rank = Math.max(shape.length, to.length);
    const at = (s: readonly number[], i: number) => s[i - rank + s.length] ?? 1;
    return `broadcast(${n.x()}, ${list(range(0, rank).map(i => (at(shape, i) === 1 ? at(to, i) : at(shape, i))))})`;
  },
  Tile: n => {
    const { shape } = n.in(0);
    const times = n.constants(1)!;
    return shape.reduce(
      (text, d, axis) =>
        times[axis] === 1 ? text : n.let(pick(text, axis, `iota(${d * times[axis]!}) % ${d}`)),
      n.x(),
    );
  },
  Shape: shapeOf,
  Size: n => ({
    text: `zeros([], dtype = i32) + count(${n.x()}, axis = all)`,
    element: 'int64',
    constant: [size(n.in(0).shape)],
  }),
  Constant: constantOf,
  ConstantOfShape: filled,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  EyeLike: n => {
    const [rows, columns] = n.in(0).shape as [number, number];
    const type = n.number('dtype');
    const element = type === undefined ? n.in(0).element : elementOf(type);
    const text = `iota(${rows}, ${columns}, axis = 1) - iota(${rows}, ${columns}) == ${n.int('k', 0)}`;
    return { text: dtypeOf(element) === 'bool' ? text : `cast(${text}, ${dtypeOf(element)})`, element };
  },
  Range: n => {
    const [from, to, step] = [0, 1, 2].map(i => n.constants(i)![0]!) as [number, number, number];
    const count = Math.max(Math.ceil((to - from) / step), 0);
    const { element } = n.in(0);
    const text = `${float(from)} + ${float(step)} * iota(${count}, dtype = ${dtypeOf(element)})`;
    return { text, element, constant: range(0, count).map(i => from + i * step) };
  },
  CenterCropPad: n => {
    const { shape } = n.in(0);
    const axes = (n.numbers('axes') ?? range(0, shape.length)).map(a => fromStart(a, shape.length));
    const to = n.constants(1)!;
    const low = shape.map(() => 0);
    const high = shape.map(() => 0);
    axes.forEach((axis, i) => {
      const more = to[i]! - shape[axis]!;
      low[axis] = more > 0 ? Math.floor(more / 2) : -Math.floor(-more / 2);
      high[axis] = more - low[axis]!;
    });
    return `primitive.pad(${n.x()}, low = ${list(low)}, high = ${list(high)})`;
  },
};
