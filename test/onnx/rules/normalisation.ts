import { fromStart, type Node, type Rule, range } from '../node.ts';
import { float, list } from '../writer.ts';
import { reshaped } from './text.ts';

/** (x - mean) / sqrt(variance + eps) over some axes, and its two statistics. */
function standardised(n: Node, x: string, axes: readonly number[], eps: number) {
  const center = n.let(`mean(${x}, axis = ${list(axes)}, keep = true)`);
  const inverse = n.let(`1 / sqrt(variance(${x}, axis = ${list(axes)}, keep = true) + ${float(eps)})`);
  return { y: n.let(`(${x} - ${center}) * ${inverse}`), center, inverse };
}

const lastAxes = (n: Node): number[] => {
  const rank = n.in(0).shape.length;
  return range(fromStart(n.int('axis', -1), rank), rank);
};

/** Softmax and the like had two axes before opset 13: what is before `axis`, and the rest. */
const overAxis =
  (text: (x: string, axis: number) => string): Rule =>
  n => {
    const { shape } = n.in(0);
    const rank = shape.length;
    if (n.opset >= 13) return text(n.x(), fromStart(n.int('axis', -1), rank));
    const axis = fromStart(n.int('axis', 1), rank);
    const rows = shape.slice(0, axis).reduce((p, d) => p * d, 1);
    const flat = n.let(`reshape(${n.x()}, ${rows}, -1)`);
    return reshaped(text(flat, 1), shape);
  };

export const normalisation: Readonly<Record<string, Rule>> = {
  BatchNormalization: n => {
    const eps = n.float('epsilon', 1e-5);
    const momentum = float(n.float('momentum', 0.9));
    n.ignore('spatial', 'is_test');
    const [scale, bias, mean, variance] = [n.x(1), n.x(2), n.in(3), n.in(4)];
    if (!n.int('training_mode', 0))
      return `scale_channels(${n.x()}, ${mean.text}, ${variance.text}, ${scale}, ${bias}, ${float(eps)})`;
    const axes = list([0, ...range(2, n.in(0).shape.length)]);
    const now = n.let(`mean(${n.x()}, axis = ${axes})`);
    const spread = n.let(`variance(${n.x()}, axis = ${axes})`);
    const running = (old: string, given: string) => `${old} * ${momentum} + ${given} * (1 - ${momentum})`;
    return [
      `scale_channels(${n.x()}, ${now}, ${spread}, ${scale}, ${bias}, ${float(eps)})`,
      running(mean.text, now),
      running(variance.text, spread),
    ];
  },
  InstanceNormalization: n => {
    const axes = range(2, n.in(0).shape.length);
    const { y } = standardised(n, n.x(), axes, n.float('epsilon', 1e-5));
    return `${y} * per_channel(${n.x(1)}, ${n.x()}) + per_channel(${n.x(2)}, ${n.x()})`;
  },
  LayerNormalization: n => {
    n.ignore('stash_type');
    const { y, center, inverse } = standardised(n, n.x(), lastAxes(n), n.float('epsilon', 1e-5));
    const scaled = `${y} * ${n.x(1)}${n.has(2) ? ` + ${n.x(2)}` : ''}`;
    return [scaled, { text: center, element: 'float' }, { text: inverse, element: 'float' }];
  },
  RMSNormalization: n => {
    n.ignore('stash_type');
    const axes = list(lastAxes(n));
    const square = `mean(${n.x()} * ${n.x()}, axis = ${axes}, keep = true)`;
    return `${n.x()} / sqrt(${square} + ${float(n.float('epsilon', 1e-5))}) * ${n.x(1)}`;
  },
  GroupNormalization: n => {
    n.ignore('stash_type');
    const { shape } = n.in(0);
    const groups = n.int('num_groups', 1);
    const apart = n.let(reshaped(n.x(), [shape[0]!, groups, -1]));
    const { y } = standardised(n, apart, [2], n.float('epsilon', 1e-5));
    if (n.opset < 21) {
      const scaled = `${y} * unsqueeze(${n.x(1)}, 1) + unsqueeze(${n.x(2)}, 1)`;
      return reshaped(scaled, shape);
    }
    return `${reshaped(y, shape)} * per_channel(${n.x(1)}, ${n.x()}) + per_channel(${n.x(2)}, ${n.x()})`;
  },
  LpNormalization: n => {
    const axis = fromStart(n.int('axis', -1), n.in(0).shape.length);
    const p = n.int('p', 2);
    const sum = `sum(${p === 1 ? `abs(${n.x()})` : `${n.x()} * ${n.x()}`}, axis = ${axis}, keep = true)`;
    const length = n.let(p === 1 ? sum : `sqrt(${sum})`);
    return `where(${length} == 0, 0, ${n.x()} / where(${length} == 0, 1, ${length}))`;
  },
  MeanVarianceNormalization: n => {
    const axes = list(n.numbers('axes') ?? [0, 2, 3]);
    const spread = `sqrt(variance(${n.x()}, axis = ${axes}, keep = true))`;
    return `(${n.x()} - mean(${n.x()}, axis = ${axes}, keep = true)) / (${spread} + 1e-9)`;
  },
  Softmax: overAxis((x, axis) => `softmax(${x}, axis = ${axis})`),
  LogSoftmax: overAxis((x, axis) => `log_softmax(${x}, axis = ${axis})`),
  Hardmax: n =>
    overAxis(
      (x, axis) =>
        `cast(argmax(${x}, axis = ${axis}, keep = true) == iota(shape(${x}), axis = ${axis}), f32)`,
    )(n),
};
