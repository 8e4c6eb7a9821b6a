import type { KExpr, Kernel } from '../../src/ir/kernel.ts';
import type { DType } from '../../src/ir/type.ts';
import * as K from '../kernel/build.ts';

const at = (lanes: number): KExpr => K.mul(K.builtin('group'), K.i32(lanes));

/** Several lanes of a buffer from an index on. */
export function loadLanes(buffer: string, index: KExpr, lanes: number, dtype: DType, mask?: KExpr): KExpr {
  return {
    kind: 'load',
    dtype,
    buffer,
    index,
    ...(lanes > 1 && { lanes }),
    ...(mask && { mask }),
  };
}

/** y = f(x) or f(x, z), so many lanes a group. */
export function vector(
  name: string,
  lanes: number,
  count: number,
  f: (...args: KExpr[]) => KExpr,
  from: DType = 'f32',
  operands: readonly string[] = ['x'],
): Kernel {
  const value = f(...operands.map(n => loadLanes(n, at(lanes), lanes, from)));
  const to = value.dtype === 'u8' ? 'u32' : value.dtype;
  return K.kernel(
    name,
    [...operands.map(n => K.buffer(n, from)), K.buffer('y', to, 'read_write')],
    [K.store('y', at(lanes), value)],
    { groups: count / lanes, workgroupSize: 1 },
  );
}

/** The same expression of so many lanes. */
export function withLanes(e: KExpr, lanes: number): KExpr {
  return lanes === 1 ? e : ({ ...e, lanes } as KExpr);
}
