import { range } from '../onnx/node.ts';
import type { Element } from '../onnx/tensor.ts';
import { float, list, type Value } from '../onnx/writer.ts';
import { Untranslated } from '../torch/attrs.ts';
import type { Call } from './call.ts';
import { images } from './images.ts';
import { quantised } from './quantised.ts';
import { recurrent } from './recurrent.ts';

type Rule = (c: Call) => readonly Value[];

/** An operator of one input that ONNX has too. */
const unary =
  (op: string, options: Readonly<Record<string, readonly [string, number]>> = {}): Rule =>
  c =>
    c.onnx(
      op,
      [c.operand('input')],
      Object.fromEntries(
        Object.entries(options).map(([name, [as, otherwise]]) => [as, c.number(name) ?? otherwise]),
      ),
    );

const binary =
  (op: string): Rule =>
  c =>
    c.onnx(op, [c.operand('a', 'input'), c.operand('b', 'inputB')]);

/** Logical results are 0 and 1 of uint8. */
const truth = (c: Call, made: readonly Value[]): readonly Value[] => [
  c.text(`cast(${made[0]!.text}, i32)`, 'uint8'),
];

const comparison =
  (op: string): Rule =>
  c =>
    truth(c, binary(op)(c));

const asBool = (c: Call, v: Value): Value => c.text(`${v.text} != 0`, 'bool');

const logical =
  (op: string): Rule =>
  c =>
    truth(
      c,
      c.onnx(op, [asBool(c, c.operand('a', 'input')), ...(op === 'Not' ? [] : [asBool(c, c.operand('b'))])]),
    );

const reduction =
  (op: string): Rule =>
  c => {
    const x = c.operand('input');
    const axes = c.numbers('axes');
    return c.onnx(op, [x, c.integers(axes ?? range(0, x.shape.length))], {
      keepdims: c.boolean('keepDimensions') ? 1 : 0,
      noop_with_empty_axes: 1,
    });
  };

const extreme =
  (op: string): Rule =>
  c => {
    const made = c.onnx(op, [c.operand('input')], {
      axis: c.number('axis')!,
      keepdims: c.boolean('keepDimensions') ? 1 : 0,
    });
    c.raw('outputDataType');
    return made;
  };

function batchNormalization(c: Call): readonly Value[] {
  const x = c.operand('input');
  const axis = c.number('axis') ?? 1;
  const along = list(x.shape.map((d, i) => (i === axis ? d : 1)));
  const [mean, variance] = ['mean', 'variance'].map(k => `reshape(${c.operand(k).text}, ${along})`);
  const [scale, bias] = ['scale', 'bias'].map(k => c.optional(k));
  const y = `(${x.text} - ${mean}) / sqrt(${variance} + ${float(c.number('epsilon') ?? 1e-5)})`;
  const scaled = scale ? `${y} * reshape(${scale.text}, ${along})` : y;
  return [c.text(bias ? `${scaled} + reshape(${bias.text}, ${along})` : scaled, x.element)];
}

function layerNormalization(c: Call): readonly Value[] {
  const x = c.operand('input');
  const axes = c.numbers('axes') ?? range(1, x.shape.length);
  const sorted = [...axes].sort((a, b) => a - b);
  const how = `axis = ${list(sorted)}, keep = true`;
  const eps = float(c.number('epsilon') ?? 1e-5);
  const y = c.text(
    `(${x.text} - mean(${x.text}, ${how})) / sqrt(variance(${x.text}, ${how}) + ${eps})`,
    x.element,
  );
  // Scale and bias have the axes in the order in which `axes` names them.
  const placed = (v: Value) =>
    axes.length < 2
      ? `reshape(${v.text}, ${list(x.shape.map((d, i) => (axes.includes(i) ? d : 1)))})`
      : `reshape(transpose(${v.text}, ${list(sorted.map(a => axes.indexOf(a)))}), ${list(x.shape.map((d, i) => (axes.includes(i) ? d : 1)))})`;
  const [scale, bias] = ['scale', 'bias'].map(k => c.optional(k));
  const scaled = scale ? `${y.text} * ${placed(scale)}` : y.text;
  return [c.text(bias ? `${scaled} + ${placed(bias)}` : scaled, x.element)];
}

