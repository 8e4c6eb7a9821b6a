/**
 * Functions that kernels call, printed only where they are used. `nameOf` gives the name another helper has in the
 * same module.
 */
export type HelperName =
  | 'nan'
  | 'sigmoid'
  | 'erf'
  | 'tanh_safe'
  | 'sine_of'
  | 'sine'
  | 'cosine'
  | 'arctangent'
  | 'log_one_plus'
  | 'exp_minus_one'
  | 'power'
  | 'square'
  | 'is_nan'
  | 'floor_mod'
  | 'threefry_rounds'
  | 'threefry2x32';

/** What a helper itself calls; these are printed before it. */
export const helperUses: Readonly<Partial<Record<HelperName, readonly HelperName[]>>> = {
  sine: ['sine_of'],
  cosine: ['sine_of'],
  power: ['nan'],
  threefry2x32: ['threefry_rounds'],
};

type NameOf = (helper: HelperName) => string;

export const helperText: Readonly<Record<HelperName, (name: string, nameOf: NameOf) => string>> = {
  nan: name => `
fn ${name}() -> f32 {
  var bits = 0x7fc00000u;
  return bitcast<f32>(bits);
}`,
  // exp(87) is finite, so the quotient keeps its relative accuracy down to 1e-37.
  sigmoid: name => `
fn ${name}(x: f32) -> f32 {
  return 1.0 / (1.0 + exp(min(-x, 87.0)));
}`,
  // The built-in overflows on some drivers and cancels near 0, where the Taylor series is exact enough.
  tanh_safe: name => `
fn ${name}(x: f32) -> f32 {
  let t = clamp(x, -15.0, 15.0);
  let z = t * t;
  let series = -0.053968254 + z * (0.021869488 - z * 0.0088632355);
  let near = t + t * z * (-0.33333333 + z * (0.13333333 + z * series));
  return select(tanh(t), near, abs(t) < 0.4);
}`,
  // Least-maximum fits of our own: of erf(x) / x in x² below 1, of -log(1 - erf(x)) in x up to 4, where erf rounds to 1.
  // Within 2e-7 of erf, relative to it.
  erf: name => `
fn ${name}(x: f32) -> f32 {
  let s = min(abs(x), 4.0);
  let z = s * s;
  let low = 1.1283792 + z * (-0.37612626 + z * (0.11283585 + z * -0.026853812));
  let near = s * (low + z * z * z * z * (0.0051883276 + z * (-8.0101925e-4 + z * 7.8538577e-5)));
  let start = 3.4151259e-4 + s * (1.1270892 + s * (0.63814476 + s * 0.10310682));
  let far = 1.0 - exp(-(start + z * z * (-0.021838097 + s * (0.0029476668 + s * -1.8638008e-4))));
  return sign(x) * select(far, near, s < 1.0);
}`,
  // WGSL promises three digits of sin and cos. Reduction in three steps (Cody and Waite) and the polynomials of
  // Cephes' sinf and cosf: within 2e-7 for |x| up to 8192.
  sine_of: name => `
fn ${name}(x: f32, quarters: i32) -> f32 {
  let q = round(x * 0.63661977);
  let r = clamp(((x - q * 1.5703125) - q * 4.837513e-4) - q * 7.54979e-8, -0.8, 0.8);
  let z = r * r;
  let odd = r + r * z * (-0.16666655 + z * (0.008332161 - z * 1.951529589e-4));
  let even = 1.0 - 0.5 * z + z * z * (0.04166664568 + z * (-0.001388731625 + z * 2.443315712e-5));
  let quadrant = (i32(q) + quarters) & 3;
  let size = select(odd, even, (quadrant & 1) == 1);
  return select(size, -size, quadrant >= 2);
}`,
  sine: (name, nameOf) => `
fn ${name}(x: f32) -> f32 {
  return ${nameOf('sine_of')}(x, 0);
}`,
  cosine: (name, nameOf) => `
fn ${name}(x: f32) -> f32 {
  return ${nameOf('sine_of')}(x, 1);
}`,
  // WGSL promises three digits of atan. Two turns bring x into -0.42 .. 0.42; the polynomial is that of Cephes' atanf.
  arctangent: name => `
fn ${name}(x: f32) -> f32 {
  let s = abs(x);
  let high = s > 2.4142136;
  let middle = s > 0.41421357 && !high;
  let start = select(select(0.0, 0.78539816, middle), 1.5707963, high);
  let t = select(select(s, (s - 1.0) / (s + 1.0), middle), -1.0 / max(s, 1.0), high);
  let z = t * t;
  let series = 0.199777106 + z * (-0.138776856 + z * 0.0805374449);
  return sign(x) * (start + (t + t * z * (-0.333329491 + z * series)));
}`,
  // Near 0 the sum 1 + x forgets x: there log(1 + x) = 2 artanh(s) with s = x / (2 + x), as its series.
  log_one_plus: name => `
fn ${name}(x: f32) -> f32 {
  let t = clamp(x, -0.5, 1.0);
  let s = t / (2.0 + t);
  let z = s * s;
  let series = 0.14285714 + z * (0.11111111 + z * (0.09090909 + z * 0.07692308));
  let near = 2.0 * (s + s * z * (0.33333333 + z * (0.2 + z * series)));
  return select(log(1.0 + x), near, x == t);
}`,
  // Near 0 the difference exp(x) - 1 cancels: there the Taylor series.
  exp_minus_one: name => `
fn ${name}(x: f32) -> f32 {
  let t = clamp(x, -0.5, 0.5);
  let series = 0.041666667 + t * (0.0083333333 + t * (0.0013888889 + t * (1.9841270e-4 + t * 2.4801587e-5)));
  let near = t + t * t * (0.5 + t * (0.16666667 + t * series));
  return select(exp(x) - 1.0, near, x == t);
}`,
  // WGSL's pow is undefined for negative bases; they have powers with whole exponents only.
  power: (name, nameOf) => `
fn ${name}(x: f32, y: f32) -> f32 {
  if (y == 0.0) {
    return 1.0;
  }
  if (x == 0.0) {
    return select(0.0, 3.4028234663852886e38, y < 0.0);
  }
  let size = pow(abs(x), y);
  if (x > 0.0) {
    return size;
  }
  if (floor(y) != y) {
    return ${nameOf('nan')}();
  }
  return select(size, -size, floor(y * 0.5) * 2.0 != y);
}`,
  is_nan: name => `
fn ${name}(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}`,
  square: name => `
fn ${name}(x: f32) -> f32 {
  return x * x;
}`,
  floor_mod: name => `
fn ${name}(a: f32, b: f32) -> f32 {
  return a - floor(a / b) * b;
}`,
  threefry_rounds: name => `
fn ${name}(state: vec2u, by: vec4u) -> vec2u {
  var x = state.x;
  var y = state.y;
  x += y;
  y = ((y << by.x) | (y >> (32u - by.x))) ^ x;
  x += y;
  y = ((y << by.y) | (y >> (32u - by.y))) ^ x;
  x += y;
  y = ((y << by.z) | (y >> (32u - by.z))) ^ x;
  x += y;
  y = ((y << by.w) | (y >> (32u - by.w))) ^ x;
  return vec2u(x, y);
}`,
  threefry2x32: (name, nameOf) => {
    const rounds = nameOf('threefry_rounds');
    return `
// Threefry-2x32, 20 rounds (Salmon et al., SC 2011): random bits from two words of key and two of counter.
fn ${name}(key0: u32, key1: u32, counter0: u32, counter1: u32) -> u32 {
  let key2 = key0 ^ key1 ^ 0x1bd11bdau;
  let even = vec4u(13u, 15u, 26u, 6u);
  let odd = vec4u(17u, 29u, 16u, 24u);
  var words = vec2u(counter0 + key0, counter1 + key1);
  words = ${rounds}(words, even) + vec2u(key1, key2 + 1u);
  words = ${rounds}(words, odd) + vec2u(key2, key0 + 2u);
  words = ${rounds}(words, even) + vec2u(key0, key1 + 3u);
  words = ${rounds}(words, odd) + vec2u(key1, key2 + 4u);
  words = ${rounds}(words, even) + vec2u(key2, key0 + 5u);
  return words.x;
}`;
  },
};
