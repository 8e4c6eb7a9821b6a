import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.ts';
import * as D from '../../src/ir/dim.ts';
import type { Graph } from '../../src/ir/graph.ts';
import { graphInputs } from '../../src/ir/graph.ts';
import { interpretGraph } from '../../src/ir/interpret/graph.ts';
import type { Primitive } from '../../src/ir/primitive.ts';
import { printGraph } from '../../src/ir/print/graph.ts';
import type { Precision } from '../../src/ir/scalar.ts';
import { tensor } from '../../src/ir/type.ts';
import { verifyGraph } from '../../src/ir/verify/graph.ts';
import * as B from '../../src/ops/build.ts';
import { gradient } from '../../src/ops/gradient.ts';
import { neg } from '../../src/ops/neg.ts';
import { reshape } from '../../src/ops/reshape.ts';
import { tanh } from '../../src/ops/tanh.ts';
import { canonicalise, canonicaliseGraph } from '../../src/passes/canonicalise.ts';
import { differentiate } from '../../src/passes/differentiate.ts';
import { eliminate, eliminateDead } from '../../src/passes/eliminate.ts';
import { fold, foldGraph } from '../../src/passes/fold.ts';
import type { Pass } from '../../src/passes/pass.ts';
import { graphLevel, runGraphPasses, runPass } from '../../src/passes/pass.ts';
import { rewriteGraph } from '../../src/passes/rewrite.ts';
import { DiagnosticError } from '../../src/support/diagnostic.ts';
import { InternalError } from '../../src/support/internal-error.ts';
import type { RandomGraph } from './graphs.ts';
import { finish, randomGraph } from './graphs.ts';

const vector = tensor('f32', [3]);

function ops(graph: Graph): string[] {
  return graph.nodes.flatMap(n => (n.kind === 'op' ? [n.op.name] : []));
}

/** Both graphs give the same, to the last bit or within a relative tolerance. */
function expectSame(
  random: RandomGraph,
  before: Graph,
  after: Graph,
  precision: Precision,
  tolerance: number,
) {
  const [a, b] = [before, after].map(g => interpretGraph(g, random.arrays, { precision }).outputs);
  expect([...b!.keys()]).toEqual([...a!.keys()]);
  for (const [name, { data, shape }] of a!) {
    const other = b!.get(name)!;
    expect(other.shape).toEqual(shape);
    data.forEach((x, i) => {
      const y = other.data[i]!;
      const isClose =
        x === y ||
        Math.abs(x - y) <= tolerance * Math.max(1, Math.abs(x)) ||
        (Number.isNaN(x) && Number.isNaN(y));
      if (!isClose)
        expect.fail(`${name}[${i}]: ${x} became ${y}\n${printGraph(before)}\n${printGraph(after)}`);
    });
  }
}

/** Also that the pass leaves the graph that it is given as it was. */
function preserves(name: string, run: (g: Graph) => Graph, precision: Precision, tolerance: number): void {
  it(`${name} preserves what random graphs compute, their inputs and outputs`, () => {
    fc.assert(
      fc.property(randomGraph('any'), fc.boolean(), (random, differentiated) => {
        const asked = differentiated ? random.builder.emitAll(gradient, [random.loss, ...random.inputs]) : [];
        const context = { diagnostics: [] };
        const graph = differentiate.run(finish(random, asked), context);
        const text = printGraph(graph);
        const after = run(graph);
        expect(printGraph(graph)).toBe(text);
        expect(verifyGraph(after)).toEqual([]);
        expect(after.outputs.map(o => [o.name, o.role])).toEqual(graph.outputs.map(o => [o.name, o.role]));
        expectSame(random, graph, after, precision, tolerance);
      }),
      { numRuns: 200 },
    );
  });
}

describe('rewrite', () => {
  preserves('a copy', g => rewriteGraph(g), 'f64', 0);

  it('keeps order, origins and roles', () => {
    const b = new GraphBuilder('Net');
    const w = b.input('param', 'Net.w', vector, { path: 'Net.w' });
    b.origin = { path: 'Net.act' };
    const y = b.emit(tanh, [w]);
    b.origin = {};
    const lr = b.input('scalar', 'lr', tensor('f32', []));
    b.output({ name: 'w', role: 'update', target: 'Net.w', value: B.mul(b, y, lr) });
    const graph = b.build();
    expect(printGraph(rewriteGraph(graph))).toBe(printGraph(graph));
  });

  it('puts values in the place of a node, and checks their types', () => {
    const b = new GraphBuilder('Net');
    const x = b.input('input', 'x', vector);
    b.output({ name: 'y', role: 'result', value: B.exp(b, b.emit(tanh, [x])) });
    const dropTanh = rewriteGraph(b.build(), {
      replace: (_, node, inputs) => (node.op === tanh ? inputs : undefined),
    });
    expect(ops(eliminateDead(dropTanh))).toEqual(['exp']);
    const wrong = () =>
      rewriteGraph(b.build(), { replace: (n, node) => (node.op === tanh ? [B.scalar(n, 1)] : undefined) });
    expect(wrong).toThrow(InternalError);
  });

  it('refuses to leave out what is needed', () => {
    const b = new GraphBuilder('Net');
    b.output({ name: 'y', role: 'result', value: b.emit(tanh, [b.input('input', 'x', vector)]) });
    expect(() => rewriteGraph(b.build(), { keep: n => n.kind === 'op' })).toThrow(InternalError);
  });
});