function pad(c: Call): readonly Value[] {
  const x = c.operand('input');
  const edges = [...c.numbers('beginningPadding')!, ...c.numbers('endingPadding')!];
  const mode = c.string('mode', 'constant');
  const value = c.number('value') ?? 0;
  const modes: Readonly<Record<string, string>> = {
    constant: 'constant',
    edge: 'edge',
    reflection: 'reflect',
  };
  if (!modes[mode]) throw new Untranslated(`pad with mode ${mode}`);
  return c.onnx('Pad', [x, c.integers(edges), c.scalar(value, x.element)], { mode: modes[mode] });
}

function gemm(c: Call): readonly Value[] {
  const inputs = [c.operand('a'), c.operand('b'), c.optional('c')];
  return c.onnx('Gemm', inputs, {
    alpha: c.number('alpha'),
    beta: c.number('beta'),
    transA: c.boolean('aTranspose') ? 1 : 0,
    transB: c.boolean('bTranspose') ? 1 : 0,
  });
}

function split(c: Call): readonly Value[] {
  const x = c.operand('input');
  const parts = c.raw('splits') as number | readonly number[];
  const axis = c.number('axis') ?? 0;
  const sizes = typeof parts === 'number' ? range(0, parts).map(() => x.shape[axis]! / parts) : parts;
  return c.onnx('Split', [x, c.integers(sizes)], { axis }, sizes.length);
}

function slice(c: Call): readonly Value[] {
  const x = c.operand('input');
  const starts = c.numbers('starts')!;
  const sizes = c.numbers('sizes')!;
  const strides = c.numbers('strides') ?? starts.map(() => 1);
  const ends = starts.map((s, i) => s + sizes[i]!);
  const axes = range(0, starts.length);
  return c.onnx('Slice', [x, c.integers(starts), c.integers(ends), c.integers(axes), c.integers(strides)]);
}

const elementNames: Readonly<Record<string, Element>> = { float32: 'float' };

