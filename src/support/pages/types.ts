import { type Page, page } from './page.ts';

/** E02xx: values, types, shapes, and what can be known at compile time. */
export const typePages: readonly Page[] = [
  page('E0201', 'a value of another kind than the place wants', {
    cause:
      'A tensor stands where a number must be known at compile time, a list where a tensor is expected, a string where a size is, or something that is no function is called. What is minimised, and every metric, must be one `f32`.',
    language: 'dnn',
    example: `net Small(x: f32[N, 4]) -> f32[N, 3] {
  return dense(3, x)
}
`,
    cure: 'Static arguments make a layer, tensors flow into it with `->`. A loss is reduced with `mean(…)` or `sum(…)`.',
    fixed: `net Small(x: f32[N, 4]) -> f32[N, 3] {
  return x -> dense(3)
}
`,
  }),
  page('E0202', 'too many arguments, or one missing', {
    cause: 'A call gives more arguments than are declared, or leaves out one that has no default.',
    language: 'dnn',
    example: `net Small(x: f32[N, 3, 8, 8]) -> f32[N, 8, 6, 6] {
  return x -> conv(8)
}
`,
    cure: 'Give exactly what is declared; the note shows where.',
    fixed: `net Small(x: f32[N, 3, 8, 8]) -> f32[N, 8, 6, 6] {
  return x -> conv(8, 3)
}
`,
  }),
  page('E0203', 'dtypes that do not go together', {
    cause:
      'Two tensors of one operation, or a tensor and the type that is declared for it, have different dtypes. Nothing is converted silently.',
    language: 'dnn',
    example: `net Brightness(x: u8[N, 28, 28]) -> f32[N] {
  return mean(x, axis = [1, 2]) / 255
}
`,
    cure: 'Convert with `cast(x, f32)`.',
    fixed: `net Brightness(x: u8[N, 28, 28]) -> f32[N] {
  return mean(cast(x, f32), axis = [1, 2]) / 255
}
`,
  }),
  page('E0204', 'shapes that do not match', {
    cause:
      'A tensor has another number of axes, or another size along one, than an operation, a declared argument or a declared result wants. Sizes are compared as polynomials, so that the message is right for every batch size; where free sizes are involved, a note gives an example in numbers for which the two differ, or says that none was found. The marks show the value and the declaration.',
    language: 'dnn',
    example: `net Small(x: f32[N, 1, 28, 28]) -> f32[N, 10] {
  return x -> conv(6, 5) -> flatten -> dense(84)
}
`,
    cure: 'Change the declaration, or the layer that makes the wrong size. `dnnc explain FILE` lists the shape behind every layer.',
    fixed: `net Small(x: f32[N, 1, 28, 28]) -> f32[N, 10] {
  return x -> conv(6, 5) -> flatten -> dense(10)
}
`,
  }),
  page('E0205', 'a computation at compile time that has no result', {
    cause:
      'A division by zero, an index outside a list, an axis that the tensor does not have, a negative number of turns, or more turns than are unrolled.',
    language: 'dnn',
    example: `const Widths = [16, 32]

net Small(x: f32[N, 4]) -> f32[N, 32] {
  return x -> dense(Widths[2])
}
`,
    cure: 'Correct the numbers. Indices and axes count from 0; negative ones count from the end.',
    fixed: `const Widths = [16, 32]

net Small(x: f32[N, 4]) -> f32[N, 32] {
  return x -> dense(Widths[1])
}
`,
  }),
  page('E0206', 'a run-time value where the compiler must choose', {
    cause:
      'The condition of `if`, a size, and arguments such as `stride` decide what is compiled, so they cannot depend on tensors, `epoch` or `iter`.',
    language: 'dnn',
    example: `net Positive(x: f32[N, 4]) -> f32[N, 4] {
  return if sum(x) > 0 { x } else { -x }
}
`,
    cure: 'Choose at run time with `where(condition, a, b)`. Arguments of type `float`, such as `lr`, may be run-time numbers.',
    fixed: `net Positive(x: f32[N, 4]) -> f32[N, 4] {
  return where(sum(x) > 0, x, -x)
}
`,
  }),
  page('E0207', 'a body that does not do what it must', {
    cause:
      'A function, block or net has no `return`, or returns another number of values than it declares; a `param` or `state` has no initial value; a training program or `step` minimises nothing.',
    language: 'dnn',
    example: `net Double(x: f32[N, 4]) -> f32[N, 4] {
  y = 2 * x
}
`,
    cure: 'Add what is missing.',
    fixed: `net Double(x: f32[N, 4]) -> f32[N, 4] {
  return 2 * x
}
`,
  }),
  page('E0208', 'a program that unrolls without end', {
    cause:
      'Calls are unfolded at compile time. This one calls itself, or nests so deep or unrolls to so much that it is taken for a mistake.',
    language: 'dnn',
    example: `fn halve(x: f32[N, 4]) -> f32[N, 4] {
  return halve(x / 2)
}

net Halved(x: f32[N, 4]) -> f32[N, 4] {
  return halve(x)
}
`,
    cure: 'Use `repeat` with a number of turns, or end the recursion by a condition that is known at compile time.',
    fixed: `net Halved(x: f32[N, 4]) -> f32[N, 4] {
  repeat 3 { x = x / 2 }
  return x
}
`,
  }),
  page('E0209', 'a size that nothing determines', {
    cause:
      'A size stands in the type of a parameter or of a result, but no tensor that is given fixes it. Parameters have the same shape whatever the input, so their sizes cannot be free.',
    language: 'dnn',
    example: `net Small(x: f32[N, D]) -> f32[N, 3] {
  return x -> dense(3)
}
`,
    cure: 'Write the size as a number, a `const`, or a static argument.',
    fixed: `net Small(x: f32[N, 4]) -> f32[N, 3] {
  return x -> dense(3)
}
`,
  }),
  page('E0210', 'a condition on sizes that holds for some and not for others', {
    cause:
      'A compile-time condition compares free sizes. One module serves all sizes, so the condition must hold for all of them or for none. The note gives sizes for which it holds and for which it fails.',
    language: 'dnn',
    example: `net Square(x: f32[N, H, W]) -> f32[N, H, W] {
  return if H == W { x } else { 2 * x }
}
`,
    cure: 'Fix the sizes, or give both the same name.',
    fixed: `net Square(x: f32[N, H, H]) -> f32[N, H, H] {
  return 2 * x
}
`,
  }),
  page('E0211', 'a value that nothing reads (warning)', {
    cause:
      'A value of a function or training program, or its `data`, is bound and never read; or another value takes its name first. In blocks and nets every value can be read from outside as `out.name`, so only those that another replaces are reported.',
    language: 'dnn',
    example: `net Small(x: f32[N, 4]) -> f32[N, 3] {
  return x -> dense(3)
}

train fit {
  data x: f32[N, 4]
  data y: i32[N]
  scaled = x / 255
  minimize cross_entropy(Small(x), y) over Small by sgd(lr = 0.1)
}
`,
    cure: 'Use it or remove it. A name that begins with `_` is meant to be unused.',
    fixed: `net Small(x: f32[N, 4]) -> f32[N, 3] {
  return x -> dense(3)
}

train fit {
  data x: f32[N, 4]
  data y: i32[N]
  scaled = x / 255
  minimize cross_entropy(Small(scaled), y) over Small by sgd(lr = 0.1)
}
`,
  }),
  page('E0212', 'a `param` of a size that is not known yet', {
    cause:
      'A `param` of a training program may have sizes of the data. A compiled program has one layout for all that is kept between runs, so it must know them.',
    language: 'dnn',
    example: `train paint {
  data target: f32[1, 3, H, W]
  param image: f32[1, 3, H, W] = zeros
  minimize mean((image - target) ^ 2) over image by sgd(lr = 0.1)
}
`,
    cure: '`dnnc train` takes the sizes from the data that it is fed first. `dnnc compile` is told: `--dim H=64 --dim W=64`. Or write numbers, or a `const` that `-D` sets.',
    fixed: `const Side = 64

train paint {
  data target: f32[1, 3, Side, Side]
  param image: f32[1, 3, Side, Side] = zeros
  minimize mean((image - target) ^ 2) over image by sgd(lr = 0.1)
}
`,
  }),
  page('E0220', 'an index variable without a range', {
    cause:
      'In index notation a summed variable ranges over the axis that it is the whole index of. It stands only inside sums, so nothing says how far it goes.',
    language: 'dnn',
    example: `op diagonals(x: f32[N, M]) -> y: f32[N] {
  y[n] = sum(k) x[n, n + k]
}

net Diagonals(x: f32[4, 8]) -> f32[4] {
  return diagonals(x)
}
`,
    cure: 'Let it stand alone as an index of some input.',
    fixed: `op rows(x: f32[N, M]) -> y: f32[N] {
  y[n] = sum(k) x[n, k]
}

net Rows(x: f32[4, 8]) -> f32[4] {
  return rows(x)
}
`,
  }),
  page('E0221', 'an index that may leave its axis', {
    cause:
      'The ranges of index variables come from the declared types. With the sizes of this call an index leaves its axis, or it cannot be proved that it stays; where there is one, the mark shows an example in numbers.',
    language: 'dnn',
    example: `op slide(x: f32[N, L], w: f32[K]) -> y: f32[N, L] {
  y[n, l] = sum(k) x[n, l + k] * w[k]
}

net Slide(x: f32[N, 8], w: f32[3]) -> f32[N, 8] {
  return slide(x, w)
}
`,
    cure: 'Declare the result smaller, or pad the input.',
    fixed: `op slide(x: f32[N, L], w: f32[K]) -> y: f32[N, L - K + 1] {
  y[n, l] = sum(k) x[n, l + k] * w[k]
}

net Slide(x: f32[N, 8], w: f32[3]) -> f32[N, 6] {
  return slide(x, w)
}
`,
  }),
  page('E0222', 'something that index notation does not have', {
    cause:
      'An `op` has one assignment. Its left side is made of different variables, its indices are sums of variables times sizes with `~/` and `%` by sizes, and its value is made of loads, numbers, `+ - * / ^`, `max`, `min` and functions of one number.',
    language: 'dnn',
    example: `op total(x: f32[N, M]) -> y: f32[N] {
  y[n] = sum(k) softplus(x[n, k])
}

net Total(x: f32[4, 8]) -> f32[4] {
  return total(x)
}
`,
    cure: 'Write it out, or compute it outside as an ordinary tensor and pass that in.',
    fixed: `op total(x: f32[N, M]) -> y: f32[N] {
  y[n] = sum(k) log(1 + exp(x[n, k]))
}

net Total(x: f32[4, 8]) -> f32[4] {
  return total(x)
}
`,
  }),
  page('E0223', 'more memory than `--memory-limit` allows', {
    cause:
      'With `--memory-limit BYTES`, results that are cheap to compute again are let go of and made again where they are needed. What is then still needed at once, at the sizes that `--dim` gives (64 for others), is more than the limit. Parameters and states are not counted.',
    language: 'console',
    example: 'dnnc compile input.dnn -o out --memory-limit 1000',
    cure: 'The message names the least that was found. Smaller sizes need less: `--dim N=8`, or a smaller `--batch` where training.',
  }),
  page('E0224', 'something larger than any device can have', {
    cause:
      'A tensor takes more bytes than a kernel can be given at once (4294967292 in WebGPU: `maxStorageBufferBindingSize`), has more elements than kernels count (2^31 - 65,536), or a program takes more memory than WebAssembly has (4 GiB). That is so for all sizes, or at those that `--dim` gives. What some devices can have and others not is no error here: the module asks for it, and names it where it is missing.',
    language: 'dnn',
    example: `net Wide(x: f32[N, 40000]) -> f32[N, 50000] {
  return x -> dense(50000)
}

train fit {
  data x: f32[N, 40000]
  minimize mean(Wide(x) ^ 2) over Wide by sgd(lr = 0.1)
}
`,
    cure: 'Smaller sizes, or several parts: two layers side by side, joined behind.',
    fixed: `net Wide(x: f32[N, 40000]) -> f32[N, 50000] {
  return concat(x -> dense(25000), x -> dense(25000), axis = 1)
}

train fit {
  data x: f32[N, 40000]
  minimize mean(Wide(x) ^ 2) over Wide by sgd(lr = 0.1)
}
`,
  }),
];
