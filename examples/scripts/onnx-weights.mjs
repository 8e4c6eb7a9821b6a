// The weights of an ONNX model as a .safetensors file, under the names that the model gives them:
//   node examples/scripts/onnx-weights.mjs model.onnx weights.safetensors
// A net takes them with `weights "weights.safetensors" rename "names.json"`, where the table translates the names.
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { writeWeights } from 'dnnc/runtime';
import protobuf from 'protobufjs';

// The part of onnx.proto that holds weights; the numbers are those of the ONNX specification.
const field = (id, type, rule) => ({ id, type, ...(rule && { rule }) });
const root = protobuf.Root.fromJSON({
  options: { syntax: 'proto3' },
  nested: {
    Model: { fields: { graph: field(7, 'Graph') } },
    Graph: { fields: { node: field(1, 'Node', 'repeated'), initializer: field(5, 'Tensor', 'repeated') } },
    Node: {
      fields: { output: field(2, 'string', 'repeated'), attribute: field(5, 'Attribute', 'repeated') },
    },
    Attribute: { fields: { name: field(1, 'string'), value: field(5, 'Tensor') } },
    Tensor: {
      fields: {
        dims: field(1, 'int64', 'repeated'),
        type: field(2, 'int32'),
        floats: field(4, 'float', 'repeated'),
        words: field(5, 'int32', 'repeated'),
        name: field(8, 'string'),
        raw: field(9, 'bytes'),
        doubles: field(10, 'double', 'repeated'),
        location: field(14, 'int32'),
      },
    },
  },
});

/** What the numbers of element types stand for. Others (shapes in int64, texts …) are no weights and left out. */
const readers = {
  1: { dtype: 'f32', array: Float32Array, listed: t => t.floats },
  6: { dtype: 'i32', array: Int32Array, listed: t => t.words },
  10: { dtype: 'f16', array: Uint16Array, listed: t => t.words },
  11: { dtype: 'f32', array: Float64Array, listed: t => t.doubles },
};

/** Weights by name, of initializers and of constants. */
export function onnxWeights(bytes) {
  const type = root.lookupType('Model');
  let model;
  try {
    model = type.toObject(type.decode(bytes), { longs: Number, arrays: true, defaults: true });
  } catch (error) {
    throw new Error(`not an ONNX model: ${error.message}`);
  }
  const { initializer = [], node = [] } = model.graph ?? {};
  const constants = node.flatMap(({ output, attribute }) =>
    attribute.flatMap(({ name, value }) =>
      name === 'value' && value ? [{ ...value, name: output[0] }] : [],
    ),
  );
  const weights = [...initializer, ...constants].flatMap(tensor => {
    const value = tensorOf(tensor);
    return value ? [[tensor.name, value]] : [];
  });
  if (weights.length === 0) throw new Error('not an ONNX model, or one without weights');
  return Object.fromEntries(weights);
}

function tensorOf(tensor) {
  const reader = readers[tensor.type];
  if (!reader) return;
  if (tensor.location === 1) throw new Error(`${tensor.name} lies in another file, which this does not read`);
  const { raw, dims: shape } = tensor;
  if (raw.length % reader.array.BYTES_PER_ELEMENT > 0)
    throw new Error(`${tensor.name}: ${raw.length} bytes are no whole number of values`);
  // A copy begins at an address that any array accepts.
  const values =
    raw.length > 0 ? new reader.array(Uint8Array.from(raw).buffer) : reader.array.from(reader.listed(tensor));
  const count = shape.reduce((a, b) => a * b, 1);
  if (values.length !== count) throw new Error(`${tensor.name}: ${values.length} values for [${shape}]`);
  return { dtype: reader.dtype, shape, data: reader.dtype === 'f32' ? Float32Array.from(values) : values };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [from, to] = process.argv.slice(2);
  try {
    if (!from || !to)
      throw new Error('node examples/scripts/onnx-weights.mjs model.onnx weights.safetensors');
    const weights = onnxWeights(readFileSync(from));
    writeFileSync(to, writeWeights(weights));
    for (const [name, { dtype, shape }] of Object.entries(weights))
      console.log(`${name}: ${dtype}[${shape}]`);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
