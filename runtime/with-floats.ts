import { fromFloat16, toFloat16 } from './float16.ts';
import type { StateTensor } from './plan.ts';
import { parse, type Weights } from './state.ts';
import type { TensorValue, TypedArray } from './tensor.ts';

/**
 * Weights with floats in the precision in which a model keeps each: those of an f32 model for one that was compiled
 * with `--precision f16`, or the other way round. Everything else stays as it is.
 */
export function convertFloats(
  weights: Weights,
  { state }: { readonly state: readonly StateTensor[] },
): Record<string, TypedArray | TensorValue> {
  const dtypes = new Map(state.map(t => [t.name, t.dtype]));
  return Object.fromEntries(
    Object.entries(parse(weights)).map(([name, value]) => {
      if (!('shape' in value)) return [name, value];
      const { dtype, shape, data } = value;
      const to = dtypes.get(name);
      if (dtype === 'f32' && to === 'f16')
        return [name, { dtype: to, shape, data: Uint16Array.from(data, toFloat16) }];
      if (dtype === 'f16' && to === 'f32')
        return [name, { dtype: to, shape, data: Float32Array.from(data, fromFloat16) }];
      return [name, value];
    }),
  );
}
