import type { MatrixUnits, Target } from './target.ts';

/** What is asked of a WebGPU device, or of an adapter with its `info`. */
export interface MatrixDevice {
  readonly features: { has(name: string): boolean };
  readonly limits: { readonly maxComputeWorkgroupStorageSize: number };
  readonly adapterInfo: {
    readonly subgroupMinSize?: number;
    readonly subgroupMaxSize?: number;
    readonly subgroupMatrixConfigs?: Iterable<MatrixConfig>;
  };
}

/** As Dawn reports a product of matrices. */
interface MatrixConfig {
  readonly componentType: string;
  readonly resultType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

const needed = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'];

/** The target, with the products of matrices that a device makes, and the memory it has for them; as it is where there are none. */
export function withMatrices(target: Target, { features, limits, adapterInfo }: MatrixDevice): Target {
  const matrices = needed.every(f => features.has(f)) ? unitsOf(adapterInfo) : undefined;
  if (!matrices) return target;
  const { maxComputeWorkgroupStorageSize } = limits;
  return { ...target, name: `${target.name} with matrices`, maxComputeWorkgroupStorageSize, matrices };
}

/** Where subgroups may have different sizes, it is not known how many a workgroup has. */
function unitsOf({
  subgroupMinSize,
  subgroupMaxSize,
  subgroupMatrixConfigs = [],
}: MatrixDevice['adapterInfo']): MatrixUnits | undefined {
  if (subgroupMaxSize === undefined || subgroupMinSize !== subgroupMaxSize) return undefined;
  const isFloat = (type: string): type is 'f16' | 'f32' => type === 'f16' || type === 'f32';
  const shapes = [...subgroupMatrixConfigs].flatMap(({ componentType, resultType, M: m, N: n, K: k }) =>
    isFloat(componentType) && isFloat(resultType)
      ? [{ component: componentType, result: resultType, m, n, k }]
      : [],
  );
  return shapes.length > 0 ? { subgroupSize: subgroupMaxSize, shapes } : undefined;
}
