import { fromStart, type Node, type Rule, range } from '../node.ts';
import { dtypeOf, isFloating } from '../tensor.ts';
import { float, list, type Value } from '../writer.ts';
import { reshaped } from './text.ts';

export const asFloat = (v: Value): string => (isFloating(v.element) ? v.text : `cast(${v.text}, f32)`);

/** Sums of products over the letters that the result does not have; a letter twice in one operand is its diagonal. */
function einsum(n: Node): string {
  const equation = n.string('equation', '').replaceAll(' ', '');
  const [left, right] = equation.split('->') as [string, string | undefined];
  const terms = left.split(',');
  const shapes = n.inputs.map((_, i) => n.in(i).shape);
  const letters = (term: string, rank: number): string[] => {
    const [before, after] = term.split('...') as [string, string | undefined];
    if (after === undefined) return [...before];
    const extra = rank - before.length - after.length;
    return [...before, ...range(0, extra).map(i => `.${extra - i}`), ...after];
  };
  const named = terms.map((t, i) => letters(t, shapes[i]!.length));
  const all = [...new Set(named.flat())];
  const dots = all.filter(l => l.startsWith('.')).sort((a, b) => b.localeCompare(a));
  const once = all.filter(l => !l.startsWith('.') && named.flat().filter(m => m === l).length === 1).sort();
  const result =
    right === undefined ? [...dots, ...once] : letters(right, right.replace('...', '').length + dots.length);
  const order = [...result, ...all.filter(l => !result.includes(l))];
  const factors = named.map((own, i) => {
    let text = asFloat(n.in(i));
    let axes = [...own];
    let sizes = [...shapes[i]!];
    for (const l of new Set(own)) {
      while (axes.indexOf(l) !== axes.lastIndexOf(l)) {
        const [a, b] = [axes.indexOf(l), axes.lastIndexOf(l)];
        const same = `iota(${list(sizes)}, axis = ${a}) == iota(${list(sizes)}, axis = ${b})`;
        text = n.let(`sum(where(${same}, ${text}, 0), axis = ${b})`);
        axes = axes.toSpliced(b, 1);
        sizes = sizes.toSpliced(b, 1);
      }
    }
    const present = order.filter(l => axes.includes(l));
    const perm = present.map(l => axes.indexOf(l));
    const shape = order.map(l => (axes.includes(l) ? sizes[axes.indexOf(l)]! : 1));
    const turned = perm.length > 1 ? n.let(`transpose(${text}, ${list(perm)})`) : text;
    return n.let(reshaped(turned, shape));
  });
  const product = factors.reduce((a, b) => n.let(`${a} * ${b}`));
  const folded = range(result.length, order.length);
  return folded.length > 0 ? `sum(${product}, axis = ${list(folded)})` : product;
}

const backTo = (text: string, v: Value): string =>
  isFloating(v.element) ? text : `cast(round(${text}), ${dtypeOf(v.element)})`;

function determinant(x: string, rows: readonly number[], columns: readonly number[]): string {
  if (rows.length === 1) return `${x}[..., ${rows[0]}, ${columns[0]}]`;
  return columns
    .map((c, i) => {
      const minor = determinant(
        x,
        rows.slice(1),
        columns.filter(other => other !== c),
      );
      return `${i % 2 ? '- ' : i ? '+ ' : ''}${x}[..., ${rows[0]}, ${c}] * (${minor})`;
    })
    .join(' ');
}

export const products: Readonly<Record<string, Rule>> = {
  MatMul: n => backTo(`${asFloat(n.in(0))} @ ${asFloat(n.in(1))}`, n.in(0)),
  Gemm: n => {
    const side = (i: number, flag: string) => {
      const x = asFloat(n.in(i));
      return n.int(flag, 0) ? `transpose(${x})` : x;
    };
    const product = `${float(n.float('alpha', 1))} * (${side(0, 'transA')} @ ${side(1, 'transB')})`;
    const beta = float(n.float('beta', 1));
    return backTo(n.has(2) ? `${product} + ${beta} * ${asFloat(n.in(2))}` : product, n.in(0));
  },
  Einsum: n => backTo(einsum(n), n.in(0)),
  Det: n => {
    const all = range(0, n.in(0).shape.at(-1)!);
    return determinant(n.x(), all, all);
  },
  /** Products with the matrices of cosines and sines. */
  DFT: n => {
    const { shape } = n.in(0);
    const rank = shape.length;
    const given = n.number('axis');
    const axis = fromStart(n.constants(2)?.[0] ?? given ?? (n.opset >= 20 ? -2 : 1), rank);
    const length = n.constants(1)?.[0] ?? shape[axis]!;
    const inverse = n.int('inverse', 0) !== 0;
    const half = n.int('onesided', 0) !== 0 ? Math.floor(length / 2) + 1 : length;
    if (inverse && half !== length) n.no('a one-sided inverse');
    const none = shape.map(() => 0);
    const cut = n.let(
      `primitive.pad(${n.x()}, low = ${list(none)}, high = ${list(none.with(axis, length - shape[axis]!))})`,
    );
    const others = range(0, rank - 1).filter(i => i !== axis);
    const perm = [...others, axis];
    const re = n.let(`transpose(${cut}[..., 0], ${list(perm)})`);
    const im = shape.at(-1) === 2 ? n.let(`transpose(${cut}[..., 1], ${list(perm)})`) : undefined;
    const turns = n.let(
      `cast(iota(${length}, ${half}) * iota(${length}, ${half}, axis = 1) % ${length}, f32)`,
    );
    const angle = n.let(`${turns} * ${float(((inverse ? 1 : -1) * 2 * Math.PI) / length)}`);
    const scale = inverse ? ` / ${length}` : '';
    const [c, s] = [n.let(`cos(${angle})`), n.let(`sin(${angle})`)];
    const back = range(0, rank - 1).map(i => perm.indexOf(i));
    const real = im ? `(${re} @ ${c} - ${im} @ ${s})` : `(${re} @ ${c})`;
    const imaginary = im ? `(${re} @ ${s} + ${im} @ ${c})` : `(${re} @ ${s})`;
    const turned = [real, imaginary].map(t => `transpose(${t}${scale}, ${list(back)})`);
    return `stack([${turned.join(', ')}], axis = ${rank - 1})`;
  },
};
