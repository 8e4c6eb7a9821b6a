import binaryen from 'binaryen';
import type { WasmModel, WasmProgram } from '../../runtime/wasm/index.ts';

/**
 * Four kernels and the plainest driver that keeps the contract of decision 14. Control block: 0 the number of starts,
 * 4 the table, 8 threads that have met, 12 how often they have, 16 the first group that nobody has taken.
 */
const text = `(module
  (import "env" "memory" (memory 1 65536 shared))
  (type $kernel (func (param i32 i32 i32 i32)))
  (table 5 5 funcref)
  (elem (i32.const 0) $affine $update $init $pack $trap)

  (func $affine (param $from i32) (param $to i32) (param $args i32) (param $scratch i32)
    (local $j i32) (local $at i32)
    (block $end (loop $groups
      (br_if $end (i32.ge_u (local.get $from) (local.get $to)))
      (local.set $j (i32.const 0))
      (loop $elements
        (local.set $at (i32.add (i32.shl (local.get $from) (i32.const 4)) (local.get $j)))
        (f32.store (local.get $scratch)
          (f32.mul
            (f32.load offset=4 (i32.load (local.get $args)))
            (f32.load (i32.add (i32.load offset=4 (local.get $args)) (local.get $at)))))
        (f32.store (i32.add (i32.load offset=8 (local.get $args)) (local.get $at))
          (f32.add (f32.load (local.get $scratch))
            (f32.load (i32.add (i32.load offset=12 (local.get $args)) (local.get $j)))))
        (local.set $j (i32.add (local.get $j) (i32.const 4)))
        (br_if $elements (i32.lt_u (local.get $j) (i32.const 16))))
      (local.set $from (i32.add (local.get $from) (i32.const 1)))
      (br $groups))))

  (func $update (param $from i32) (param $to i32) (param $args i32) (param $scratch i32)
    (local $j i32) (local $w i32) (local $count i32)
    (loop $elements
      (local.set $w (i32.add (i32.load offset=12 (local.get $args)) (i32.shl (local.get $j) (i32.const 2))))
      (f32.store (local.get $w)
        (f32.add (f32.load (local.get $w))
          (f32.mul (f32.load (i32.load (local.get $args)))
            (f32.convert_i32_u
              (i32.load8_u (i32.add (i32.load offset=4 (local.get $args)) (local.get $j)))))))
      (local.set $j (i32.add (local.get $j) (i32.const 1)))
      (br_if $elements (i32.lt_u (local.get $j) (i32.const 3))))
    (local.set $count (i32.load offset=16 (local.get $args)))
    (i32.store (local.get $count)
      (i32.add (i32.load (local.get $count)) (i32.load (i32.load offset=8 (local.get $args))))))

  (func $init (param $from i32) (param $to i32) (param $args i32) (param $scratch i32)
    (local $j i32)
    (loop $elements
      (f32.store (i32.add (i32.load offset=4 (local.get $args)) (i32.shl (local.get $j) (i32.const 2)))
        (f32.convert_i32_u (i32.add (i32.load (i32.load (local.get $args))) (local.get $j))))
      (local.set $j (i32.add (local.get $j) (i32.const 1)))
      (br_if $elements (i32.lt_u (local.get $j) (i32.const 4))))
    (i32.store (i32.load offset=8 (local.get $args)) (i32.const 1)))

  (func $pack (param $from i32) (param $to i32) (param $args i32) (param $scratch i32)
    (memory.copy (i32.load offset=8 (local.get $args)) (i32.load offset=4 (local.get $args)) (i32.const 16))
    (i32.store offset=16 (i32.load offset=8 (local.get $args))
      (i32.add (i32.const 1) (i32.load offset=16 (i32.load offset=8 (local.get $args))))))

  (func $trap (param i32 i32 i32 i32) (unreachable))

  ;; In functions of their own: V8's first compiler loses locals of a function that sleeps or wakes.
  (func $wake (param $at i32) (drop (memory.atomic.notify (local.get $at) (i32.const -1))))

  (func $sleep (param $at i32) (param $value i32)
    (drop (memory.atomic.wait32 (local.get $at) (local.get $value) (i64.const -1))))

  (func $meet (param $thread i32) (param $threads i32)
    (local $times i32)
    (local.set $times (i32.atomic.load (i32.const 12)))
    (if (i32.eq (i32.atomic.rmw.add (i32.const 8) (i32.const 1)) (i32.sub (local.get $threads) (i32.const 1)))
      (then
        (i32.atomic.store (i32.const 8) (i32.const 0))
        (i32.atomic.store (i32.const 16) (i32.const 0))
        (i32.atomic.store (i32.const 12) (i32.add (local.get $times) (i32.const 1)))
        (call $wake (i32.const 12)))
      (else
        (loop $wait
          (if (local.get $thread)
            (then (call $sleep (i32.const 12) (local.get $times))))
          (br_if $wait (i32.eq (i32.atomic.load (i32.const 12)) (local.get $times)))))))

  (func $run (export "run") (param $thread i32) (param $threads i32) (param $table i32)
    (local $left i32) (local $from i32) (local $to i32) (local $scratch i32)
    (local.set $left (i32.load (local.get $table)))
    (local.set $scratch (i32.add (i32.load offset=4 (local.get $table))
      (i32.mul (local.get $thread) (i32.load offset=8 (local.get $table)))))
    (loop $dispatches
      (local.set $table (i32.add (local.get $table) (i32.const 16)))
      (if (i32.eq (local.get $threads) (i32.const 1))
        (then
          (call_indirect (type $kernel) (i32.const 0) (i32.load offset=4 (local.get $table))
            (i32.load offset=8 (local.get $table)) (local.get $scratch) (i32.load (local.get $table))))
        (else
          (block $none (loop $take
            (local.set $from (i32.atomic.rmw.add (i32.const 16) (i32.load offset=12 (local.get $table))))
            (br_if $none (i32.ge_u (local.get $from) (i32.load offset=4 (local.get $table))))
            (local.set $to (i32.add (local.get $from) (i32.load offset=12 (local.get $table))))
            (if (i32.gt_u (local.get $to) (i32.load offset=4 (local.get $table)))
              (then (local.set $to (i32.load offset=4 (local.get $table)))))
            (call_indirect (type $kernel) (local.get $from) (local.get $to)
              (i32.load offset=8 (local.get $table)) (local.get $scratch) (i32.load (local.get $table)))
            (br $take)))
          (call $meet (local.get $thread) (local.get $threads))))
      (br_if $dispatches (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))

  (func (export "start") (param $table i32)
    (i32.atomic.store (i32.const 4) (local.get $table))
    (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
    (call $wake (i32.const 0)))

  (func (export "serve") (param $thread i32) (param $threads i32)
    (local $seen i32) (local $table i32)
    (loop $again
      (loop $wait
        (call $sleep (i32.const 0) (local.get $seen))
        (br_if $wait (i32.eq (i32.atomic.load (i32.const 0)) (local.get $seen))))
      (local.set $seen (i32.add (local.get $seen) (i32.const 1)))
      (if (local.tee $table (i32.atomic.load (i32.const 4)))
        (then
          (call $run (local.get $thread) (local.get $threads) (local.get $table))
          (br $again))))))`;

