import type { Origin } from '../ir/graph.ts';
import type { Program, Tensor } from '../ir/program.ts';
import type { TensorType } from '../ir/type.ts';

/** Makes the tensors that a pass adds to a program. */
export class Temporaries {
  readonly made: Tensor[] = [];
  readonly #names: Set<string>;
  #nextId: number;

  constructor({ tensors }: Pick<Program, 'tensors'>) {
    this.#names = new Set(tensors.map(t => t.name));
    this.#nextId = tensors.reduce((n, t) => Math.max(n, t.id), 0) + 1;
  }

  /** A tensor of that name, with a number where another has it; a view of another where one is given. */
  make(wish: string, type: TensorType, origin: Origin, view?: Tensor): Tensor {
    let name = wish;
    for (let n = 2; this.#names.has(name); n++) name = `${wish}_${n}`;
    this.#names.add(name);
    const id = this.#nextId++;
    const tensor: Tensor = { id, name, type, role: 'temporary', origin, ...(view && { view }) };
    this.made.push(tensor);
    return tensor;
  }
}
