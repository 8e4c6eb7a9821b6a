import { fromStart, type Node, type Rule, range } from '../node.ts';
import { dtypeOf, isFloating } from '../tensor.ts';
import { list } from '../writer.ts';

/** The axes that a reduction folds: an input since opset 13 or 18, an attribute before. */
function axesOf(n: Node): readonly number[] {
  const { shape } = n.in(0);
  const attribute = n.numbers('axes');
  const given = n.constants(1) ?? attribute;
  const noop = n.int('noop_with_empty_axes', 0) !== 0;
  if (given && given.length > 0) return given.map(a => fromStart(a, shape.length));
  return noop ? [] : range(0, shape.length);
}

/** `of` writes a fold over axes and whether they stay; `float`: its result is no integer. */
const reduction =
  (of: (x: string, how: string) => string, float = false): Rule =>
  n => {
    const { element } = n.in(0);
    const axes = axesOf(n);
    const how = `, axis = ${list(axes)}, keep = ${n.int('keepdims', 1) !== 0}`;
    const dtype = dtypeOf(element);
    if (dtype === 'bool') return `cast(${of(n.let(`cast(${n.x()}, i32)`), how)}, bool)`;
    if (!float || isFloating(element)) return of(n.x(), how);
    return `cast(${of(n.let(`cast(${n.x()}, f32)`), how)}, ${dtype})`;
  };

/** The least or largest of nothing is an infinity, which the language has no name for: the logarithm of an empty sum. */
const extreme =
  (name: 'max' | 'min'): Rule =>
  n => {
    const { shape, element } = n.in(0);
    const empty = isFloating(element) && shape.includes(0);
    const sign = name === 'max' ? '' : '-';
    return reduction(empty ? (x, how) => `${sign}log(sum(${x}${how}))` : (x, how) => `${name}(${x}${how})`)(
      n,
    );
  };

const position =
  (name: 'argmax' | 'argmin'): Rule =>
  n => {
    const { shape, element } = n.in(0);
    const axis = fromStart(n.int('axis', 0), shape.length);
    const keep = n.int('keepdims', 1) !== 0;
    const last = n.int('select_last_index', 0) !== 0;
    const x = isFloating(element) ? n.x() : n.let(`cast(${n.x()}, f32)`);
    const how = `axis = ${axis}, keep = ${keep}`;
    const text = last
      ? `${shape[axis]! - 1} - ${name}(flip(${x}, ${axis}), ${how})`
      : `${name}(${x}, ${how})`;
    return { text, element: 'int64' };
  };

export const reductions: Readonly<Record<string, Rule>> = {
  ReduceL1: reduction((x, how) => `sum(abs(${x})${how})`),
  ReduceL2: reduction((x, how) => `sqrt(sum(${x} * ${x}${how}))`, true),
  ReduceLogSum: reduction((x, how) => `log(sum(${x}${how}))`, true),
  ReduceLogSumExp: reduction((x, how) => `log_sum_exp(${x}${how})`, true),
  ReduceMax: extreme('max'),
  ReduceMean: reduction((x, how) => `mean(${x}${how})`, true),
  ReduceMin: extreme('min'),
  ReduceProd: reduction((x, how) => `prod(${x}${how})`),
  ReduceSum: reduction((x, how) => `sum(${x}${how})`),
  ReduceSumSquare: reduction((x, how) => `sum(${x} * ${x}${how})`),
  ArgMax: position('argmax'),
  ArgMin: position('argmin'),
};
