import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { type KernelReport, reportKernels } from '../../src/cli/explain/kernels.ts';
import { chosen, reportProgram, sizesOf } from '../../src/cli/explain/programs.ts';
import { compile } from '../../src/compile.ts';
import type * as D from '../../src/ir/dim.ts';
import { gpuTarget, softwareTarget, subgroupTarget, type Target, wasmTarget } from '../../src/ir/target.ts';
import type { CompiledProgram } from '../../src/passes/pipeline.ts';
import { nominalValue } from '../../src/passes/schedule/grid.ts';

// Minutes, where other work shares the machine.
vi.setConfig({ testTimeout: 300_000 });

function programs(text: string, target: Target): ReadonlyMap<string, CompiledProgram> {
  const { compiled, diagnostics } = compile({ name: 'net.dnn', text }, { target });
  expect(diagnostics.filter(d => d.severity === 'error')).toEqual([]);
  return compiled!.programs;
}

/** The rows of the first net. */
function rows(text: string, target: Target, given: D.DimEnv = {}): readonly KernelReport[] {
  const program = programs(text, target).get('A')!;
  const dims = sizesOf(program, given);
  return reportKernels(chosen(program, dims).plan, dims);
}

const net = (body: string, x = 'f32[N, 8, 16, 16]'): string =>
  `net A(x: ${x}) -> f32[...] {\n  return ${body}\n}`;

describe('what a kernel says of its schedule', () => {
  const lenet = readFileSync(new URL('../../examples/lenet/lenet.dnn', import.meta.url), 'utf8');
  const targets = [gpuTarget, softwareTarget, subgroupTarget, wasmTarget];
  const compiled = new Map<Target, ReturnType<typeof programs>>();
  const lenetFor = (target: Target): ReturnType<typeof programs> => {
    const known = compiled.get(target) ?? programs(lenet, target);
    compiled.set(target, known);
    return known;
  };

  it.each(targets)('is there for every dispatch of LeNet: $name', target => {
    for (const { plan } of lenetFor(target).values())
      for (const { scheduled } of plan.dispatches) {
        expect(scheduled.schedule?.name).toMatch(/^[a-z ]+$/);
        expect(scheduled.schedule!.absorbed.length).toBeGreaterThan(0);
      }
  });

  // The number of workgroups follows from the tile: a tile that is not the kernel's own would give another.
  it.each([gpuTarget, softwareTarget, subgroupTarget])(
    'gives tiles that cover the outputs: $name',
    target => {
      const found = new Set<string>();
      for (const { plan } of lenetFor(target).values())
        for (const { scheduled } of plan.dispatches) {
          const { name, tile, workgroup, compute } = scheduled.schedule!;
          if (!compute.reduce) continue;
          found.add(name);
          const extent = (axis: string): number =>
            axis
              .split('·')
              .reduce((n, a) => n * nominalValue(compute.axes.find(x => x.name === a)!.extent), 1);
          const groups = nominalValue(scheduled.groups);
          if (workgroup) {
            const named = workgroup.flatMap(w => w.axis.split('·'));
            const batch = compute.axes.filter(a => !named.includes(a.name));
            const blocks = workgroup.reduce((n, w) => n * Math.ceil(extent(w.axis) / w.size), 1);
            expect(groups).toBe(batch.reduce((n, a) => n * nominalValue(a.extent), blocks));
            const threads = workgroup.reduce((n, w, i) => (n * w.size) / tile[i]!.size, 1);
            expect(scheduled.workgroupSize).toBe(threads);
            continue;
          }
          const sizes = new Map(tile.map(t => [t.axis, t.size]));
          const tiles = compute.axes.map(a => Math.ceil(nominalValue(a.extent) / (sizes.get(a.name) ?? 1)));
          const all = tiles.reduce((n, t) => n * t, 1);
          // Lanes that share loads are counted apart from what they share.
          if (name === 'register tiles') expect(groups).toBe(Math.ceil(all / scheduled.workgroupSize));
          else expect(groups).toBeGreaterThanOrEqual(all / scheduled.workgroupSize);
        }
      expect([...found].sort()).toEqual(
        {
          gpu: ['register tiles', 'workgroup tiles'],
          software: ['register tiles'],
          'software with subgroups': ['register tiles', 'shared loads'],
        }[target.name],
      );
    },
  );

  it('names the parts of a split reduction', () => {
    const found = rows('net A(x: f32[4, 100000]) -> f32[4] { return sum(x, axis = 1) }', gpuTarget);
    expect(found.map(k => k.role)).toEqual([
      expect.stringMatching(/^split in \d+: parts$/),
      expect.stringMatching(/^split in \d+: end$/),
    ]);
  });

  it('names the four works of Winograd, those beside it, and what runs once', () => {
    const found = rows(
      net('x -> conv(16, 3, pad = 1, bias = false) -> relu', 'f32[N, 16, 32, 32]'),
      wasmTarget,
      { N: 1 },
    );
    expect(found.map(k => [k.schedule, k.role, k.once])).toEqual([
      ['vector map', 'Winograd filter', true],
      ['vector map', 'copy with a border', false],
      ['vector map', 'Winograd image', false],
      ['vector tiles', 'Winograd products', false],
      ['vector map', 'Winograd outputs', false],
    ]);
    const [product] = found.filter(k => k.role === 'Winograd products');
    expect(product!.tile.filter(t => t.lanes === 4)).toHaveLength(1);
    expect(product!.source).toBe('net.dnn:2:15');
  });

  it('takes the plan that is for the sizes', () => {
    const program = programs(net('x -> conv(8, 3, pad = 1) -> relu -> conv(8, 3) -> relu'), {
      ...wasmTarget,
      eager: true,
    }).get('A')!;
    expect(program.variants).toHaveLength(1);
    const names = (N: number): readonly string[] => reportProgram(program, { N }).kernels.map(k => k.name);
    const planned = ({ plan }: Pick<CompiledProgram, 'plan'>): string[] => plan.dispatches.map(d => d.name);
    expect(names(8)).toEqual(planned(program.variants![0]!));
    expect(names(3)).toEqual(planned(program));
    expect(names(8)).not.toEqual(names(3));
  });
});

