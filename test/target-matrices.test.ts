import { expect, test } from 'vitest';
import { printModule } from '../src/codegen/module.ts';
import { compile } from '../src/compile.ts';
import { gpuTarget } from '../src/ir/target.ts';
import { type MatrixDevice, withMatrices } from '../src/ir/target-matrices.ts';
import { matrixTarget } from './matrices.ts';

const features = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'];

const device = (info: object = {}, has = features): MatrixDevice => ({
  features: new Set(has),
  limits: { maxComputeWorkgroupStorageSize: 49152 },
  adapterInfo: {
    subgroupMinSize: 32,
    subgroupMaxSize: 32,
    subgroupMatrixConfigs: [
      { componentType: 'f16', resultType: 'f32', M: 16, N: 8, K: 16 },
      { componentType: 'u8', resultType: 'u32', M: 16, N: 16, K: 32 },
    ],
    ...info,
  },
});

test('a target has the products of matrices of its device', () => {
  expect(withMatrices(gpuTarget, device())).toMatchObject({
    name: 'gpu with matrices',
    kind: 'gpu',
    maxComputeWorkgroupStorageSize: 49152,
    matrices: {
      subgroupSize: 32,
      shapes: [{ component: 'f16', result: 'f32', m: 16, n: 8, k: 16 }],
    },
  });
});

test.each([
  ['a feature is missing', device({}, features.slice(1))],
  ['subgroups have several sizes', device({ subgroupMinSize: 8 })],
  ['nothing is said of subgroups', device({ subgroupMinSize: undefined, subgroupMaxSize: undefined })],
  ['there are none', device({ subgroupMatrixConfigs: [] })],
  ['a browser does not tell', device({ subgroupMatrixConfigs: undefined })],
  [
    'none is of floats',
    device({ subgroupMatrixConfigs: [{ componentType: 'u8', resultType: 'u32', M: 16, N: 16, K: 32 }] }),
  ],
])('it stays as it is where %s', (_, given) => {
  expect(withMatrices(gpuTarget, given)).toBe(gpuTarget);
});

test('a module says what it needs of its device', () => {
  const text = 'net P(a: f32[256, 256], b: f32[256, 256]) -> f32[256, 256] {\n  return a @ b\n}\n';
  const print = (precision: 'f16' | 'f32'): string => {
    const { entries, compiled } = compile({ name: 'p.dnn', text }, { target: matrixTarget, precision });
    return printModule('p.dnn', entries!, compiled!.layout);
  };
  const module = print('f16');
  expect(module).toContain("features: ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix']");
  expect(module).toContain('subgroupSize: 32');
  expect(print('f32')).toContain('features: []');
  expect(print('f32')).not.toContain('subgroupSize');
});