describe('canonicalise', () => {
  preserves('canonicalise', canonicaliseGraph, 'f64', 1e-9);

  it('is done after one run', () => {
    fc.assert(
      fc.property(randomGraph('any'), random => {
        const once = canonicaliseGraph(finish(random));
        expect(printGraph(canonicaliseGraph(once))).toBe(printGraph(once));
      }),
      { numRuns: 100 },
    );
  });

  it('applies rules to what rules give', () => {
    const b = new GraphBuilder('Net');
    const x = b.input('input', 'x', vector);
    const doubled = B.neg(b, B.mul(b, B.neg(b, B.add(b, x, 0)), 1));
    b.output({
      name: 'y',
      role: 'result',
      value: b.emit(tanh, [B.reshape(b, B.reshape(b, doubled, [3, 1]), [3])]),
    });
    expect(ops(canonicaliseGraph(b.build()))).toEqual(['tanh']);
  });

  it('merges what becomes equal', () => {
    const b = new GraphBuilder('Net');
    const x = b.input('input', 'x', vector);
    b.output({
      name: 'y',
      role: 'result',
      value: B.add(b, b.emit(tanh, [x]), b.emit(tanh, [B.add(b, x, 0)])),
    });
    expect(ops(canonicaliseGraph(b.build()))).toEqual(['tanh', 'add']);
  });

  it('stays as it is while a gradient refers to an inner value', () => {
    const b = new GraphBuilder('Net');
    const x = b.input('input', 'x', vector);
    const y = B.neg(b, x);
    b.output({ name: 'g', role: 'result', value: b.emit(gradient, [B.reduceSum(b, B.neg(b, y)), y]) });
    const graph = b.build();
    expect(canonicaliseGraph(graph)).toBe(graph);
    expect(foldGraph(graph)).toBe(graph);
  });

  it('ends where two rules undo each other, and says whose rules go on for ever', () => {
    const ping: Primitive = { ...neg, name: 'ping', simplify: (b, [x]) => [b.emit(pong, [x!])] };
    const pong: Primitive = { ...neg, name: 'pong', simplify: (b, [x]) => [b.emit(ping, [x!])] };
    const using = (op: Primitive) => {
      const b = new GraphBuilder('Net');
      b.output({ name: 'y', role: 'result', value: b.emit(op, [b.input('input', 'x', vector)]) });
      return b.build();
    };
    expect(ops(canonicaliseGraph(using(ping)))).toEqual(['ping']);
    const chain: Primitive = {
      ...reshape,
      name: 'chain',
      prepare: (_, attrs) => attrs,
      infer: ([x]) => [x!],
      attrs: { n: { type: 'int', doc: 'count' } },
      simplify: (b, inputs, { n }) => [b.emit(chain, inputs, { n: (n as number) + 1 })],
    };
    const b = new GraphBuilder('Net');
    b.output({ name: 'y', role: 'result', value: b.emit(chain, [b.input('input', 'x', vector)], { n: 0 }) });
    expect(() => canonicaliseGraph(b.build())).toThrow(/do not come to an end .* `chain`/);
  });

  it('refuses a rule that changes the type', () => {
    const wrong: Primitive = { ...neg, name: 'wrong', simplify: b => [B.scalar(b, 1)] };
    const b = new GraphBuilder('Net');
    b.output({ name: 'y', role: 'result', value: b.emit(wrong, [b.input('input', 'x', vector)]) });
    expect(() => canonicaliseGraph(b.build())).toThrow(/a rule of `wrong` changes the type/);
  });
});

