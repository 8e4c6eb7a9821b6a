import { size } from '../../src/ir/ndarray.ts';
import type { DType } from '../../src/ir/type.ts';
import { bfloat16ToNumber, float16ToNumber } from '../../src/support/float16.ts';
import { Untranslated } from '../torch/attrs.ts';
import type { TensorProto } from './proto.ts';

/** Element types by their number in TensorProto. */
const elements = [
  undefined,
  'float',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'double',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
] as const;

export type Element = NonNullable<(typeof elements)[number]>;

export function elementOf(type: number): Element {
  const found = elements[type];
  if (!found) throw new Untranslated(`elements of type ${type}`);
  return found;
}

/** What stands for an element type: floats of any width are f32, integers wider or narrower than a word are words. */
export function dtypeOf(element: Element): DType {
  switch (element) {
    case 'float':
    case 'double':
    case 'float16':
    case 'bfloat16':
      return 'f32';
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
    case 'uint8':
    case 'uint16':
      return 'i32';
    case 'uint32':
    case 'uint64':
      return 'u32';
    case 'bool':
      return 'bool';
    default:
      throw new Untranslated(`${element} tensors`);
  }
}

export const isFloating = (element: Element): boolean => dtypeOf(element) === 'f32';

export interface Tensor {
  readonly element: Element;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export function readTensor(proto: TensorProto): Tensor {
  const element = elementOf(proto.data_type);
  const shape = proto.dims;
  const data = proto.raw_data.length > 0 ? rawData(element, proto.raw_data) : listed(element, proto);
  if (data.length !== size(shape)) throw new Error(`${proto.name}: ${data.length} elements for [${shape}]`);
  return { element, shape, data };
}

function rawData(element: Element, raw: Uint8Array): number[] {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const every = (bytes: number, read: (at: number) => number): number[] =>
    Array.from({ length: raw.byteLength / bytes }, (_, i) => read(i * bytes));
  switch (element) {
    case 'float':
      return every(4, at => view.getFloat32(at, true));
    case 'double':
      return every(8, at => view.getFloat64(at, true));
    case 'float16':
      return every(2, at => float16ToNumber(view.getUint16(at, true)));
    case 'bfloat16':
      return every(2, at => bfloat16ToNumber(view.getUint16(at, true)));
    case 'uint8':
    case 'bool':
      return every(1, at => view.getUint8(at));
    case 'int8':
      return every(1, at => view.getInt8(at));
    case 'uint16':
      return every(2, at => view.getUint16(at, true));
    case 'int16':
      return every(2, at => view.getInt16(at, true));
    case 'int32':
      return every(4, at => view.getInt32(at, true));
    case 'uint32':
      return every(4, at => view.getUint32(at, true));
    case 'int64':
      return every(8, at => Number(view.getBigInt64(at, true)));
    case 'uint64':
      return every(8, at => Number(view.getBigUint64(at, true)));
    default:
      throw new Untranslated(`${element} tensors`);
  }
}

/** Small and half types lie in `int32_data`, as their bits. */
function listed(element: Element, proto: TensorProto): readonly number[] {
  switch (element) {
    case 'float':
      return proto.float_data;
    case 'double':
      return proto.double_data;
    case 'int64':
      return proto.int64_data;
    case 'uint32':
    case 'uint64':
      return proto.uint64_data;
    case 'float16':
      return proto.int32_data.map(float16ToNumber);
    case 'bfloat16':
      return proto.int32_data.map(bfloat16ToNumber);
    case 'string':
      throw new Untranslated('string tensors');
    default:
      return proto.int32_data;
  }
}
