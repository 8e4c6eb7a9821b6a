/** The smallest part of an input, found in `milliseconds`, for which `fails` still holds. */
export function shrink(input, fails, milliseconds = 10_000) {
  const end = performance.now() + milliseconds;
  let best = input;
  const without = (value, from, to) =>
    typeof value === 'string'
      ? value.slice(0, from) + value.slice(to)
      : Uint8Array.from([...value.slice(0, from), ...value.slice(to)]);
  for (let size = Math.ceil(best.length / 2); size >= 1; ) {
    let smaller = false;
    for (let at = 0; at < best.length && performance.now() < end; ) {
      const candidate = without(best, at, at + size);
      if (fails(candidate)) {
        best = candidate;
        smaller = true;
      } else at += size;
    }
    if (performance.now() >= end) break;
    if (!smaller || size > best.length) {
      if (size === 1 && !smaller) break;
      size = size === 1 ? 1 : Math.ceil(size / 2);
    }
  }
  return best;
}
