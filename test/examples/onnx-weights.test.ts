import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { dnnc, f32, readTensorFile, temporaryFolder, writeTensors } from '../cli/helpers.ts';
import { exampleFile } from './train.ts';

const at = temporaryFolder();
const root = fileURLToPath(new URL('../..', import.meta.url));
const script = join(root, 'examples/scripts/onnx-weights.mjs');

function convert(from: string, to: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [script, from, to], { cwd: root, encoding: 'utf8' });
}

/** A field of a protocol buffer: of bytes, or a number. */
const field = (id: number, value: Uint8Array | number): Buffer =>
  typeof value === 'number'
    ? Buffer.from([id << 3, value])
    : Buffer.concat([Buffer.from([(id << 3) | 2, value.length]), value]);
const text = (id: number, value: string): Buffer => field(id, Buffer.from(value));
const message = (id: number, ...fields: Buffer[]): Buffer => field(id, Buffer.concat(fields));

// Numbers of TensorProto: dims 1, type 2, float_data 4, name 8, raw_data 9, double_data 10, location 14.
const raw = Buffer.from(new Float32Array([1, -2, 0.5, 4, 0, 8]).buffer);
const tensors = [
  message(5, field(1, 2), field(1, 3), field(2, 1), text(8, 'layer.weight'), field(9, raw)),
  message(
    5,
    field(1, 2),
    field(2, 1),
    text(8, 'layer.bias'),
    field(4, Buffer.from(new Float32Array([7, 9]).buffer)),
  ),
  message(
    5,
    field(1, 1),
    field(2, 11),
    text(8, 'scale'),
    field(10, Buffer.from(new Float64Array([0.25]).buffer)),
  ),
  // A shape, as exporters leave them in models.
  message(
    5,
    field(1, 1),
    field(2, 7),
    text(8, 'shape'),
    field(9, Buffer.from(new BigInt64Array([3n]).buffer)),
  ),
];

// `npm ci` builds it; what is not built cannot be run.
describe.skipIf(!existsSync(join(root, 'dist/runtime/index.js')))('weights of ONNX models', () => {
  it('are written under their names, floats of any width as f32', () => {
    writeFileSync(at('model.onnx'), message(7, ...tensors));
    expect(convert(at('model.onnx'), at('w.safetensors'))).toMatchObject({ status: 0, stderr: '' });
    expect(readTensorFile(at('w.safetensors'))).toEqual({
      'layer.weight': f32([2, 3], i => [1, -2, 0.5, 4, 0, 8][i]!),
      'layer.bias': f32([2], i => [7, 9][i]!),
      scale: f32([1], () => 0.25),
    });
  });

  it.each([
    ['no model at all', Buffer.from('no model at all'), 'not an ONNX model'],
    ['a model without weights', message(7), 'without weights'],
    [
      'a tensor cut short',
      message(7, message(5, field(1, 3), field(2, 1), text(8, 'w'), field(9, raw.subarray(0, 8)))),
      'w: 2 values for [3]',
    ],
    [
      'half a number',
      message(7, message(5, field(1, 1), field(2, 1), text(8, 'w'), field(9, raw.subarray(0, 3)))),
      'w: 3 bytes',
    ],
    [
      'weights in another file',
      message(7, message(5, field(1, 1), field(2, 1), text(8, 'w'), field(14, 1))),
      'w lies in another file',
    ],
  ])('%s is an error that says so', (_, bytes, said) => {
    writeFileSync(at('bad.onnx'), bytes);
    const { status, stderr } = convert(at('bad.onnx'), at('bad.safetensors'));
    expect({ status, lines: stderr.trim().split('\n').length }).toEqual({ status: 1, lines: 1 });
    expect(stderr).toContain(said);
  });
});

const models = process.env.DNNC_MODELS ?? join(root, 'examples/models');
const published = join(models, 'superres_espcn_x3.onnx');

describe.skipIf(!existsSync(published))('the published ESPCN (in the folder DNNC_MODELS)', () => {
  it.each(['wasm', 'interpret'])('makes the picture that onnxruntime makes: %s', async target => {
    mkdirSync(at('superres'), { recursive: true });
    copyFileSync(exampleFile('superres'), at('superres/superres.dnn'));
    expect(convert(published, at('superres/superres.safetensors'))).toMatchObject({ status: 0 });
    const stored = (kind: string) =>
      Object.values(readTensorFile(published.replace('.onnx', `.${kind}.st`)))[0]!;
    const inputs = writeTensors(at('small.safetensors'), { x: stored('in') });
    const result = await dnnc(
      ...['run', at('superres/superres.dnn'), '--net', 'SuperRes', '--target', target],
      ...['--inputs', inputs, '--outputs', at('large.safetensors')],
    );
    expect(result).toMatchObject({ code: 0 });
    const [ours, theirs] = [readTensorFile(at('large.safetensors')).out!, stored('out')];
    expect(ours.shape).toEqual(theirs.shape);
    const gaps = Array.from(ours.data, (v, i) => Math.abs(v - theirs.data[i]!));
    expect(Math.max(...gaps)).toBeLessThan(1e-5);
    expect(readFileSync(exampleFile('superres'), 'utf8')).toContain('weights "./superres.safetensors"');
  });
});
