import type * as Fc from 'fast-check';

type Pick = (n: number) => number;

/** Layers on rows of numbers: text, and the width that comes of it. */
const layers: readonly ((width: number, pick: Pick) => [text: string, width: number])[] = [
  (_, pick) => {
    const width = 1 + pick(5);
    return [`dense(${width}${pick(3) ? '' : ', bias = false'})`, width];
  },
  (w, pick) => [['tanh', 'sigmoid', 'softplus', 'gelu', 'relu'][pick(5)]!, w],
  w => ['batch_norm', w],
  w => ['layer_norm', w],
  (w, pick) => [`dropout(0.${1 + pick(6)})`, w],
  (w, pick) => [`repeat ${1 + pick(2)} { dense(${w}) -> tanh }`, w],
  w => [`scaled(${w})`, w],
  w => ['softmax(axis = 1)', w],
];

const losses = [
  'mse(y, t)',
  'huber(y, t, delta = 0.5)',
  'mean((y - t) ^ 2) + 0.1 * mean(y * t)',
  'soft_cross_entropy(y, softmax(t, axis = 1), axis = 1)',
  'mean(softplus(y) * sigmoid(t))',
];

/** Without `sign` and the like, where a rounding error of a gradient that should be zero would show. */
const optimisers = [
  'sgd(lr = 0.1)',
  'sgd(lr = 0.1 * 0.5 ^ floor(epoch / 3), momentum = 0.9)',
  'sgd(lr = 0.05, momentum = 0.8, nesterov = true, weight_decay = 0.01)',
  'adam(lr = 0.01)',
  'clip_norm(1) -> adamw(lr = cosine_decay(0.1, iter, 50))',
  'clip_value(0.3) -> momentum(0.5) -> sgd(lr = 0.2)',
  'rmsprop(lr = 0.01)',
  'adagrad(lr = 0.1)',
];

/** A random training program as `.dnn` text: one or two nets, one or two steps, in all the ways in which they combine. */
export function randomProgram(fc: typeof Fc): Fc.Arbitrary<string> {
  return fc.array(fc.nat(), { minLength: 40, maxLength: 40 }).map(choices => {
    let at = 0;
    const text = build(n => (choices[at++ % choices.length] ?? 0) % n);
    return text;
  });
}

function build(pick: Pick): string {
  const [input, output] = [1 + pick(4), 1 + pick(3)];
  const one = pick(3) > 0;
  const steps = one
    ? single(pick)
    : `step first { ${fitting(pick, 'y = Body(x)', 'Body')} }
  step second every 2 {
    y = t + 0.1 * randn_like(t)
    loss = mean(Judge(stop(y))) - mean(Judge(${pick(2) ? 'stop(Body(x))' : 'Body(x)'})) + 0.01 * mean(Judge(y) ^ 2)
    minimize loss over Judge by ${optimisers[pick(optimisers.length)]}
  }`;
  return `block scaled(n: int)(x: f32[N, n]) -> f32[N, n] {
  param weight: f32[n] = constant(0.7)
  state seen: f32 = 0
  seen <- seen + mean(x)
  return x * weight + 0.01 * seen
}

${net('Body', input, output, pick)}

${net('Judge', output, 1, pick)}

train fit {
  data x: f32[N, ${input}]
  data t: f32[N, ${output}]
  ${steps}
}
`;
}

function single(pick: Pick): string {
  const parts = pick(3) === 0 ? ['Body.head', 'Body.first'] : ['Body'];
  return fitting(pick, pick(3) ? 'y = Body(x)' : 'y = Body(x + 0.1 * randn_like(x))', ...parts);
}

function fitting(pick: Pick, value: string, ...over: readonly string[]): string {
  const loss = losses[pick(losses.length)]!;
  const lines = [value];
  if (pick(4) === 0) {
    // A gradient inside of what is minimised.
    lines.push('noisy = x + 0.1 * randn_like(x)', 'slope = grad(mean(Body(noisy) ^ 2), noisy)');
    lines.push(`loss = ${loss} + 0.1 * mean(slope ^ 2)`);
  } else lines.push(`loss = ${loss}`);
  if (pick(2)) lines.push('metric off = mean(abs(y - t))');
  if (pick(3) === 0) lines.push('metric calm = mean(infer Body(x))');
  const targets = over.map(part => `${part} by ${optimisers[pick(optimisers.length)]}`);
  return [...lines, `minimize loss over ${targets.join(', ')}`].join('\n  ');
}

function net(name: string, input: number, output: number, pick: Pick): string {
  const stages = ['first: dense(3)'];
  let width = 3;
  for (let i = pick(4); i > 0; i--) {
    const [text, next] = layers[pick(layers.length)]!(width, pick);
    stages.push(text);
    width = next;
  }
  return `net ${name}(x: f32[N, ${input}]) -> f32[N, ${output}] {
  return x -> ${[...stages, `head: dense(${output})`].join(' -> ')}
}`;
}
