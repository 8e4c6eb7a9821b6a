// Rows and tables.
import { median } from './measure.mjs';

const ms = n => (n === undefined ? '' : n < 10 ? n.toFixed(2) : n < 100 ? n.toFixed(1) : n.toFixed(0));

export function rowOf(work, { who, times, failed, error, first_ms, compile_ms, kernels }, target, adapter) {
  const round = n => (n === undefined ? undefined : +n.toFixed(3));
  return {
    work: work.name,
    doc: work.doc,
    who: who.name,
    target,
    adapter,
    ...(!failed && {
      median_ms: round(median(times)),
      min_ms: round(Math.min(...times)),
      n: times.length,
    }),
    ...(failed && { failed }),
    ...(Number.isFinite(error) && { error: +error.toExponential(1) }),
    first_ms: round(first_ms),
    compile_ms: round(compile_ms),
    ...(kernels && { kernels }),
  };
}

export function printRows(work, rows) {
  console.log(`${work.name}${work.doc ? `: ${work.doc}` : ''}`);
  const { ours } = compared(rows);
  for (const { who, median_ms, min_ms, n, failed, error, first_ms, compile_ms, kernels } of rows) {
    const compiled = compile_ms === undefined ? '' : `, ${ms(compile_ms)} of them to compile`;
    const ratio = who !== ours?.who && ours?.median_ms ? `${times(median_ms / ours.median_ms)} x` : '';
    const time = failed
      ? `${failed}${error === undefined ? '' : `, error ${power(error)}`}`
      : `${ms(median_ms).padStart(8)} ms ${ratio.padStart(8)}  min ${ms(min_ms).padEnd(6)} n ${String(n).padEnd(4)} error ${power(error)}, first result after ${ms(first_ms)} ms${compiled}`;
    console.log(`  ${who.padEnd(16)} ${time}`);
    for (const k of kernels ?? [])
      console.log(`    ${ms(k.ms).padStart(8)} ms  ${k.kernel}${k.runs > 1 ? ` (${k.runs} times)` : ''}`);
  }
}

const times = n => n?.toPrecision(n < 100 ? 3 : 4) ?? '';
const power = n => (n === undefined ? '' : n.toExponential(0));

const table = lines => {
  const widths = lines[0].map((_, i) => Math.max(...lines.map(l => l[i].length)));
  for (const line of lines)
    console.log(line.map((c, i) => (i < 2 ? c.padEnd(widths[i]) : c.padStart(widths[i]))).join('  '));
};

/** Ours and the fastest of the others, of one work. */
export function compared(rows) {
  const ours = rows.find(r => r.who === 'dnnc');
  const best = rows
    .filter(r => r.who !== 'dnnc' && r.median_ms !== undefined)
    .sort((a, b) => a.median_ms - b.median_ms)[0];
  const ratio = ours?.median_ms && best ? best.median_ms / ours.median_ms : undefined;
  return { ours, best, ratio };
}

/** Ratios say how many times faster than the best peer we are. */
export function printSummary(works, rows, target) {
  const lines = [['target', 'work', 'ours ms', 'best peer', 'ms', 'ratio', 'aim ms', '']];
  for (const work of works) {
    const { ours, best, ratio } = compared(rows.filter(r => r.work === work.name && r.target === target));
    const aim = work.aim[target];
    const met = ours?.median_ms === undefined ? '' : ours.median_ms <= aim ? 'met' : 'missed';
    lines.push([
      target,
      work.name,
      ours?.failed ?? ms(ours?.median_ms),
      best?.who ?? '',
      ms(best?.median_ms),
      times(ratio),
      aim === undefined ? '' : String(aim),
      aim === undefined ? '' : met,
    ]);
  }
  console.log('');
  table(lines);
}

/** For random shapes: of each class the geometric mean of the ratios to the best peer, and the worst. */
export function printRatios(works, rows, target) {
  const lines = [['target', 'class', 'shapes', 'mean ratio', 'least', 'at']];
  for (const kind of new Set(works.map(w => w.kind))) {
    const found = works
      .filter(w => w.kind === kind)
      .map(w => ({
        ...compared(rows.filter(r => r.work === w.name && r.target === target)),
        doc: w.doc,
      }))
      .filter(f => f.ratio)
      .sort((a, b) => a.ratio - b.ratio);
    const mean = Math.exp(found.reduce((s, f) => s + Math.log(f.ratio), 0) / found.length);
    const [least] = found;
    lines.push([
      target,
      kind,
      String(found.length),
      least ? times(mean) : '',
      times(least?.ratio),
      least ? `${least.doc} (${least.best.who})` : '',
    ]);
  }
  console.log('');
  table(lines);
}
