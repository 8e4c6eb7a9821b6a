import { Code, type Get, type Ref, type Type, type Wasm } from './code.ts';
import { fourLanes, type Lanes, oneLane } from './lanes.ts';
import { atan, sine, sineOfHuge } from './math/circle.ts';
import { erf, exp, expm1, sigmoid, tanh } from './math/exp.ts';
import { log, log1p } from './math/log.ts';
import { floorDivide, floorMod, power } from './math/power.ts';
import { threefry } from './math/random.ts';

export type HelperName =
  | 'exp'
  | 'expm1'
  | 'log'
  | 'log1p'
  | 'tanh'
  | 'sigmoid'
  | 'erf'
  | 'atan'
  | 'sin'
  | 'cos'
  | 'sin_huge'
  | 'cos_huge'
  | 'pow'
  | 'floordiv'
  | 'mod'
  | 'random';

type Formula = (l: Lanes, args: readonly Get[], helpers: Helpers) => Ref;

/** Functions of floats that SIMD128 and WebAssembly have no instruction for, and random words of ints. */
const formulas: Readonly<Record<HelperName, Formula>> = {
  exp: (l, [x]) => exp(l, x!),
  expm1: (l, [x]) => expm1(l, x!),
  log: (l, [x]) => log(l, x!),
  log1p: (l, [x]) => log1p(l, x!),
  tanh: (l, [x]) => tanh(l, x!),
  sigmoid: (l, [x]) => sigmoid(l, x!),
  erf: (l, [x]) => erf(l, x!),
  atan: (l, [x]) => atan(l, x!),
  sin: (l, [x], helpers) => sine(l, x!, 0, y => helpers.call('sin_huge', oneLane(l.code), [y()])),
  cos: (l, [x], helpers) => sine(l, x!, 1, y => helpers.call('cos_huge', oneLane(l.code), [y()])),
  sin_huge: (l, [x]) => sineOfHuge(l.code, x!, 0),
  cos_huge: (l, [x]) => sineOfHuge(l.code, x!, 1),
  pow: (l, [x, y]) => power(l, x!, y!),
  floordiv: (l, [x, y]) => floorDivide(l, x!, y!),
  mod: (l, [x, y]) => floorMod(l, x!, y!),
  random: (l, [key0, key1, counter0, counter1]) => threefry(l, key0!, key1!, counter0!, counter1!),
};

/** Functions of the module that kernels call; each is made when it is called first. */
export class Helpers {
  readonly #wasm: Wasm;
  readonly #made = new Set<string>();

  constructor(wasm: Wasm) {
    this.#wasm = wasm;
  }

  /** Calls the function for one lane or for four. */
  call(name: HelperName, l: Lanes, args: readonly Ref[]): Ref {
    const isWord = name === 'random';
    const type = isWord ? l.intType : l.floatType;
    const called = l.count === 1 ? name : `${name}_${l.count}`;
    this.#make(called, name, l.count, type, args.length);
    return this.#wasm.m.call(called, args, type);
  }

  #make(called: string, name: HelperName, count: 1 | 4, type: Type, params: number): void {
    if (this.#made.has(called)) return;
    this.#made.add(called);
    const names = ['x', 'y', 'z', 'w'].slice(0, params);
    const code = new Code(
      this.#wasm,
      names.map(n => [n, type] as const),
    );
    const l = count === 1 ? oneLane(code) : fourLanes(code);
    const args = code.params.map(p => p.get);
    code.finish(called, formulas[name](l, args, this), type);
  }
}
