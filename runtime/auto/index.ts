import type * as on from '../loaded.ts';
import type { OpenOptions as GpuOptions } from '../open.ts';
import type { OpenOptions as WasmOptions } from '../wasm/open.ts';
import type { Target } from './choose.ts';

export type { ArrayOf, Input, Output, Runner, StepOptions } from '../loaded.ts';
export type { LoadOptions, SaveOptions, Weights } from '../state.ts';
export type { TensorInput, TensorValue, TypedArray } from '../tensor.ts';
export { chooseTarget, type Target } from './choose.ts';

/** Those of both targets; what does not concern the one that is chosen means nothing. */
export interface OpenOptions extends GpuOptions, WasmOptions {
  readonly target?: Target;
}

export type Loaded = on.Loaded;
export type LoadedNet = on.LoadedNet;
export type LoadedTrainer = on.LoadedTrainer;
