export { BufferError, DeviceLostError, KernelError } from './errors.ts';
export type { ArrayOf, Input, Output, StepOptions } from './loaded.ts';
export { type OpenOptions, open } from './open.ts';
export type { Dispatch, DType, Kernel, Model, Program, Scalar, Size, StateTensor, Tensor } from './plan.ts';
export {
  type Loaded,
  type LoadedNet,
  type LoadedTrainer,
  openNet,
  openTrainer,
  type Trainer,
} from './program.ts';
export type { Session } from './session.ts';
export type { LoadOptions, SaveOptions, Weights } from './state.ts';
export type { TensorInput, TensorValue, TypedArray } from './tensor.ts';
export { readWeights, writeWeights } from './weights.ts';
export { convertFloats } from './with-floats.ts';
