import type { IndexLike } from '../ir/affine.ts';
import * as A from '../ir/affine.ts';
import type { Index } from '../ir/compute.ts';
import * as D from '../ir/dim.ts';
import type { AttrSpec, Attrs } from '../ir/primitive.ts';
import { ShapeError } from '../ir/primitive.ts';
import type { TensorType } from '../ir/type.ts';
import { printType } from '../ir/type.ts';
import { intOf, requireCount } from './attributes.ts';
import { geometryAttrs, prepareGeometry, spatialRank } from './window.ts';

/** What convolution and its two gradients share; they differ in which of x, weight and output they compute. */
export const convolutionAttrs = {
  ...geometryAttrs,
  groups: { type: 'int', default: 1, doc: 'independent groups of channels; equal to C: depthwise' },
} as const satisfies Record<string, AttrSpec>;

export function prepareConvolution(
  op: string,
  names: readonly string[],
  types: readonly TensorType[],
  attrs: Attrs,
): Attrs {
  requireCount(op, names, types);
  const [a, b] = types;
  const count = spatialRank(a!, names[0]!);
  if (b!.shape.length !== count + 2)
    throw new ShapeError(
      `${names[0]} and ${names[1]} differ in rank: ${printType(a!)} against ${printType(b!)}`,
      {
        input: 1,
      },
    );
  const groups = intOf(attrs.groups, 'groups');
  if (groups < 1) throw new ShapeError(`groups must be at least 1, but is ${groups}`);
  return prepareGeometry({ ...attrs, groups }, count);
}

/** The attributes that the three pass on to each other. */
export function sharedAttrs(attrs: Attrs): Attrs {
  const { stride, dilation, pad_low, pad_high, groups } = attrs;
  return { stride: stride!, dilation: dilation!, pad_low: pad_low!, pad_high: pad_high!, groups: groups! };
}

/** A size that has to be a number: channels and kernel extents. */
export function fixedSize(type: TensorType, axis: number, input: number, name: string): number {
  const size = D.constantValue(type.shape[axis]!);
  if (size !== undefined && size >= 1) return size;
  throw new ShapeError(
    `dim ${axis} of ${name} must be a positive constant, but is ${D.print(type.shape[axis]!)}: ${printType(type)}`,
    { input },
  );
}

/** Kernel extents of a weight [O, C / groups, ...kernel]. */
export function kernelOf(weight: TensorType): number[] {
  return weight.shape.slice(2).map((_, i) => fixedSize(weight, i + 2, 1, 'weight'));
}

export function checkGroups(
  channels: number,
  groups: number,
  input: number,
  what: string,
  type: TensorType,
): void {
  if (channels % groups === 0) return;
  throw new ShapeError(`groups = ${groups} does not divide the ${channels} ${what}: ${printType(type)}`, {
    input,
  });
}

/** Channels of x and of the output, and how they pair up: output channel o reads group o ~/ outPerGroup. */
export interface Channels {
  readonly groups: number;
  readonly inPerGroup: number;
  readonly outPerGroup: number;
}

/** Channel of x that output channel `o` sees as its `c`-th. With one group that is c. */
export function inputChannel({ inPerGroup, outPerGroup }: Channels, o: IndexLike, c: IndexLike): Index {
  return A.add(A.mul(A.floordiv(o, outPerGroup), inPerGroup), c);
}
