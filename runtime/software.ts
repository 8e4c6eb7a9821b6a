/** Whether an adapter runs shaders on the CPU, as browsers say it or as the names of such adapters do. */
export function isSoftware({ vendor, architecture, device, description, isFallbackAdapter }: GPUAdapterInfo) {
  const words = `${vendor} ${architecture} ${device} ${description}`;
  return isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render|warp/i.test(words);
}
