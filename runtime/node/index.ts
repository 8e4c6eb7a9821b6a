export { isSoftware } from '../software.ts';
export {
  type AdapterChoice,
  type AdapterReport,
  type FoundAdapter,
  listAdapters,
  NoAdapterError,
  type RefusedDriver,
} from './adapters.ts';
export { type DeviceOptions, release, requestDevice } from './device.ts';
export { halfToggles } from './toggles.ts';
export { wait } from './wait.ts';
