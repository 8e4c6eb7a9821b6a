import { type Page, page } from './page.ts';

/** E01xx: the text, its names, imports and definitions from outside. */
export const textPages: readonly Page[] = [
  page('E0101', 'a character that the language does not use', {
    cause:
      'A character begins no word, number, string or operator of the language. Strings end on the line that they begin on, know the escapes `\\n \\t \\r \\" \\\\`, and a number must fit 64-bit floating point.',
    language: 'dnn',
    example: `net Flip(x: bool[N]) -> bool[N] {
  return !x
}
`,
    cure: 'Write what the hint says: words stand for most symbols of other languages (`not`, `and`, `or`), `~/` is floor division, `^` is the power, `//` begins a comment.',
    fixed: `net Flip(x: bool[N]) -> bool[N] {
  return not x
}
`,
  }),
  page('E0102', 'something stands where the grammar wants something else', {
    cause:
      'The words are known but their order is not. The message says what was expected and what was found; where a bracket is missing, a second mark shows the one that was opened. Reading goes on at the next statement, so one run shows all such places.',
    language: 'dnn',
    example: `net Pool(x: f32[N, 3, 8, 8]) -> f32[N, 3, 4, 4] {
  return x -> avg_pool(2 stride = 2)
}
`,
    cure: 'Put in what is missing. A `(` or `[` belongs to what stands before it only on the same line.',
    fixed: `net Pool(x: f32[N, 3, 8, 8]) -> f32[N, 3, 4, 4] {
  return x -> avg_pool(2, stride = 2)
}
`,
  }),
  page('E0103', 'brackets too deep, or a text too long', {
    cause: 'Brackets are followed 100 levels deep, and a file has at most 1,000,000 characters.',
    language: 'text',
    example: 'return ((((( … more than 100 … )))))\n',
    cure: 'Give parts of the expression names, or split the file and `import` its parts.',
  }),
  page('E0104', 'a name that is declared twice', {
    cause:
      'Two declarations of a file, parameters of a function, labels of a body, metrics of a program or arguments of a call have one name. Labels and layers are paths of parameters (`Net.head.weight`), so two of them cannot share one.',
    language: 'dnn',
    example: `net Twice(x: f32[N, 4]) -> f32[N, 4] {
  return x -> fc: dense(4) -> relu -> fc: dense(4)
}
`,
    cure: 'Rename one of them. To apply one layer twice, bind it to a name: `fc = dense(4)`.',
    fixed: `net Twice(x: f32[N, 4]) -> f32[N, 4] {
  return x -> fc1: dense(4) -> relu -> fc2: dense(4)
}
`,
  }),
  page('E0105', 'a type that does not exist', {
    cause:
      'Tensors are of `f32`, `f16`, `i32`, `u32`, `u8` or `bool`; arguments that are known at compile time are `int`, `float`, `bool`, `string`, `block`, `fn`, or lists of them.',
    language: 'dnn',
    example: `net Double(x: float32[N, 4]) -> f32[N, 4] {
  return 2 * x
}
`,
    cure: 'Use one of these types.',
    fixed: `net Double(x: f32[N, 4]) -> f32[N, 4] {
  return 2 * x
}
`,
  }),
  page('E0106', 'an import that cannot be found', {
    cause:
      'The file of an `import`, or a name in it, is not there, or the name is a training program, which belongs to its file. Paths are relative to the file that imports.',
    language: 'dnn',
    example: `import { Stage } from "./parts.dnn"

net Small(x: f32[N, 3, 8, 8]) -> f32[N, 8, 4, 4] = Stage(8)
`,
    cure: 'Correct the path, or take one of the names that the file has.',
  }),
  page('E0107', 'a name that nothing in sight has', {
    cause:
      'Names are looked for in the body, the file, its imports, the standard library and the built-in functions. A value of a body is known only after the line that binds it.',
    language: 'dnn',
    example: `net Small(x: f32[N, 4]) -> f32[N, 3] {
  return x -> dens(3)
}
`,
    cure: 'Correct the name; the hint shows the nearest one. Layers of the standard library are listed in docs/language.md.',
    fixed: `net Small(x: f32[N, 4]) -> f32[N, 3] {
  return x -> dense(3)
}
`,
  }),
  page('E0108', 'an argument that the callee does not have', {
    cause: 'A call names an argument (`stride = 2`) that the function, layer or operation does not declare.',
    language: 'dnn',
    example: `net Small(x: f32[N, 3, 8, 8]) -> f32[N, 8, 8, 8] {
  return x -> conv(8, 3, padding = 1)
}
`,
    cure: 'Use one of the names that the hint lists.',
    fixed: `net Small(x: f32[N, 3, 8, 8]) -> f32[N, 8, 8, 8] {
  return x -> conv(8, 3, pad = 1)
}
`,
  }),
  page('E0109', 'a definition that needs itself', {
    cause: 'The value of a `const`, or the block of a `net`, depends on itself, perhaps through others.',
    language: 'dnn',
    example: `const Width = 2 * Depth
const Depth = Width + 1
`,
    cure: 'Give one of them a value of its own.',
    fixed: `const Width = 2 * Depth
const Depth = 3
`,
  }),
  page('E0110', 'something that cannot stand here', {
    cause:
      '`data`, `metric`, `step`, `minimize`, `epoch` and `iter` belong to training programs, `yield` to the body of a `scan`, `param` and `state` to blocks, nets and programs, since a function holds nothing. `key`, `epoch` and `iter` cannot be names of `data`.',
    language: 'dnn',
    example: `fn scaled(x: f32[N, 4]) -> f32[N, 4] {
  param factor: f32 = 1
  return factor * x
}

net Scaled(x: f32[N, 4]) -> f32[N, 4] {
  return scaled(x)
}
`,
    cure: 'Move it to where it belongs. A function that needs parameters becomes a `block`, which gets a second pair of parentheses.',
    fixed: `block scaled()(x: f32[N, 4]) -> f32[N, 4] {
  param factor: f32 = 1
  return factor * x
}

net Scaled(x: f32[N, 4]) -> f32[N, 4] {
  return x -> scaled
}
`,
  }),
  page('E0111', '`-D` sets something that is no const', {
    cause: '`-D NAME=VALUE` sets a `const` of the file itself, not one of an imported file.',
    language: 'console',
    example: 'dnnc check net.dnn -D Clases=10\n',
    cure: 'Use the name of a const; the hint lists them.',
  }),
  page('E0112', 'a file that is not UTF-8', {
    cause:
      'The bytes of a source file, or of one that it imports, are no UTF-8 text. The mark shows the first that is not.',
    language: 'console',
    example: 'dnnc check net.dnn\n',
    cure: 'Save the file as UTF-8. A file of another kind, such as weights, cannot stand in its place.',
  }),
  page('E0113', 'a file without anything to compile', {
    cause:
      'What is compiled are nets and training programs. The file has neither; its blocks, functions and consts are for other files to import.',
    language: 'console',
    example: 'dnnc compile parts.dnn -o out\n',
    cure: 'Compile the file that imports it, or declare a `net`.',
    fixed: 'dnnc compile net.dnn -o out\n',
  }),
];