export const operators: Readonly<Record<string, Rule>> = {
  abs: unary('Abs'),
  ceil: unary('Ceil'),
  cos: unary('Cos'),
  erf: unary('Erf'),
  exp: unary('Exp'),
  floor: unary('Floor'),
  identity: unary('Identity'),
  log: unary('Log'),
  neg: unary('Neg'),
  reciprocal: unary('Reciprocal'),
  roundEven: unary('Round'),
  sign: unary('Sign'),
  sin: unary('Sin'),
  sqrt: unary('Sqrt'),
  tan: unary('Tan'),
  elu: unary('Elu', { alpha: ['alpha', 1] }),
  gelu: unary('Gelu'),
  hardSigmoid: unary('HardSigmoid', { alpha: ['alpha', 0.2], beta: ['beta', 0.5] }),
  hardSwish: unary('HardSwish'),
  leakyRelu: unary('LeakyRelu', { alpha: ['alpha', 0.01] }),
  relu: unary('Relu'),
  sigmoid: unary('Sigmoid'),
  softplus: unary('Softplus'),
  softsign: unary('Softsign'),
  tanh: unary('Tanh'),
  isNaN: c => truth(c, unary('IsNaN')(c)),
  isInfinite: c => truth(c, unary('IsInf')(c)),
  linear: c => {
    const x = c.operand('input');
    return [
      c.text(`${float(c.number('alpha') ?? 1)} * ${x.text} + ${float(c.number('beta') ?? 0)}`, x.element),
    ];
  },
  clamp: c => {
    const x = c.operand('input');
    const bound = (name: string) => {
      const value = c.number(name);
      return value === undefined || !Number.isFinite(value) ? undefined : c.scalar(value, x.element);
    };
    return c.onnx('Clip', [x, bound('minValue'), bound('maxValue')]);
  },
  add: binary('Add'),
  sub: binary('Sub'),
  mul: binary('Mul'),
  div: binary('Div'),
  max: binary('Max'),
  min: binary('Min'),
  pow: binary('Pow'),
  matmul: binary('MatMul'),
  prelu: c => c.onnx('PRelu', [c.operand('input'), c.operand('slope')]),
  equal: comparison('Equal'),
  notEqual: c => truth(c, [c.text(`${c.operand('a').text} != ${c.operand('b').text}`, 'bool')]),
  greater: comparison('Greater'),
  greaterOrEqual: comparison('GreaterOrEqual'),
  lesser: comparison('Less'),
  lesserOrEqual: comparison('LessOrEqual'),
  logicalAnd: logical('And'),
  logicalOr: logical('Or'),
  logicalXor: logical('Xor'),
  logicalNot: logical('Not'),
  where: c =>
    c.onnx('Where', [asBool(c, c.operand('condition')), c.operand('trueValue'), c.operand('falseValue')]),
  reduceL1: reduction('ReduceL1'),
  reduceL2: reduction('ReduceL2'),
  reduceLogSum: reduction('ReduceLogSum'),
  reduceLogSumExp: reduction('ReduceLogSumExp'),
  reduceMax: reduction('ReduceMax'),
  reduceMean: reduction('ReduceMean'),
  reduceMin: reduction('ReduceMin'),
  reduceProduct: reduction('ReduceProd'),
  reduceSum: reduction('ReduceSum'),
  reduceSumSquare: reduction('ReduceSumSquare'),
  argMax: extreme('ArgMax'),
  argMin: extreme('ArgMin'),
  softmax: c => c.onnx('Softmax', [c.operand('input')], { axis: c.number('axis') ?? -1 }),
  batchNormalization,
  layerNormalization,
  gemm,
  pad,
  split,
  slice,
  cast: c => {
    const x = c.operand('input');
    const type = c.string('type', c.string('dataType', 'float32'));
    const element = elementNames[type] ?? (type as Element);
    const zero = c.scalar(0, element);
    return c.onnx('CastLike', [x, zero]);
  },
  concat: c => c.onnx('Concat', c.operands('inputs'), { axis: c.number('axis')! }),
  cumulativeSum: c =>
    c.onnx('CumSum', [c.operand('input'), c.integers([c.number('axis')!])], {
      exclusive: c.boolean('exclusive') ? 1 : 0,
      reverse: c.boolean('reversed') ? 1 : 0,
    }),
  dequantizeLinear: c => quantised(c, true),
  quantizeLinear: c => quantised(c, false),
  expand: c => c.onnx('Expand', [c.operand('input'), c.integers(c.numbers('newShape')!)]),
  gather: c => c.onnx('Gather', [c.operand('input'), c.operand('indices')], { axis: c.number('axis') ?? 0 }),
  gatherElements: c =>
    c.onnx('GatherElements', [c.operand('input'), c.operand('indices')], { axis: c.number('axis') ?? 0 }),
  gatherND: c => c.onnx('GatherND', [c.operand('input'), c.operand('indices')]),
  scatterElements: c =>
    c.onnx('ScatterElements', [c.operand('input'), c.operand('indices'), c.operand('updates')], {
      axis: c.number('axis') ?? 0,
    }),
  scatterND: c => c.onnx('ScatterND', [c.operand('input'), c.operand('indices'), c.operand('updates')]),
  reshape: c => c.onnx('Reshape', [c.operand('input'), c.integers(c.numbers('newShape')!)], { allowzero: 1 }),
  reverse: c => {
    const x = c.operand('input');
    const axes = c.numbers('axes') ?? range(0, x.shape.length);
    if (axes.length === 0) return [x];
    const ones = axes.map(() => -1);
    return c.onnx('Slice', [
      x,
      c.integers(ones),
      c.integers(axes.map(() => Number.MIN_SAFE_INTEGER)),
      c.integers(axes),
      c.integers(ones),
    ]);
  },
  tile: c => c.onnx('Tile', [c.operand('input'), c.integers(c.numbers('repetitions')!)]),
  transpose: c => c.onnx('Transpose', [c.operand('input')], { perm: c.numbers('permutation') }),
  triangular: c => {
    const upper = c.raw('upper');
    return c.onnx('Trilu', [c.operand('input'), c.scalar(c.number('diagonal') ?? 0, 'int64')], {
      upper: upper === false ? 0 : 1,
    });
  },
  shape: c => c.onnx('Shape', [c.operand('input')]),
  unsqueeze: c => c.onnx('Unsqueeze', [c.operand('input'), c.integers(c.numbers('axes')!)]),
  ...images,
  ...recurrent,
};
