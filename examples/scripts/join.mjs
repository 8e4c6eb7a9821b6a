/** Examples as one tensor of floats for each name, with these shapes; with `i32` for names that end so: `{ 'y:i32': [] }`. */
export function join(all, shapes) {
  return Object.fromEntries(
    Object.entries(shapes).map(([key, shape]) => {
      const [name, dtype = 'f32'] = key.split(':');
      const width = shape.reduce((n, d) => n * d, 1);
      const data = new (dtype === 'i32' ? Int32Array : Float32Array)(all.length * width);
      all.forEach((example, i) => {
        const values = example[name];
        data.set(typeof values === 'number' ? [values] : values, i * width);
      });
      return [name, { dtype, shape: [all.length, ...shape], data }];
    }),
  );
}
