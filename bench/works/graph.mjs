// What a work computes, for those who do not read .dnn: nodes in order, each with its attributes and the shape it gives.
const multiply = shape => shape.reduce((a, b) => a * b, 1);
const extent = (size, { k, stride, pad, dilation = 1 }) =>
  Math.floor((size + 2 * pad - dilation * (k - 1) - 1) / stride) + 1;

/**
 * Nodes are `conv`, `dense` and `matmul`, which have a weight and may have a bias, a batch norm (`norm`) and an activation
 * (`act`) behind them; `max_pool`, `add` (with `act`), `global_avg_pool` and `flatten`. `params` have the names
 * that the .dnn file of the work gives them, without the net's.
 */
export class Graph {
  nodes = [];
  params = [];
  macs = 0;
  #shapes;

  constructor(input) {
    this.input = input;
    this.#shapes = { x: input };
  }

  get output() {
    return this.nodes.at(-1);
  }

  shapeOf(id) {
    return this.#shapes[id];
  }

  conv(name, x, out, k, { stride = 1, pad = 0, dilation = 1, groups = 1, norm = false, act } = {}) {
    const [n, channels, h, w] = this.shapeOf(x);
    const attrs = { k, stride, pad, dilation, groups, channels };
    const shape = [n, out, extent(h, attrs), extent(w, attrs)];
    this.macs += multiply(shape) * (channels / groups) * k * k;
    const weight = this.#param(norm ? `${name}.conv.weight` : `${name}.weight`, [
      out,
      channels / groups,
      k,
      k,
    ]);
    return this.#add('conv', [x], shape, { ...attrs, act, weight, ...this.#behind(name, out, norm) });
  }

  dense(name, x, out, act) {
    const [n, inner] = this.shapeOf(x);
    this.macs += n * inner * out;
    const weight = this.#param(`${name}.weight`, [out, inner]);
    return this.#add('dense', [x], [n, out], { inner, act, weight, ...this.#behind(name, out, false) });
  }

  /** x times a parameter. */
  matmul(name, x, n) {
    const [m, k] = this.shapeOf(x);
    this.macs += m * k * n;
    return this.#add('matmul', [x], [m, n], { weight: this.#param(name, [k, n]) });
  }

  maxPool(x, k, stride = k, pad = 0) {
    const [n, c, h, w] = this.shapeOf(x);
    const attrs = { k, stride, pad };
    return this.#add('max_pool', [x], [n, c, extent(h, attrs), extent(w, attrs)], attrs);
  }

  add(a, b, act) {
    return this.#add('add', [a, b], this.shapeOf(a), { act });
  }

  globalAvgPool(x) {
    return this.#add('global_avg_pool', [x], this.shapeOf(x).slice(0, 2));
  }

  flatten(x) {
    const [n, ...rest] = this.shapeOf(x);
    return this.#add('flatten', [x], [n, multiply(rest)], { from: rest });
  }

  #add(op, inputs, shape, attrs = {}) {
    const id = `n${this.nodes.length}`;
    this.nodes.push({ id, op, inputs, shape, ...attrs });
    this.#shapes[id] = shape;
    return id;
  }

  #param(name, shape) {
    this.params.push({ name, shape });
    return name;
  }

  #behind(name, c, norm) {
    if (!norm) return { bias: this.#param(`${name}.bias`, [c]) };
    const part = what => this.#param(`${name}.batch_norm.${what}`, [c]);
    return {
      norm: {
        weight: part('weight'),
        bias: part('bias'),
        mean: part('running_mean'),
        variance: part('running_var'),
        eps: 1e-5,
      },
    };
  }
}