describe('bytes', () => {
  const bytes = (found: readonly KernelReport[]): number[][] => found.map(k => [k.bytesRead, k.bytesWritten]);

  it('are those of the tensors where everything is read', () => {
    const found = rows(
      'net A(x: f32[N, 40]) -> f32[N, 50] { return x -> dense(50) -> tanh }',
      softwareTarget,
      {
        N: 7,
      },
    );
    expect(bytes(found)).toEqual([[4 * (7 * 40 + 40 * 50 + 50), 4 * 7 * 50]]);
    expect(found[0]!.flops).toBe(7 * 50 * (2 * 40 + 2));
  });

  it('are those of the image where windows overlap', () => {
    const found = rows(net('x -> conv(4, 3, bias = false)'), gpuTarget, { N: 2 });
    expect(bytes(found)).toEqual([[4 * (2 * 8 * 256 + 4 * 8 * 9), 4 * 2 * 4 * 14 * 14]]);
  });

  it('leave out what is not looked at', () => {
    // Every other row and column, a slice of channels, and words of a table.
    expect(bytes(rows(net('x -> max_pool(1, stride = 2)'), gpuTarget, { N: 1 }))).toEqual([
      [4 * 8 * 64, 4 * 8 * 64],
    ]);
    expect(bytes(rows(net('tanh(x[:, 2:5])'), gpuTarget, { N: 1 }))).toEqual([[4 * 3 * 256, 4 * 3 * 256]]);
  });

  it('count half of it in half precision, and a byte for bytes of the host', () => {
    const { compiled } = compile(
      { name: 'net.dnn', text: 'net A(x: u8[N, 64]) -> f32[N, 64] { return tanh(cast(x, f32)) }' },
      { target: gpuTarget },
    );
    const plan = compiled!.programs.get('A')!.plan;
    expect(bytes(reportKernels(plan, { N: 5 }))).toEqual([[320, 4 * 320]]);
    const half = compile(
      { name: 'net.dnn', text: 'net A(x: f32[N, 64]) -> f32[N, 16] { return x -> dense(32) -> dense(16) }' },
      { target: gpuTarget, precision: 'f16' },
    );
    const [, second] = reportKernels(half.compiled!.programs.get('A')!.plan, { N: 5 });
    expect(second!.bytesRead).toBeLessThan(4 * 5 * 32 + 4 * 32 * 16);
  });

  it('count every turn of a loop', () => {
    const text = 'net A(x: f32[N, T, 8]) -> f32[N, T, 4] { return x -> rnn(4) }';
    const turn = (T: number): KernelReport => rows(text, gpuTarget, { N: 2, T }).find(k => k.times > 1)!;
    const [short, long] = [turn(10), turn(20)];
    expect([short.times, long.times]).toEqual([10, 20]);
    expect(long.flops).toBe(2 * short.flops);
    expect(long.bytesWritten).toBe(2 * short.bytesWritten);
  });
});
