import type { DType } from '../../ir/type.ts';
import { literal, valueType } from './literal.ts';
import { laneNames } from './vector.ts';

/** A function over vectors that calls one of scalars for every lane. */
export function lanewiseText(name: string, scalar: string, dtype: DType, operands: number): string {
  const type = valueType(dtype, 4);
  const names = ['a', 'b', 'c', 'd'].slice(0, operands);
  const calls = laneNames.map(lane => `    ${scalar}(${names.map(n => `${n}.${lane}`).join(', ')}),`);
  return `fn ${name}(${names.map(n => `${n}: ${type}`).join(', ')}) -> ${type} {
  return ${type}(
${calls.join('\n')}
  );
}`;
}

/** A function that loads neighbours; where the mask fails it reads element 0 instead and gives 0. `read` is one element. */
export function loaderText(
  name: string,
  read: (at: string) => string,
  dtype: DType,
  lanes: number,
  masked: boolean,
): string {
  const type = valueType(dtype, lanes);
  const zero = literal(0, dtype);
  const element = (lane: number): string => {
    const at = lane === 0 ? 'at' : `at + ${lane}`;
    const value = (place: string): string => (dtype === 'bool' ? `${read(place)} != 0u` : read(place));
    if (!masked) return value(at);
    const inside = lanes === 1 ? 'mask' : `mask.${laneNames[lane]}`;
    return `select(${zero}, ${value(`select(0, ${at}, ${inside})`)}, ${inside})`;
  };
  const parameters = masked ? `at: i32, mask: ${valueType('bool', lanes)}` : 'at: i32';
  if (lanes === 1) return `fn ${name}(${parameters}) -> ${type} {\n  return ${element(0)};\n}`;
  const parts = laneNames.map((_, lane) => `    ${element(lane)},`);
  return `fn ${name}(${parameters}) -> ${type} {
  return ${type}(
${parts.join('\n')}
  );
}`;
}
