import { type Page, page } from './page.ts';

const small = `net Small(x: f32[N, 4]) -> f32[N, 3] {
  return x -> hidden: dense(8) -> relu -> head: dense(3)
}
`;
const program = (...lines: string[]): string =>
  `${small}\ntrain fit {\n  data x: f32[N, 4]\n  data y: i32[N]\n${lines.map(l => `  ${l}\n`).join('')}}\n`;

/** E03xx: gradients, what moves, and trainings that go wrong. */
export const trainingPages: readonly Page[] = [
  page('E0301', 'a parameter that no gradient reaches (warning)', {
    cause:
      'What is minimised does not depend on a parameter that `over` names, or only through operations that pass no gradient on: `stop`, comparisons, `argmax`, rounding, casts to whole numbers. The notes name these operations. The parameter stays as it is.',
    language: 'dnn',
    example: program(
      'guess = cast(argmax(Small(x), axis = 1), f32)',
      'minimize mean((guess - cast(y, f32)) ^ 2) over Small by sgd(lr = 0.1)',
    ),
    cure: 'Minimise something smooth, such as `cross_entropy` of the logits; or leave what should not move out of `over`.',
    fixed: program('minimize cross_entropy(Small(x), y) over Small by sgd(lr = 0.1)'),
  }),
  page('E0302', '`over` names something without parameters', {
    cause:
      '`over` takes nets, parts of nets (`Net.head`, `Net.rest[1]`) and `param`s of the program, as far as the program uses them.',
    language: 'dnn',
    example: program('minimize cross_entropy(Small(x), y) over Small.hed by sgd(lr = 0.1)'),
    cure: 'Correct the path; `dnnc explain FILE` lists the paths of all layers.',
    fixed: program('minimize cross_entropy(Small(x), y) over Small.head by sgd(lr = 0.1)'),
  }),
  page('E0303', 'a parameter that follows two optimisers', {
    cause: 'Two targets of `minimize` name a parameter, the one as a part of the other perhaps.',
    language: 'dnn',
    example: program(
      'minimize cross_entropy(Small(x), y)',
      '  over Small by sgd(lr = 0.01), Small.head by sgd(lr = 0.1)',
    ),
    cure: 'Name parts that do not overlap.',
    fixed: program(
      'minimize cross_entropy(Small(x), y)',
      '  over Small.hidden by sgd(lr = 0.01), Small.head by sgd(lr = 0.1)',
    ),
  }),
  page('E0304', 'a net that trains but keeps its state (warning)', {
    cause:
      'A net with state, such as `batch_norm`, is applied in training mode, where it normalises by the batch, but no `over` owns the state. Its running averages, which inference uses, stay as they are, so that what is trained is not what runs later.',
    language: 'dnn',
    example: `net Body(x: f32[N, 3, 8, 8]) -> f32[N, 8] {
  return x -> conv(8, 3) -> batch_norm -> relu -> global_avg_pool -> flatten
}

net Head(x: f32[N, 8]) -> f32[N, 3] {
  return x -> dense(3)
}

train fit {
  data x: f32[N, 3, 8, 8]
  data y: i32[N]
  minimize cross_entropy(Head(Body(x)), y) over Head by sgd(lr = 0.1)
}
`,
    cure: 'Write `infer` before the application of a net that is frozen; or name it after `over`.',
    fixed: `net Body(x: f32[N, 3, 8, 8]) -> f32[N, 8] {
  return x -> conv(8, 3) -> batch_norm -> relu -> global_avg_pool -> flatten
}

net Head(x: f32[N, 8]) -> f32[N, 3] {
  return x -> dense(3)
}

train fit {
  data x: f32[N, 3, 8, 8]
  data y: i32[N]
  features = infer Body(x)
  minimize cross_entropy(Head(features), y) over Head by sgd(lr = 0.1)
}
`,
  }),
  page('E0305', 'probabilities where a loss takes logits (warning)', {
    cause:
      '`cross_entropy` applies `softmax` to its argument, and `bce_logits` `sigmoid`. Applied twice, they flatten the differences between classes and most of the gradient.',
    language: 'dnn',
    example: program(
      'probabilities = Small(x) -> softmax',
      'minimize cross_entropy(probabilities, y) over Small by sgd(lr = 0.1)',
    ),
    cure: 'Give the loss the logits. Where probabilities are needed too, compute them beside it. `bce` takes probabilities.',
    fixed: program('logits = Small(x)', 'minimize cross_entropy(logits, y) over Small by sgd(lr = 0.1)'),
  }),
  page('E0310', 'a training that diverged', {
    cause:
      'A loss, a metric or a weight became infinite or not a number. The weights of the last good epoch are kept.',
    language: 'console',
    example: 'dnnc train net.dnn fit --data digits.safetensors --out runs/fit\n',
    cure: 'Use a smaller learning rate, or `by clip_norm(1) -> …`. Look for a `log` or a division by what may be 0.',
  }),
];
