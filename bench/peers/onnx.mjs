// A graph as an ONNX model: the protobuf messages by hand, field numbers from onnx.proto.
import { folded } from '../works/values.mjs';

const varint = n => {
  const bytes = [];
  for (let v = BigInt(n); ; v >>= 7n) {
    const low = Number(v & 0x7fn);
    if (v < 0x80n) return [...bytes, low];
    bytes.push(low | 0x80);
  }
};
const text = new TextEncoder();
const integer = (field, n) => Uint8Array.from([...varint(field << 3), ...varint(n)]);
/** Bytes, text or a message (a list of fields). */
const part = (field, value) => {
  const body =
    typeof value === 'string' ? text.encode(value) : Array.isArray(value) ? Buffer.concat(value) : value;
  return Buffer.concat([Uint8Array.from([...varint((field << 3) | 2), ...varint(body.length)]), body]);
};

const float = 1;
const int64 = 7;
const raw = data => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
/** TensorProto: dims, data_type, name, raw_data. */
const tensor = (name, { data, shape }) => [
  ...shape.map(d => integer(1, d)),
  integer(2, data instanceof Float32Array ? float : int64),
  part(8, name),
  part(9, raw(data)),
];
/** ValueInfoProto with a TypeProto of fixed sizes. */
const value = (name, shape) => [
  part(1, name),
  part(2, [
    part(1, [
      integer(1, float),
      part(
        2,
        shape.map(d => part(1, [integer(1, d)])),
      ),
    ]),
  ]),
];
/** AttributeProto of an int or of ints. */
const attribute = ([name, v]) =>
  Array.isArray(v)
    ? [part(1, name), ...v.map(i => integer(8, i)), integer(20, 7)]
    : [part(1, name), integer(3, v), integer(20, 2)];

export function onnxModel(graph, params) {
  const nodes = [];
  const initializers = [];
  const constant = (name, t) => {
    initializers.push(part(5, tensor(name, t)));
    return name;
  };
  const emit = (type, inputs, output, attributes = {}) =>
    nodes.push(
      part(1, [
        ...inputs.map(i => part(1, i)),
        part(2, output),
        part(4, type),
        ...Object.entries(attributes).map(a => part(5, attribute(a))),
      ]),
    );
  const scalar = v => ({ data: Float32Array.of(v), shape: [] });
  for (const node of graph.nodes) {
    const { id, op, act, inputs, stride, pad, k } = node;
    const out = act ? `${id}.before` : id;
    const window = k && { kernel_shape: [k, k], strides: [stride, stride], pads: [pad, pad, pad, pad] };
    const factors = () => {
      const { weight, bias } = folded(node, params);
      return [...inputs, constant(`${id}.w`, weight), ...(bias ? [constant(`${id}.b`, bias)] : [])];
    };
    if (op === 'conv') {
      const { dilation, groups } = node;
      emit('Conv', factors(), out, { ...window, dilations: [dilation, dilation], group: groups });
    } else if (op === 'dense') emit('Gemm', factors(), out, { transB: 1 });
    else if (op === 'matmul') emit('MatMul', factors(), out);
    else if (op === 'max_pool') emit('MaxPool', inputs, out, window);
    else if (op === 'add') emit('Add', inputs, out);
    else if (op === 'flatten') emit('Flatten', inputs, out);
    else {
      emit('GlobalAveragePool', inputs, `${id}.pooled`);
      emit('Flatten', [`${id}.pooled`], out);
    }
    if (act === 'relu') emit('Relu', [out], id);
    else if (act)
      emit('Clip', [out, constant(`${id}.low`, scalar(0)), constant(`${id}.high`, scalar(6))], id);
  }
  const { id, shape } = graph.output;
  return Buffer.concat([
    integer(1, 8), // IR version
    part(7, [
      ...nodes,
      part(2, 'graph'),
      ...initializers,
      part(11, value('x', graph.input)),
      part(12, value(id, shape)),
    ]),
    part(8, [part(1, ''), integer(2, 13)]), // opset
  ]);
}
