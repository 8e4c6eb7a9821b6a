import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { check } from '../../src/compile.ts';
import { GraphBuilder } from '../../src/ir/builder.ts';
import * as D from '../../src/ir/dim.ts';
import type { Graph, Node, Value } from '../../src/ir/graph.ts';
import { graphInputs } from '../../src/ir/graph.ts';
import { type FindOp, GraphTextError, readGraph } from '../../src/ir/parse/graph.ts';
import type { Attrs } from '../../src/ir/primitive.ts';
import { printGraph } from '../../src/ir/print/graph.ts';
import { tensor } from '../../src/ir/type.ts';
import { verifyGraph } from '../../src/ir/verify/graph.ts';
import * as B from '../../src/ops/build.ts';
import { primitive, primitives } from '../../src/ops/list.ts';
import { differentiateGraph } from '../../src/passes/differentiate.ts';
import { eliminateDead } from '../../src/passes/eliminate.ts';
import { moduleGraphs } from '../../src/passes/pipeline.ts';
import { pages } from '../../src/support/pages/index.ts';
import { randomNet } from '../arbitrary/nets.ts';
import { finish, randomGraph } from '../passes/graphs.ts';

/** Set DNNC_SEED to repeat a failure, DNNC_RUNS to look harder. */
const seed = Number(process.env.DNNC_SEED ?? Date.now() % 2 ** 31);
const numRuns = Number(process.env.DNNC_RUNS ?? 40);

/** Ops in index notation are in no list: they are those of the graph itself. */
function opsOf(graph: Graph): FindOp {
  return (name, attrs) => {
    const declared = graph.nodes.flatMap(n => (n.kind === 'op' && n.op.name === name ? [n] : []));
    const same = declared.find(n => attrs?.definition === n.attrs.definition) ?? declared[0];
    return primitive(name) ?? same?.op;
  };
}

const withoutPlaces = (text: string): string => text.replace(/ {3}\/\/ .*$/gm, '');

/** Everything but places and identities, with nothing left to how it is printed. */
function structure(graph: Graph): unknown {
  const id = (v: Value): number => v.id;
  const node = (n: Node): unknown => ({
    kind: n.kind,
    ...(n.kind === 'op' && { op: n.op, attrs: exact(n.attrs) }),
    ...(n.kind === 'input' && { role: n.role, name: n.name }),
    ...(n.kind === 'loop' && {
      body: structure(n.body),
      steps: n.steps,
      reverse: n.reverse,
    }),
    inputs: n.inputs.map(id),
    outputs: n.outputs.map(v => ({ id: v.id, type: v.type, index: v.index })),
    path: n.kind === 'input' ? (n.origin.path ?? n.name) : n.origin.path,
  });
  const isInput = (n: Node): boolean => n.kind === 'input';
  return {
    name: graph.name,
    // Where an input stands among the nodes means nothing; their order does.
    inputs: graph.nodes.filter(isInput).map(node),
    nodes: graph.nodes.filter(n => !isInput(n)).map(node),
    outputs: graph.outputs.map(o => ({ ...o, value: o.value.id })),
  };
}

/** The order in which attributes were given is part of what is printed. */
const exact = (attrs: Attrs): unknown => Object.entries(attrs);

function readsBack(graph: Graph): void {
  expect(verifyGraph(graph)).toEqual([]);
  const text = printGraph(graph);
  const read = readGraph(text, opsOf(graph));
  expect(verifyGraph(read)).toEqual([]);
  expect(structure(read)).toEqual(structure(graph));
  expect(printGraph(read)).toBe(withoutPlaces(text));
}

const isDeep = (graph: Graph): boolean => graph.nodes.length > 600;

/** As elaborated, with its gradients, and with gaps in the numbers; of deep nets, whose layers are alike, the last alone. */
function readsBackAtEveryStage(graph: Graph): void {
  if (!isDeep(graph)) readsBack(graph);
  const { graph: differentiated } = differentiateGraph(graph);
  if (!isDeep(graph)) readsBack(differentiated);
  readsBack(eliminateDead(differentiated));
}

