import type { Case, Line, Val } from './case.ts';

/**
 * The smallest case, found in so many milliseconds, for which `fails` still holds: fewer results, statements that are
 * inputs instead, one size, fewer lines of the training program.
 */
export async function shrunk(
  whole: Case,
  fails: (c: Case) => Promise<boolean>,
  milliseconds: number,
): Promise<Case> {
  const end = Date.now() + milliseconds;
  let best = whole;
  for (let changed = true; changed && Date.now() < end; ) {
    changed = false;
    for (const smaller of candidates(best)) {
      if (Date.now() >= end) break;
      const tried = tidy(smaller);
      if (weight(tried) >= weight(best) || !(await fails(tried))) continue;
      best = tried;
      changed = true;
      break;
    }
  }
  return best;
}

const weight = (c: Case): number =>
  1000 * c.lines.length +
  100 * (c.outputs.length + c.sizes.length) +
  10 * (c.inputs.length + (c.training?.parts.length ?? 0)) +
  c.lines.reduce((n, l) => n + l.needs.length, 0);

function* candidates(c: Case): Generator<Case> {
  const { outputs, lines, inputs, training, sizes } = c;
  if (outputs.length > 1) for (const o of outputs) yield { ...c, outputs: [o] };
  if (sizes.length > 1) for (const s of sizes) yield { ...c, sizes: [s] };
  for (const part of training?.parts ?? [])
    if (!part.kept && training!.parts.length > 1)
      yield { ...c, training: { ...training!, parts: training!.parts.filter(p => p !== part) } };
  // A block of statements becomes inputs, from large blocks to single ones.
  for (let size = lines.length >> 1; size >= 1; size >>= 1)
    for (let at = 0; at < lines.length; at += size) {
      const gone = lines.slice(at, at + size);
      if (training) yield* withoutLines(c, gone);
      else yield { ...c, lines: without(lines, gone), inputs: [...inputs, ...gone.flatMap(l => l.makes)] };
    }
  if (outputs.length > 1) for (const o of outputs) yield { ...c, outputs: outputs.filter(x => x !== o) };
}

const without = (lines: readonly Line[], gone: readonly Line[]): Line[] =>
  lines.filter(l => !gone.includes(l));

/** The training program says by name how it is trained. */
const isNamedLayer = (l: Line): boolean => / -> (first|head|layer\d): /.test(l.text);

/** In a training program inputs are also data: its declarations and calls follow. */
function* withoutLines(c: Case, gone: readonly Line[]): Generator<Case> {
  const made = gone.flatMap(l => l.makes);
  if (gone.some(isNamedLayer)) return;
  yield { ...c, lines: without(c.lines, gone), inputs: [...c.inputs, ...made] };
}

/** Without statements and inputs that nothing needs; a training program feeds what inputs there are. */
function tidy(c: Case): Case {
  const needed = new Set(c.outputs.map(o => o.name));
  const kept: Line[] = [];
  for (const line of [...c.lines].reverse()) {
    if (!line.makes.some(m => needed.has(m.name)) && !isNamedLayer(line)) continue;
    for (const n of line.needs) needed.add(n);
    kept.unshift(line);
  }
  const outputs = c.outputs;
  const isFed = (i: Val): boolean => needed.has(i.name) || (c.training !== undefined && i.name === 'x0');
  return { ...c, lines: kept, outputs, inputs: c.inputs.filter(isFed) };
}
