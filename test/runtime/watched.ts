/** What was done to a device since it was watched. */
export interface Watched {
  /** Buffers that were made and not destroyed. */
  readonly buffers: ReadonlySet<GPUBuffer>;
  readonly made: () => number;
  /** Error scopes that are open. */
  readonly scopes: () => number;
  /** Listeners that were added to the device and not removed. */
  readonly listeners: () => number;
  readonly destroyed: () => boolean;
  readonly uncaptured: readonly string[];
}

/** Counts what happens to a device from now on, by methods of its own in place of its class's. */
export function watch(device: GPUDevice): Watched {
  const buffers = new Set<GPUBuffer>();
  const uncaptured: string[] = [];
  let [made, scopes, listeners, destroyed] = [0, 0, 0, false];
  device.addEventListener('uncapturederror', event => uncaptured.push(event.error.message));
  const of = Object.getPrototypeOf(device) as GPUDevice;
  device.createBuffer = descriptor => {
    const buffer = of.createBuffer.call(device, descriptor);
    const { destroy } = Object.getPrototypeOf(buffer) as GPUBuffer;
    buffers.add(buffer);
    made++;
    buffer.destroy = () => {
      buffers.delete(buffer);
      return destroy.call(buffer);
    };
    return buffer;
  };
  device.pushErrorScope = filter => {
    scopes++;
    return of.pushErrorScope.call(device, filter);
  };
  device.popErrorScope = () => {
    scopes--;
    return of.popErrorScope.call(device);
  };
  device.addEventListener = (...args: Parameters<EventTarget['addEventListener']>) => {
    listeners++;
    return of.addEventListener.call(device, ...args);
  };
  device.removeEventListener = (...args: Parameters<EventTarget['removeEventListener']>) => {
    listeners--;
    return of.removeEventListener.call(device, ...args);
  };
  device.destroy = () => {
    destroyed = true;
    return of.destroy.call(device);
  };
  return {
    buffers,
    uncaptured,
    made: () => made,
    scopes: () => scopes,
    listeners: () => listeners,
    destroyed: () => destroyed,
  };
}
