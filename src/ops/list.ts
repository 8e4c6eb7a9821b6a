import type { Primitive } from '../ir/primitive.ts';
import { abs } from './abs.ts';
import { add } from './add.ts';
import { argmax } from './argmax.ts';
import { argmin } from './argmin.ts';
import { atan } from './atan.ts';
import { bitAnd } from './bit-and.ts';
import { bitNot } from './bit-not.ts';
import { bitOr } from './bit-or.ts';
import { bitXor } from './bit-xor.ts';
import { broadcast } from './broadcast.ts';
import { cast } from './cast.ts';
import { ceil } from './ceil.ts';
import { eq, ge, gt, le, lt, ne } from './comparison.ts';
import { concat } from './concat.ts';
import { constant } from './constant.ts';
import { convolution } from './convolution.ts';
import { convolutionInputGradient } from './convolution-input-gradient.ts';
import { convolutionWeightGradient } from './convolution-weight-gradient.ts';
import { cos } from './cos.ts';
import { div } from './div.ts';
import { erf } from './erf.ts';
import { exp } from './exp.ts';
import { expm1 } from './expm1.ts';
import { floor } from './floor.ts';
import { floordiv } from './floordiv.ts';
import { gather } from './gather.ts';
import { gradient } from './gradient.ts';
import { iota } from './iota.ts';
import { log } from './log.ts';
import { log1p } from './log1p.ts';
import { logicalAnd } from './logical-and.ts';
import { logicalNot } from './logical-not.ts';
import { logicalOr } from './logical-or.ts';
import { matmul } from './matmul.ts';
import { maxPool } from './max-pool.ts';
import { maxUnpool } from './max-unpool.ts';
import { maximum } from './maximum.ts';
import { minimum } from './minimum.ts';
import { mod } from './mod.ts';
import { mul } from './mul.ts';
import { neg } from './neg.ts';
import { pad } from './pad.ts';
import { pow } from './pow.ts';
import { randomBits } from './random-bits.ts';
import { reduceMax } from './reduce-max.ts';
import { reduceMin } from './reduce-min.ts';
import { reduceProd } from './reduce-prod.ts';
import { reduceSum } from './reduce-sum.ts';
import { relu } from './relu.ts';
import { reshape } from './reshape.ts';
import { round } from './round.ts';
import { scatterAdd } from './scatter-add.ts';
import { select } from './select.ts';
import { shiftLeft } from './shift-left.ts';
import { shiftRight } from './shift-right.ts';
import { sigmoid } from './sigmoid.ts';
import { sign } from './sign.ts';
import { sin } from './sin.ts';
import { size } from './size.ts';
import { slice } from './slice.ts';
import { sqrt } from './sqrt.ts';
import { stop } from './stop.ts';
import { sub } from './sub.ts';
import { tanh } from './tanh.ts';
import { transpose } from './transpose.ts';
import { unpoolGather } from './unpool-gather.ts';
import { windowSum } from './window-sum.ts';
import { windowSumGradient } from './window-sum-gradient.ts';

/** Every op that the compiler knows. What is not here is written in `.dnn`, in the standard library. */
export const primitives: readonly Primitive[] = [
  neg,
  abs,
  sign,
  floor,
  ceil,
  round,
  exp,
  log,
  sqrt,
  sin,
  cos,
  tanh,
  sigmoid,
  erf,
  atan,
  log1p,
  expm1,
  relu,
  logicalNot,
  add,
  sub,
  mul,
  div,
  floordiv,
  mod,
  pow,
  maximum,
  minimum,
  eq,
  ne,
  lt,
  le,
  gt,
  ge,
  bitAnd,
  bitOr,
  bitXor,
  shiftLeft,
  shiftRight,
  bitNot,
  logicalAnd,
  logicalOr,
  select,
  cast,
  stop,
  reshape,
  transpose,
  slice,
  pad,
  concat,
  broadcast,
  reduceSum,
  reduceProd,
  reduceMax,
  reduceMin,
  argmax,
  argmin,
  constant,
  iota,
  size,
  randomBits,
  matmul,
  convolution,
  convolutionInputGradient,
  convolutionWeightGradient,
  windowSum,
  windowSumGradient,
  maxPool,
  maxUnpool,
  unpoolGather,
  gather,
  scatterAdd,
  gradient,
];

const byName = new Map(primitives.map(p => [p.name, p]));

/** The op of this name, if there is one. */
export function primitive(name: string): Primitive | undefined {
  return byName.get(name);
}
