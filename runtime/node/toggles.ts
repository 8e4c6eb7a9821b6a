/**
 * What Dawn is told where half precision is asked for: drivers of NVIDIA have f16, but Dawn does not believe them, and matrices
 * of subgroups are an experiment for it. Adapters without either are as they were.
 */
export const halfToggles: readonly string[] = [
  'vulkan_enable_f16_on_nvidia',
  'allow_unsafe_apis',
  'use_vulkan_memory_model',
];
