export { BufferError } from '../errors.ts';
export type { FillOptions } from '../fill.ts';
export type { ArrayOf, Input, Output, StepOptions } from '../loaded.ts';
export type { DType, Scalar, Size, StateTensor, Tensor } from '../plan.ts';
export type { LoadOptions, SaveOptions, Weights } from '../state.ts';
export type { TensorInput, TensorValue, TypedArray } from '../tensor.ts';
export { readWeights, writeWeights } from '../weights.ts';
export { convertFloats } from '../with-floats.ts';
export { type OpenOptions, open } from './open.ts';
export type { WasmDispatch, WasmModel, WasmProgram, WasmSource } from './plan.ts';
export {
  type Loaded,
  type LoadedNet,
  type LoadedTrainer,
  openNet,
  openTrainer,
  type Trainer,
} from './program.ts';
export type { Session } from './session.ts';