function assemble(): Uint8Array<ArrayBuffer> {
  const module = binaryen.parseText(text);
  module.setFeatures(
    binaryen.Features.Atomics | binaryen.Features.BulkMemory | binaryen.Features.BulkMemoryOpt,
  );
  if (!module.validate()) throw new Error('the module is not valid');
  return new Uint8Array(module.emitBinary());
}

export const bytes = assemble();

const padded = (N: number): number => Math.ceil((16 * N) / 256) * 256;

const predict: WasmProgram = {
  dims: ['N'],
  scalars: [{ name: 'a', dtype: 'f32' }],
  arenaBytes: N => 2 * padded(N!),
  constantBytes: 20,
  prologue: 1,
  writes: false,
  scratchBytes: 4,
  inputs: [{ name: 'x', dtype: 'f32', shape: ['N', 4], offset: 0 }],
  outputs: [{ name: 'y', dtype: 'f32', shape: ['N', 4], offset: N => padded(N!) }],
  dispatches: [
    {
      kernel: 3,
      bindings: [
        [0, 0, 16],
        [2, 0, 20],
      ],
      groups: 1,
    },
    {
      kernel: 0,
      bindings: [
        [1, 0, N => 16 * N!],
        [1, N => padded(N!), N => 16 * N!],
        [2, 0, 16],
      ],
      groups: N => N!,
    },
  ],
};

const step: WasmProgram = {
  dims: [],
  scalars: [{ name: 'a', dtype: 'f32' }],
  arenaBytes: 512,
  constantBytes: 0,
  prologue: 0,
  writes: true,
  scratchBytes: 0,
  inputs: [
    { name: 'x', dtype: 'u8', shape: [3], offset: 0 },
    { name: 'on', dtype: 'bool', shape: [], offset: 256 },
  ],
  outputs: [],
  dispatches: [1, 0].map(groups => ({
    kernel: 1,
    bindings: [
      [1, 0, 4],
      [1, 256, 4],
      [0, 0, 16],
      [0, 256, 4],
    ],
    groups,
  })),
};

/** Makes `w` from the seed. */
export const init: WasmProgram = {
  ...step,
  scalars: [{ name: 'seed', dtype: 'u32' }],
  inputs: [],
  dispatches: [
    {
      kernel: 2,
      bindings: [
        [0, 0, 16],
        [0, 256, 4],
      ],
      groups: 1,
    },
  ],
};

/** Tells how often its prologue has run, and what it has packed. */
export const counted: WasmProgram = {
  ...predict,
  dims: [],
  scalars: [],
  arenaBytes: 256,
  constantBytes: 32,
  inputs: [],
  outputs: [{ name: 'times', dtype: 'i32', shape: [1], offset: 0 }],
  dispatches: [
    predict.dispatches[0]!,
    {
      kernel: 3,
      bindings: [
        [2, 16, 16],
        [1, 0, 20],
      ],
      groups: 1,
    },
  ],
};

/** y = a·x + w with x: f32[N, 4], w: f32[4], and a step that adds 1 to `count` and a·x's first row to w. */
export const affine: WasmModel = {
  name: 'Affine',
  stateBytes: 512,
  state: [
    { name: 'w', role: 'param', dtype: 'f32', shape: [4], offset: 0 },
    { name: 'count', role: 'state', dtype: 'u8', shape: [1], offset: 256 },
  ],
  programs: { predict: [predict], step: [step] },
  module: bytes,
};

/** The model with a program replaced or added. */
export function withProgram(name: string, ...plans: WasmProgram[]): WasmModel {
  return { ...affine, programs: { ...affine.programs, [name]: plans } };
}

export { predict, step };