function programReadsBack(name: string, text: string): void {
  const { module, diagnostics } = check({ name, text });
  expect(diagnostics.filter(d => d.severity === 'error')).toEqual([]);
  const graphs = [...moduleGraphs(module!)].map(([, graph]) => graph);
  // Of a file's deep nets those that are least deep.
  const deep = graphs.filter(isDeep).sort((a, b) => a.nodes.length - b.nodes.length);
  for (const graph of [...graphs.filter(g => !isDeep(g)), ...deep.slice(0, 4)]) readsBackAtEveryStage(graph);
}

describe('what is printed is read back', () => {
  test.each(primitives.filter(op => op.samples).map(op => [op.name, op] as const))('%s', (_, op) => {
    const property = fc.property(op.samples!(fc), sample => {
      const b = new GraphBuilder(op.name);
      const inputs = sample.inputs.map((x, i) => b.input('input', `x${i}`, tensor(x.dtype, x.shape)));
      b.emitAll(op, inputs, sample.attrs, { path: 'a."b\\"\n' }).forEach((value, i) => {
        b.output({ name: `y.${i}`, role: 'result', value });
      });
      readsBack(b.build());
    });
    fc.assert(property, { seed, numRuns });
  });

  test('random graphs', () => {
    fc.assert(
      fc.property(randomGraph('any'), random => readsBackAtEveryStage(finish(random))),
      { seed, numRuns },
    );
  });

  test('random nets', () => {
    fc.assert(
      fc.property(randomNet(fc), ({ text }) => programReadsBack('random.dnn', text)),
      { seed, numRuns: Math.ceil(numRuns / 4) },
    );
  }, 60_000);

  const root = fileURLToPath(new URL('../..', import.meta.url));
  const files = ['examples', 'test/cases/features'].flatMap(folder =>
    existsSync(root + folder)
      ? readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
          .filter(path => path.endsWith('.dnn') && !/parts\.dnn$/.test(path))
          .map(path => `${folder}/${path}`)
      : [],
  );

  test.each(files)(
    '%s',
    path => {
      const text = readFileSync(root + path, 'utf8');
      if (!text.includes('import ')) programReadsBack(path, text);
    },
    180_000,
  );

  const cures = [...pages.values()].filter(page => page.language === 'dnn' && page.fixed !== undefined);

  test.each(cures.map(page => [page.code, page.fixed!]))('the cure of %s', (code, text) => {
    programReadsBack(`${code}.dnn`, text);
  });

  test('every layer, loss and optimiser of a longer program', () => {
    programReadsBack(
      'std.dnn',
      `net Many(x: f32[N, 3, 16, 16]) -> f32[N, 5] {
  return x -> conv(8, 3, same = true) -> batch_norm -> relu -> max_pool(2)
    -> rest: repeat 2 { conv(8, 3, pad = 1, bias = false) -> group_norm(2) -> gelu }
    -> dropout2d(0.1) -> conv_transpose(4, 2, stride = 2) -> lrn -> avg_pool(4) -> flatten -> layer_norm -> dense(5)
}
train fit {
  data x: f32[N, 3, 16, 16]
  data y: i32[N]
  loss = cross_entropy(Many(x -> random_flip -> random_shift(1)), y, smoothing = 0.1)
  metric top = topk_accuracy(infer Many(x), y, 2)
  minimize loss over Many by clip_norm(1) -> adamw(lr = cosine_decay(0.01, epoch, 9))
}`,
    );
  });

  test('sizes, attributes, roles and targets of every kind', () => {
    const [N, H] = [D.symbol('N'), D.symbol('H')];
    const b = new GraphBuilder('odd name "');
    const half = D.floorDiv(D.sub(H, D.constant(3)), D.constant(2));
    const deep = D.floorDiv(D.mul(half, D.floorDiv(H, D.scale(N, 2))), D.sub(H, D.mul(N, H)));
    const size = D.add(
      deep,
      D.add(D.mul(N, D.mul(half, half)), D.floorDiv(D.mul(N, N), D.add(H, D.constant(1)))),
    );
    const x = b.input('data', 'x', tensor('f32', [size, D.scale(N, 3)]));
    const k = b.input('key', 'key', tensor('u32', [2]), { path: 'elsewhere' });
    const s = b.input('state', 'a.b[0].mean', tensor('f32', []));
    b.input('scalar', 'epoch', tensor('f32', []));
    b.numberFrom(40);
    const c = B.add(b, B.mul(b, s, 1e-7), B.full(b, -0, tensor('f32', [])));
    b.output({ name: 'x', role: 'metric', value: B.reduceSum(b, B.add(b, x, c)) });
    b.output({ name: 'a.b[0].mean', role: 'update', target: 'a.b[0].mean', value: c });
    b.output({ name: 'k', role: 'result', value: k });
    readsBack(b.build());
  });

  test('an op that is called `loop`', () => {
    programReadsBack(
      'loop.dnn',
      `op loop(x: f32[N]) -> y: f32 { y[] = sum(n) x[n] }
net A(x: f32[N]) -> (a: f32, b: f32) { return loop(x), loop(concat(x, x, axis = 0)) }`,
    );
  });

  test('loops, and loops in loops', () => {
    const N = D.symbol('N');
    const body = (inner?: Graph): Graph => {
      const b = new GraphBuilder('body');
      const h = b.input('state', 'h', tensor('f32', [N, 8]));
      const x = b.input('data', 'x', tensor('f32', [N, 8]));
      const sum = B.add(b, h, x);
      const next = inner ? runLoop(b, inner, h, b.input('input', 'xs', tensor('f32', [4, N, 8])))[0]! : sum;
      b.output({ name: 'h', role: 'update', target: 'h', value: next });
      b.output({ name: 'y', role: 'result', value: sum });
      return b.build();
    };
    const runLoop = (b: GraphBuilder, inner: Graph, h: Value, xs: Value): readonly Value[] =>
      b.loop(
        { body: inner, steps: D.constant(4), reverse: true },
        [h, xs, xs].slice(0, graphInputs(inner).length),
        { path: 'Net.scan' },
      );
    for (const inner of [body(), body(body())]) {
      const b = new GraphBuilder('Net');
      const h = b.input('input', 'h', tensor('f32', [N, 8]));
      const xs = b.input('input', 'xs', tensor('f32', [4, N, 8]));
      const [last, all] = runLoop(b, inner, h, xs);
      b.output({ name: 'last', role: 'result', value: last! });
      b.output({ name: 'all', role: 'result', value: all! });
      const text = printGraph(b.build());
      expect(text).toContain('\n    graph body(\n      %0 = state h : f32[N, 8]\n');
      const read = readGraph(text, primitive);
      expect(structure(read)).toEqual(structure(b.build()));
      expect(printGraph(read)).toBe(text);
    }
  });
});

