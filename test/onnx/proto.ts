import protobuf from 'protobufjs';

const field = (id: number, type: string) => ({ id, type });
const repeated = (id: number, type: string) => ({ id, type, rule: 'repeated' });

/** The part of onnx.proto that node tests use; its numbers are those of the ONNX specification. */
const root = protobuf.Root.fromJSON(
  {
    options: { syntax: 'proto3' },
    nested: {
      ModelProto: {
        fields: { opset_import: repeated(8, 'OperatorSetIdProto'), graph: field(7, 'GraphProto') },
      },
      OperatorSetIdProto: { fields: { domain: field(1, 'string'), version: field(2, 'int64') } },
      GraphProto: {
        fields: {
          node: repeated(1, 'NodeProto'),
          initializer: repeated(5, 'TensorProto'),
          input: repeated(11, 'ValueInfoProto'),
          output: repeated(12, 'ValueInfoProto'),
        },
      },
      ValueInfoProto: { fields: { name: field(1, 'string'), type: field(2, 'TypeProto') } },
      TypeProto: { fields: { tensor_type: field(1, 'TensorTypeProto') } },
      TensorTypeProto: { fields: { elem_type: field(1, 'int32') } },
      NodeProto: {
        fields: {
          input: repeated(1, 'string'),
          output: repeated(2, 'string'),
          name: field(3, 'string'),
          op_type: field(4, 'string'),
          attribute: repeated(5, 'AttributeProto'),
          domain: field(7, 'string'),
        },
      },
      AttributeProto: {
        fields: {
          name: field(1, 'string'),
          f: field(2, 'float'),
          i: field(3, 'int64'),
          s: field(4, 'bytes'),
          t: field(5, 'TensorProto'),
          g: field(6, 'GraphProto'),
          floats: repeated(7, 'float'),
          ints: repeated(8, 'int64'),
          strings: repeated(9, 'bytes'),
          type: field(20, 'int32'),
        },
      },
      TensorProto: {
        fields: {
          dims: repeated(1, 'int64'),
          data_type: field(2, 'int32'),
          float_data: repeated(4, 'float'),
          int32_data: repeated(5, 'int32'),
          int64_data: repeated(7, 'int64'),
          name: field(8, 'string'),
          raw_data: field(9, 'bytes'),
          double_data: repeated(10, 'double'),
          uint64_data: repeated(11, 'uint64'),
        },
      },
    },
  },
  undefined,
);

export interface TensorProto {
  readonly dims: readonly number[];
  readonly data_type: number;
  readonly float_data: readonly number[];
  readonly int32_data: readonly number[];
  readonly int64_data: readonly number[];
  readonly double_data: readonly number[];
  readonly uint64_data: readonly number[];
  readonly name: string;
  readonly raw_data: Uint8Array;
}

export interface AttributeProto {
  readonly name: string;
  readonly f: number;
  readonly i: number;
  readonly s: Uint8Array;
  readonly t?: TensorProto;
  readonly g?: GraphProto;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
  readonly strings: readonly Uint8Array[];
  readonly type: number;
}

export interface NodeProto {
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly op_type: string;
  readonly attribute: readonly AttributeProto[];
  readonly domain: string;
}

export interface ValueInfoProto {
  readonly name: string;
  readonly type?: { readonly tensor_type?: { readonly elem_type: number } };
}

export interface GraphProto {
  readonly node: readonly NodeProto[];
  readonly initializer: readonly TensorProto[];
  readonly input: readonly ValueInfoProto[];
  readonly output: readonly ValueInfoProto[];
}

export interface ModelProto {
  readonly opset_import: readonly { readonly domain: string; readonly version: number }[];
  readonly graph: GraphProto;
}

/** 64-bit integers become doubles: exact up to 2^53. */
function decode(type: string, bytes: Uint8Array): unknown {
  const message = root.lookupType(type);
  return message.toObject(message.decode(bytes), { longs: Number, arrays: true, defaults: true });
}

export const decodeModel = (bytes: Uint8Array): ModelProto => decode('ModelProto', bytes) as ModelProto;
export const decodeTensor = (bytes: Uint8Array): TensorProto => decode('TensorProto', bytes) as TensorProto;
