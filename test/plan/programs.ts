import fc from 'fast-check';
import * as D from '../../src/ir/dim.ts';
import type { KExpr, Kernel, Stmt } from '../../src/ir/kernel.ts';
import type { Program, ProgramOutput, Tensor, Work } from '../../src/ir/program.ts';
import { storageOf } from '../../src/ir/program.ts';
import { type DType, tensor as tensorType } from '../../src/ir/type.ts';
import type { WorkKernels } from '../../src/passes/plan-memory.ts';

export const N = D.symbol('N');
export const T = D.symbol('T');
export const H = D.symbol('H');

type Shape = readonly (D.Dim | number)[];

/** Tensors and kernels by hand. Kernels copy what they read to what they write, element 0 only. */
export class Builder {
  readonly tensors: Tensor[] = [];
  readonly works: WorkKernels[] = [];
  readonly outputs: ProgramOutput[] = [];
  readonly #touched: (Pick<Work, 'inputs' | 'outputs'> & { groups: D.Dim })[] = [];

  tensor(
    name: string,
    shape: Shape,
    more: Partial<Omit<Tensor, 'id' | 'name' | 'type'>> & { dtype?: DType } = {},
  ): Tensor {
    const { dtype = 'f32', ...rest } = more;
    const type = tensorType(dtype, shape);
    const made: Tensor = { id: this.tensors.length, name, type, role: 'temporary', origin: {}, ...rest };
    this.tensors.push(made);
    return made;
  }

  kernel(
    name: string,
    reads: readonly Tensor[],
    writes: readonly Tensor[],
    groups: D.Dim = D.constant(1),
  ): this {
    this.works.push({ kernels: [copyKernel(name, reads, writes, groups)], temporaries: [] });
    this.#touched.push({ inputs: reads, outputs: writes, groups });
    return this;
  }

  output(name: string, tensor: Tensor, role: ProgramOutput['role'] = 'result', target?: string): this {
    this.outputs.push({ name, role, tensor, ...(target !== undefined && { target }) });
    return this;
  }

  program(name = 'test'): Program {
    const { tensors, outputs } = this;
    const works = this.works.map((_, i): Work => {
      const { inputs = [], outputs = [], groups = D.constant(1) } = this.#touched[i] ?? {};
      // Nothing but that its sizes are those of its kernel.
      const region = { outer: [{ name: 'group', extent: groups }], stages: [] };
      return { name: `w${i}`, origin: {}, inputs, region, outputs, absorbed: [] };
    });
    return { name, tensors, works, outputs };
  }
}

export function copyKernel(
  name: string,
  reads: readonly Tensor[],
  writes: readonly Tensor[],
  groups: D.Dim = D.constant(1),
): Kernel {
  const read = [...new Set(reads.map(storageOf))];
  const written = [...new Set(writes.map(storageOf))];
  const zero: KExpr = { kind: 'const', dtype: 'i32', value: 0 };
  const sum = read
    .map((t): KExpr => ({ kind: 'load', dtype: 'f32', buffer: t.name, index: zero }))
    .reduce((a, b): KExpr => ({ kind: 'binary', dtype: 'f32', op: 'add', a, b }), {
      kind: 'const',
      dtype: 'f32',
      value: 1,
    });
  const body = written.map((t): Stmt => ({ kind: 'store', buffer: t.name, index: zero, value: sum }));
  const buffers = [...new Set([...read, ...written])].map(t => ({
    name: t.name,
    tensor: t,
    dtype: t.type.dtype,
    // As the scheduler does: readers are writable too where something else in the arena is written.
    access: 'read_write' as const,
  }));
  return { name, origin: {}, comments: [], buffers, workgroupSize: 64, groups, shared: [], body };
}

const small = fc.integer({ min: 1, max: 300 });

/** Shapes of every kind that networks have: constant, one free dim or two, halves, differences, none. */
const shape: fc.Arbitrary<Shape> = fc.oneof(
  small.map(a => [a]),
  small.map(a => [N, a]),
  small.map(a => [a, 3, N]),
  small.map(a => [N, T, a]),
  small.map(a => [N, D.floorDiv(D.add(H, D.constant(1)), D.constant(2)), a]),
  small.map(a => [N, D.sub(H, D.constant(2)), a]),
  small.map(a => [D.add(D.scale(N, 6), D.constant(9)), a]),
  fc.constantFrom<Shape>([], [0], [N, 0], [N], [T]),
);

const dtype = fc.constantFrom<DType>('f32', 'f32', 'i32', 'f16', 'bool', 'u8');

interface Draft {
  readonly inputs: readonly { shape: Shape; dtype: DType }[];
  readonly steps: readonly {
    readonly writes: readonly { shape: Shape; dtype: DType; view: boolean; output: boolean }[];
    readonly reads: readonly number[];
    readonly update: number | undefined;
    readonly pack: readonly number[] | undefined;
  }[];
}

const draft: fc.Arbitrary<Draft> = fc.record({
  inputs: fc.array(fc.record({ shape, dtype }), { minLength: 1, maxLength: 3 }),
  steps: fc.array(
    fc.record({
      writes: fc.array(
        fc.record({
          shape,
          dtype,
          view: fc.boolean(),
          output: fc.integer({ max: 4, min: 0 }).map(n => n === 0),
        }),
        { minLength: 1, maxLength: 2 },
      ),
      reads: fc.array(fc.nat(), { maxLength: 3 }),
      update: fc.option(fc.nat(), { nil: undefined, freq: 4 }),
      pack: fc.option(fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }), {
        nil: undefined,
        freq: 3,
      }),
    }),
    { minLength: 1, maxLength: 14 },
  ),
});

/** Random programs: each kernel reads earlier tensors, writes new ones, sometimes overwrites an old one or fills a pack. */
export const programs: fc.Arbitrary<Builder> = draft.map(({ inputs, steps }) => {
  const b = new Builder();
  const known: Tensor[] = inputs.map((t, i) =>
    b.tensor(`x${i}`, t.shape, { dtype: t.dtype, role: i % 2 ? 'data' : 'input', path: `x${i}` }),
  );
  steps.forEach((step, s) => {
    const reads = step.reads.map(r => known[r % known.length]!);
    const writes = step.writes.map((w, i) => b.tensor(`t${s}_${i}`, w.shape, { dtype: w.dtype }));
    const old = step.update === undefined ? undefined : known[step.update % known.length];
    b.kernel(`k${s}`, reads, old && storageOf(old).role === 'temporary' ? [...writes, old] : writes);
    step.writes.forEach((w, i) => {
      const t = writes[i]!;
      known.push(
        w.view ? b.tensor(`${t.name}_view`, [D.product(t.type.shape)], { dtype: t.type.dtype, view: t }) : t,
      );
      if (w.output) b.output(`out${s}_${i}`, known.at(-1)!, i ? 'metric' : 'result');
    });
    if (step.pack) {
      // One kernel for each member, one that reads all of them at once.
      const total = step.pack.reduce((sum, n) => sum + n * 64, 0);
      const pack = b.tensor(`p${s}`, [total], { role: 'pack' });
      let offset = 0;
      step.pack.forEach((n, i) => {
        const member = b.tensor(`p${s}_${i}`, [n * 64 - 5], { within: { pack, offset } });
        offset += n * 64;
        b.kernel(`k${s}_${i}`, reads, [member]);
        if (i === 0) known.push(member);
      });
      known.push(b.tensor(`r${s}`, [N]));
      b.kernel(`k${s}_all`, [pack], [known.at(-1)!]);
    }
  });
  return b;
});