describe('text that is no graph', () => {
  /** The message, which must be of the reader. */
  function complaint(text: string): string {
    try {
      readGraph(text, primitive);
      return '';
    } catch (error) {
      if (!(error instanceof GraphTextError)) throw error;
      expect(error.line).toBeGreaterThan(0);
      expect(error.line).toBeLessThanOrEqual(text.split('\n').length);
      expect(error.message).not.toContain('undefined');
      return error.message;
    }
  }

  const net = (...lines: string[]): string =>
    `graph A(\n  %0 = input x : f32[N, 4]\n) {\n${lines.map(l => `  ${l}\n`).join('')}  result y = %0\n}`;

  test.each([
    ['', '1:1: expected `graph`, found the end of the text'],
    ['graph A() {', '1:12: expected a value, an output (result, metric, update), found the end of the text'],
    [net('%1 = tahn(%0) : f32[N, 4]'), '4:8: there is no operation `tahn`'],
    [net('%1 = tanh(%0) : f32[N, 5]'), '4:8: %1 is f32[N, 4], the text says f32[N, 5]'],
    [net('%1 = tanh(%7) : f32[N, 4]'), '4:13: %7 is not defined before it is used'],
    [net('%1 = tanh(%0, %0) : f32[N, 4]'), '4:8: tanh takes (x), given 2 values'],
    [net('%0 = tanh(%0) : f32[N, 4]'), '4:3: %0 is defined twice'],
    [net('%1, %3 = tanh(%0) : f32[N, 4]'), '4:7: %1 is followed by %2'],
    [net('%1 = transpose(%0, perm = [0, 0]) : f32[N, 4]'), /^4:8: transpose: perm/],
    [
      net('%1 = transpose(%0, prem = [0, 1]) : f32[N, 4]'),
      /^4:22: expected a value or an attribute of transpose/,
    ],
    [net('%1 = tanh(%0) : f64[N, 4]'), /^4:19: expected a dtype/],
    [net('%1 = tanh(%0) : f32[((N) ~/ (0))]'), '4:31: a size is divided by zero'],
    [net('%1 = tanh(%0) : f32[(N + 1)*(N + 2)]'), '4:31: a sum is multiplied'],
    [net('%1 = tanh(%0) : f32[9007199254740993]'), /^4:23: expected a whole number/],
    [net('%1 = tanh(%0) : f32[N, 4] at "a\\q"'), /^4:32: expected a text in quotes/],
    [net('#'), '4:3: "#" begins nothing that a graph has'],
    [net('param w = %0'), /^4:3: expected a value, an output/],
    [`${net()} graph`, '5:3: expected the end of the text, found `graph`'],
  ])('%j', (text, message) => {
    if (typeof message === 'string') expect(complaint(text)).toBe(message);
    else expect(complaint(text)).toMatch(message);
  });

  test('deep nesting ends', () => {
    expect(complaint(net(`%1 = tanh(%0) : f32[${'(('.repeat(1e5)}`))).toMatch(/nests too deep/);
    expect(complaint(net(`%1 = transpose(%0, perm = ${'['.repeat(1e5)}`))).toMatch(/nests too deep/);
  });

  test('long blanks and comments are read in linear time', () => {
    const start = performance.now();
    expect(complaint(`${'// '.repeat(2e5)}\n${' \n'.repeat(2e5)}#`)).toMatch(/begins nothing/);
    expect(complaint(`"${'\\'.repeat(2e5)}`)).toMatch(/begins nothing/);
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  test('any text at all', () => {
    const words =
      'graph input param %0 %1 = : ( ) [ ] { } , -> f32 N 3 -1 1e400 "a" true tanh add loop at'.split(' ');
    const text = fc.oneof(
      fc.string(),
      fc.array(fc.constantFrom(...words), { maxLength: 40 }).map(list => list.join(' ')),
    );
    fc.assert(
      fc.property(text, t => void complaint(t)),
      { seed, numRuns: numRuns * 5 },
    );
  });

  test('printed graphs with something cut, doubled or changed', () => {
    const texts = [
      ...primitives
        .filter(op => op.samples)
        .map(op => [op, fc.sample(op.samples!(fc), { seed, numRuns: 2 })] as const),
    ].flatMap(([op, samples]) =>
      samples.map(sample => {
        const b = new GraphBuilder(op.name);
        const inputs = sample.inputs.map((x, i) => b.input('input', `x${i}`, tensor(x.dtype, x.shape)));
        const value = b.emit(op, inputs, sample.attrs);
        b.output({ name: 'y', role: 'result', value });
        return printGraph(b.build());
      }),
    );
    const pieces = [
      '0',
      '-1',
      '99',
      '1e300',
      '0.5',
      'N',
      '[',
      ']',
      '[1, 2]',
      '"f32"',
      '"x"',
      'true',
      'NaN',
      '%0',
      'f32',
      'i32',
      '2*N',
    ];
    const change = fc.tuple(fc.constantFrom(...texts), fc.nat(), fc.nat(4), fc.constantFrom(...pieces));
    let faults = 0;
    fc.assert(
      fc.property(change, ([text, at, how, piece]) => {
        const tokens = text.split(/(%?\w+|"[^"]*"|\s+|.)/).filter(t => t !== '');
        const i = at % tokens.length;
        if (how === 0) tokens.splice(i, 1);
        else if (how === 1) tokens.splice(i, 0, tokens[i]!);
        else tokens[i] = piece;
        if (complaint(tokens.join('')) !== '') faults++;
      }),
      { seed, numRuns: numRuns * 50 },
    );
    expect(faults).toBeGreaterThan(numRuns);
  });
});