describe('fold', () => {
  preserves('fold', foldGraph, 'f32', 0);

  it('computes with constants, in f32, whatever the shape', () => {
    const b = new GraphBuilder('Net');
    const shape = tensor('f32', [D.symbol('N'), 4]);
    const sum = B.add(b, B.full(b, 0.1, shape), B.full(b, 0.2, shape));
    b.output({
      name: 'y',
      role: 'result',
      value: B.mul(b, b.input('input', 'x', shape), b.emit(tanh, [sum])),
    });
    expect(printGraph(foldGraph(b.build()))).toMatchInlineSnapshot(`
      "graph Net(
        %0 = input x : f32[N, 4]
      ) {
        %1 = constant(value = 0.29131263494491577, dtype = "f32") : f32
        %2 = broadcast(%1, shape = [N, 4]) : f32[N, 4]
        %3 = mul(%0, %2) : f32[N, 4]
        result y = %3
      }"
    `);
  });

  it('computes reductions of known size, and leaves those over a free dim', () => {
    const b = new GraphBuilder('Net');
    b.output({
      name: 'a',
      role: 'result',
      value: B.reduceSum(b, B.full(b, 0.5, tensor('f32', [4, 6])), [1]),
    });
    b.output({
      name: 'b',
      role: 'result',
      value: B.reduceSum(b, B.full(b, 1, tensor('f32', [D.symbol('N')]))),
    });
    expect(ops(foldGraph(b.build()))).toEqual([
      'constant',
      'broadcast',
      'constant',
      'broadcast',
      'reduce_sum',
    ]);
  });

  it('looks through views', () => {
    const b = new GraphBuilder('Net');
    const N = D.symbol('N');
    const ones = B.full(b, 0.1, tensor('f32', [N, 4]));
    const moved = B.reshape(b, B.transpose(b, ones, [1, 0]), [D.scale(N, 4)]);
    b.output({ name: 'y', role: 'result', value: moved });
    const padded = B.pad(b, B.full(b, 2, vector), [1], [0]);
    b.output({ name: 'z', role: 'result', value: padded });
    const folded = foldGraph(b.build());
    expect(ops(folded)).toEqual(['constant', 'broadcast', 'constant', 'broadcast', 'pad']);
    expect(B.constantOf(folded.outputs[0]!.value)).toBe(0.1);
  });

  it('leaves what is not finite', () => {
    const b = new GraphBuilder('Net');
    b.output({ name: 'y', role: 'result', value: B.log(b, B.scalar(b, 0)) });
    b.output({ name: 'z', role: 'result', value: B.exp(b, B.scalar(b, 100)) });
    expect(ops(foldGraph(b.build()))).toEqual(['constant', 'log', 'constant', 'exp']);
  });
});

describe('eliminate', () => {
  preserves('eliminate', eliminateDead, 'f64', 0);

  it('drops dead nodes and unread parameters, and keeps the signature and what is written', () => {
    const b = new GraphBuilder('Step');
    const used = b.input('param', 'used', vector);
    for (const role of ['input', 'data', 'param', 'state', 'scalar', 'key'] as const)
      b.input(role, `idle.${role}`, vector);
    b.input('state', 'written', vector);
    B.exp(b, b.emit(tanh, [used]));
    b.output({ name: 'written', role: 'update', target: 'written', value: B.neg(b, used) });
    const graph = eliminateDead(b.build());
    expect(graphInputs(graph).map(n => n.name)).toEqual(['used', 'idle.input', 'idle.data', 'written']);
    expect(ops(graph)).toEqual(['neg']);
  });
});

describe('the pass runner', () => {
  const small = () => {
    const b = new GraphBuilder('Net');
    b.output({ name: 'y', role: 'result', value: B.add(b, b.input('input', 'x', vector), 0) });
    return b.build();
  };

  it('shows what each pass gives, if asked', () => {
    const seen: [string, string][] = [];
    const passes = [differentiate, canonicalise, fold, eliminate];
    const watch = (pass: string, text: string) => void seen.push([pass, text]);
    const result = runGraphPasses(passes, small(), { diagnostics: [], watch });
    expect(seen.map(([pass]) => pass)).toEqual(['differentiate', 'canonicalise', 'fold', 'eliminate']);
    expect(seen.at(-1)![1]).toBe(printGraph(result));
  });

  it('names the pass that gives something unsound, with the graph before and after', () => {
    const spoil: Pass<Graph> = {
      name: 'spoil',
      doc: 'loses a node',
      run: graph => ({ ...graph, nodes: graph.nodes.filter(n => n.kind === 'input') }),
    };
    const run = () => runPass(spoil, small(), { diagnostics: [] }, graphLevel, graphLevel);
    expect(run).toThrow(InternalError);
    expect(run).toThrow(
      /pass spoil gives an unsound result:\n {2}output y uses %3[\s\S]*before:\ngraph Net[\s\S]*add\([\s\S]*after:\ngraph Net/,
    );
  });

  it('names the pass that fails, and lets diagnostics through', () => {
    const failing = (error: Error): Pass<Graph> => ({
      name: 'failing',
      doc: 'fails',
      run: () => {
        throw error;
      },
    });
    const run = (error: Error) => () =>
      runPass(failing(error), small(), { diagnostics: [] }, graphLevel, graphLevel);
    expect(run(new RangeError('too far'))).toThrow(/^pass failing failed: too far\nbefore:\ngraph Net/);
    const reported = new DiagnosticError({ code: 'E0301', severity: 'error', message: 'no gradient' });
    expect(run(reported)).toThrow(reported);
  });
});
