import type { Model } from '../../runtime/index.ts';

const block = 'struct Uniforms { N: u32, a: f32 };';

/** y = a·x + w with x: f32[N, 4], w: f32[4], and a step that adds 1 to `count` and a·x's first row to w. */
export const affine: Model = {
  name: 'Affine',
  stateBytes: 512,
  state: [
    { name: 'w', role: 'param', dtype: 'f32', shape: [4], offset: 0 },
    { name: 'count', role: 'state', dtype: 'u8', shape: [1], offset: 256 },
  ],
  features: [],
  limits: {},
  programs: {
    predict: {
      dims: ['N'],
      scalars: [{ name: 'a', dtype: 'f32' }],
      arenaBytes: N => 2 * Math.ceil((16 * N!) / 256) * 256,
      inputs: [{ name: 'x', dtype: 'f32', shape: ['N', 4], offset: 0 }],
      outputs: [{ name: 'y', dtype: 'f32', shape: ['N', 4], offset: N => Math.ceil((16 * N!) / 256) * 256 }],
      kernels: [
        {
          name: 'affine',
          from: 'affine.dnn:3:7',
          uniform: true,
          code: `${block}
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> w: array<f32>;
@group(0) @binding(3) var<uniform> u: Uniforms;
@compute @workgroup_size(64) fn affine(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < u.N * 4u) { y[id.x] = u.a * x[id.x] + w[id.x % 4u]; }
}`,
        },
      ],
      dispatches: [
        {
          kernel: 0,
          bindings: [
            [1, 0, N => 16 * N!],
            [1, N => Math.ceil((16 * N!) / 256) * 256, N => 16 * N!],
            [0, 0, 16],
          ],
          groups: N => Math.ceil((4 * N!) / 64),
        },
      ],
    },
    step: {
      dims: [],
      writes: true,
      scalars: [{ name: 'a', dtype: 'f32' }],
      arenaBytes: 512,
      inputs: [
        { name: 'x', dtype: 'u8', shape: [3], offset: 0 },
        { name: 'on', dtype: 'bool', shape: [], offset: 256 },
      ],
      outputs: [],
      kernels: [
        {
          name: 'update',
          from: 'affine.dnn:9:3',
          uniform: true,
          code: `struct Uniforms { a: f32 };
@group(0) @binding(0) var<storage, read_write> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> on: array<u32>;
@group(0) @binding(2) var<storage, read_write> w: array<f32>;
@group(0) @binding(3) var<storage, read_write> count: array<u32>;
@group(0) @binding(4) var<uniform> u: Uniforms;
@compute @workgroup_size(1) fn update() {
  for (var i = 0u; i < 3u; i++) { w[i] += u.a * f32((x[0] >> (8u * i)) & 255u); }
  count[0] += on[0];
}`,
        },
      ],
      dispatches: [
        {
          kernel: 0,
          bindings: [
            [1, 0, 4],
            [1, 256, 4],
            [0, 0, 16],
            [0, 256, 4],
          ],
          groups: 1,
        },
        {
          kernel: 0,
          bindings: [
            [1, 0, 4],
            [1, 256, 4],
            [0, 0, 16],
            [0, 256, 4],
          ],
          groups: 0,
        },
      ],
    },
  },
};

/** Counts how often its prologue runs: what that makes is not made again without need. */
export const counted: Model['programs'][string] = {
  dims: [],
  scalars: [],
  arenaBytes: 256,
  prologue: 1,
  constantBytes: 260,
  inputs: [],
  outputs: [{ name: 'times', dtype: 'i32', shape: [], offset: 0 }],
  kernels: [
    {
      name: 'count',
      from: 'affine.dnn:15:3',
      uniform: false,
      code: `@group(0) @binding(0) var<storage, read_write> times: array<i32>;
@compute @workgroup_size(1) fn count() { times[0] += 1; }`,
    },
    {
      name: 'tell',
      from: 'affine.dnn:16:3',
      uniform: false,
      code: `@group(0) @binding(0) var<storage, read_write> times: array<i32>;
@group(0) @binding(1) var<storage, read_write> told: array<i32>;
@compute @workgroup_size(1) fn tell() { told[0] = times[0]; }`,
    },
  ],
  dispatches: [
    { kernel: 0, bindings: [[2, 256, 4]], groups: 1 },
    {
      kernel: 1,
      bindings: [
        [2, 256, 4],
        [1, 0, 4],
      ],
      groups: 1,
    },
  ],
};

/** The model with a program replaced or added. */
export function withProgram(name: string, program: Model['programs'][string]): Model {
  return { ...affine, programs: { ...affine.programs, [name]: program } };
}
