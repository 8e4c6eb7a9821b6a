import * as A from '../ir/affine.ts';
import * as D from '../ir/dim.ts';
import * as E from '../ir/expr.ts';
import { size } from '../ir/ndarray.ts';
import type { Primitive } from '../ir/primitive.ts';
import { ShapeError } from '../ir/primitive.ts';
import { threefry2x32 } from '../ir/scalar.ts';
import { printType } from '../ir/type.ts';
import { dimsOf, filled, intOf, requireCount } from './attributes.ts';
import { filledWith, shapes } from './samples.ts';

export const randomBits: Primitive = {
  name: 'random_bits',
  kind: 'source',
  inputs: ['key'],
  attrs: {
    shape: { type: 'dims', doc: 'the shape of the result' },
    site: { type: 'int', doc: 'a number that tells apart the places of one program that draw' },
  },
  doc:
    'Uniform random bits: element i in row-major order is threefry2x32(key[0], key[1], i, site), ' +
    'the same on every machine.',
  example: 'bits = random_bits(key, shape = [N, 10], site = 3)',
  prepare: (_, attrs) => ({
    shape: dimsOf(attrs.shape, 'random_bits: shape'),
    site: intOf(attrs.site, 'random_bits: site'),
  }),
  infer: (types, attrs) => {
    requireCount('random_bits', ['key'], types);
    const key = types[0]!;
    if (key.dtype !== 'u32' || key.shape.length !== 1 || !D.isConstant(key.shape[0]!, 2))
      throw new ShapeError(`random_bits: key is ${printType(key)}, expected u32[2]`, { input: 0 });
    return [{ dtype: 'u32', shape: dimsOf(attrs.shape, 'random_bits: shape') }];
  },
  reference: ([key], attrs, [out]) => {
    const data = new Float64Array(size(out!.shape.map(d => D.evaluate(d))));
    const [key0, key1] = key!.data;
    for (let i = 0; i < data.length; i++) data[i] = threefry2x32(key0!, key1!, i, attrs.site as number);
    return [filled(out!, data)];
  },
  lower: ([key], attrs, [out]) => {
    const axes = out!.shape.map((extent, i) => E.axis(`i${i}`, extent));
    const counter = E.indexValue(A.flatten(axes.map(A.index), out!.shape));
    const site = E.constant(attrs.site as number, 'u32');
    const bits = E.random(E.load(0, key!, [0]), E.load(0, key!, [1]), E.cast('u32', counter), site);
    return { inputs: [key!], axes, outs: [{ type: out!, value: bits }] };
  },
  samples: fc =>
    shapes(fc).chain(shape =>
      fc.record({
        inputs: fc.tuple(filledWith(fc, [2], fc.nat(0xffffffff), 'u32')),
        attrs: fc.record({ shape: fc.constant(shape), site: fc.nat(1000) }),
      }),
    ),
};
