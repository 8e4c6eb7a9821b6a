import type { Code, Get, Ref } from './code.ts';

/** Lanes picked from several registers, four for each result. */
export function shuffleRefs(code: Code, from: readonly Get[], picks: readonly number[]): Ref[] {
  return Array.from({ length: picks.length / 4 }, (_, i) => pick(code, from, picks.slice(4 * i, 4 * i + 4)));
}

/** An instruction takes from two registers; where there are more, what it has made is one of them. */
function pick(code: Code, from: readonly Get[], picks: readonly number[]): Ref {
  const sources = [...new Set(picks.map(p => Math.floor(p / 4)))];
  let result = bytes(
    code,
    from[sources[0]!]!,
    from[sources[1] ?? sources[0]!]!,
    picks.map(p => {
      const source = sources.indexOf(Math.floor(p / 4));
      return source > 1 ? 0 : 4 * source + (p % 4);
    }),
  );
  for (const source of sources.slice(2)) {
    const made = code.keep(result, code.b.v128);
    result = bytes(
      code,
      made,
      from[source]!,
      picks.map((p, lane) => (Math.floor(p / 4) === source ? 4 + (p % 4) : lane)),
    );
  }
  return result;
}

function bytes(code: Code, a: Get, b: Get, lanes: readonly number[]): Ref {
  return code.m.i8x16.shuffle(
    a(),
    b(),
    lanes.flatMap(lane => [0, 1, 2, 3].map(byte => 4 * lane + byte)),
  );
}
