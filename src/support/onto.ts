/**
 * A class that extends this puts its private fields onto an object that is there already: what is worked out about an
 * object is kept with it, and neither copies nor comparisons see it. A WeakMap would do the same, but its hashes have
 * 20 bits: over a million keys, alive or not yet collected, each look-up takes microseconds.
 */
export class Onto {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: the object that gets the fields is not the new one
    return object;
  }
}
