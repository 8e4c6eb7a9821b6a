import type { Dim } from '../../ir/dim.ts';
import * as D from '../../ir/dim.ts';
import type { StateLayout, StateSlot } from '../../ir/plan.ts';
import type { Tensor } from '../../ir/program.ts';
import { storageOf } from '../../ir/program.ts';
import type { TensorType } from '../../ir/type.ts';
import { elementCount } from '../../ir/type.ts';
import { InternalError } from '../../support/internal-error.ts';

/** What WebGPU asks of a binding's offset in every device. */
export const alignment = 256;

export const align = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;

/**
 * Bytes on the device, rounded up to whole words and never 0, since a binding may not be empty.
 * f16 takes 2 bytes an element, `u8` from the host 1 (`packed`), everything else a word.
 */
function storageBytes(type: TensorType, packed: boolean): Dim {
  const count = elementCount(type);
  const perWord = type.dtype === 'f16' ? 2 : type.dtype === 'u8' && packed ? 4 : 1;
  const words = D.floorDiv(D.add(count, D.constant(perWord - 1)), D.constant(perWord));
  return D.isConstant(words, 0) ? D.constant(4) : D.scale(words, 4);
}

export function tensorBytes(tensor: Tensor): Dim {
  const { type, role } = storageOf(tensor);
  return storageBytes(type, role === 'input' || role === 'data');
}

/** A tensor without views and packs around it, and where the wanted one lies in it. */
export interface Unit {
  readonly root: Tensor;
  /** Bytes. */
  readonly offset: number;
}

/** Follows views to the tensor they show and members to the pack that holds them. */
export function unitOf(tensor: Tensor): Unit {
  const storage = storageOf(tensor);
  if (!storage.within) return { root: storage, offset: 0 };
  const outer = unitOf(storage.within.pack);
  return { root: outer.root, offset: outer.offset + 4 * storage.within.offset };
}

const isState = (tensor: Tensor): boolean => tensor.role === 'param' || tensor.role === 'state';

/** Members of each pack (views left out), by the pack's id. */
export function packMembers(tensors: readonly Tensor[]): Map<number, Tensor[]> {
  const members = new Map<number, Tensor[]>();
  for (const tensor of tensors) {
    if (tensor.view || !tensor.within) continue;
    const { root } = unitOf(tensor);
    const list = members.get(root.id);
    if (list) list.push(tensor);
    else members.set(root.id, [tensor]);
  }
  return members;
}

/**
 * The place of a unit in the state buffer, or undefined if it belongs into the arena. A pack of parameters lies
 * where its members do; nothing else may lie inside it, for it is written as a whole.
 */
export function stateOffset(
  root: Tensor,
  members: readonly Tensor[],
  layout: StateLayout,
): number | undefined {
  if (isState(root)) return slotOf(root, layout).offset;
  if (root.role !== 'pack') return undefined;
  const inState = members.filter(isState);
  if (inState.length === 0) return undefined;
  const wrong = (why: string): never => {
    throw new InternalError(`pack ${root.name}: ${why}`);
  };
  if (inState.length < members.length) wrong('parameters and temporaries are packed together');
  const bases = members.map(m => slotOf(m, layout).offset - unitOf(m).offset);
  const base = bases[0]!;
  if (base < 0 || bases.some(b => b !== base)) wrong('its members lie elsewhere in the state buffer');
  const bytes = D.constantValue(tensorBytes(root));
  if (bytes === undefined || base + bytes > layout.bytes) wrong('it does not fit the state buffer');
  const names = new Set(members.map(m => m.path));
  for (const slot of layout.tensors)
    if (!names.has(slot.name) && slot.offset < base + bytes! && slot.offset + slotBytes(slot) > base)
      wrong(`${slot.name} lies inside it`);
  return base;
}

export function slotBytes(slot: StateSlot): number {
  const shape = slot.shape.map(D.constant);
  return D.evaluate(storageBytes({ dtype: slot.dtype, shape }, false));
}

const slotsByName = new WeakMap<StateLayout, ReadonlyMap<string, StateSlot>>();

function slotOf(tensor: Tensor, layout: StateLayout): StateSlot {
  let byName = slotsByName.get(layout);
  if (!byName) slotsByName.set(layout, (byName = new Map(layout.tensors.map(s => [s.name, s]))));
  const slot = byName.get(tensor.path ?? '');
  if (!slot)
    throw new InternalError(`${tensor.role} ${tensor.path ?? tensor.name} has no place in the state buffer`);
  const { dtype, shape } = tensor.type;
  if (slot.dtype !== dtype || slot.shape.join() !== shape.map(d => D.constantValue(d)).join())
    throw new InternalError(`${slot.name} has another type in the state buffer`);
  return slot;
}
