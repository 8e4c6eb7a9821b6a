import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { formatBytes, formatCount } from '../explain/table.ts';
import { formatNumber } from '../training/progress.ts';
import type { Content } from './content.ts';
import { drawConfusion, drawMemory, drawNet, drawPicture, escapeHtml } from './draw.ts';
import { drawDetections, drawScenes } from './draw-detections.ts';

/** More points than this are drawn as means of neighbours. */
const points = 2000;

/** One page with everything in it: it asks the network for nothing. */
export function printReport(content: Content): string {
  const { title, facts, confusion, samples, detections, filters, nets, memory } = content;
  const curves = curvesOf(content.lines);
  const section = (name: string, ...parts: readonly string[]): string =>
    parts.length === 0 ? '' : `<section><h2>${name}</h2>\n${parts.join('\n')}\n</section>`;
  const figure = (caption: string, body: string): string =>
    `<figure>${body}<figcaption>${escapeHtml(caption)}</figcaption></figure>`;
  const gallery = (list: Content['filters'][number]['pictures'], name: string): string =>
    `<div class="gallery">${list.map((p, i) => drawPicture(p, `${name} ${i}`)).join('')}</div>`;
  const body = [
    `<h1>${escapeHtml(title)}</h1>`,
    `<table class="facts">${facts.map(([name, value]) => `<tr><th>${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`).join('')}</table>`,
    section('Curves', ...curves.map((_, i) => `<div class="curve" id="curve${i}"></div>`)),
    section('Last values', lastValues(content)),
    ...(confusion
      ? [
          section(
            'Confusion',
            figure(
              `Rows: what it is; columns: what ${confusion.net} takes it for. ${formatCount(confusion.examples)} of ${formatCount(confusion.of)} examples.`,
              drawConfusion(confusion),
            ),
          ),
        ]
      : []),
    section('Samples over time', ...samples.map(s => figure(s.after, gallery(s.pictures, 'sample')))),
    ...(detections
      ? [
          section(
            'Detections over time',
            drawScenes(detections),
            ...detections.moments.map(m => figure(m.after, drawDetections(detections, m.found))),
            `<p class="key">${escapeHtml(keyOf(detections))}</p>`,
          ),
        ]
      : []),
    section('First layers', ...filters.map(f => figure(f.name, gallery(f.pictures, 'filter')))),
    section(
      'Nets',
      ...nets.map(n => figure(`${n.name}, folded by block`, `<div class="wide">${drawNet(n)}</div>`)),
    ),
    section(
      'Memory',
      ...memory.map(m =>
        figure(
          `${m.program}: what lies in the ${formatBytes(m.arena)} of the arena, from the first of ${m.dispatches} dispatches to the last.`,
          `<div class="wide">${drawMemory(m)}</div>`,
        ),
      ),
    ),
  ].join('\n');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>${escapeHtml(title)}</title>
<script>${first}</script>
<style>${library('dist/uPlot.min.css')}</style>
<style>${style}</style>
</head>
<body>
${body}
<script type="application/json" id="curves">${JSON.stringify(curves).replaceAll('<', '\\u003c')}</script>
<script>${library('dist/uPlot.iife.min.js').replaceAll('</script', '<\\/script')}</script>
<script>${script}</script>
</body>
</html>
`;
}

const keyOf = ({ nets, truth }: NonNullable<Content['detections']>): string =>
  `In colour what ${nets.join(' and ')} finds, with class and score${truth.flat().length > 0 ? '; dashed what there is' : ''}.`;

const require = createRequire(import.meta.url);

/** A file of uPlot, which draws the curves. */
function library(path: string): string {
  const main = require.resolve('uplot');
  return readFileSync(`${main.slice(0, main.replaceAll('\\', '/').lastIndexOf('/dist/'))}/${path}`, 'utf8');
}

interface Curve {
  readonly name: string;
  /** Steps, then what was measured in training, then over the validation data. */
  readonly data: readonly (readonly (number | null)[])[];
}

function curvesOf(lines: Content['lines']): Curve[] {
  const names = [...new Set(lines.flatMap(l => Object.keys(l)))].filter(
    name => !['step', 'epoch', 'val'].includes(name) && lines.some(l => typeof l[name] === 'number'),
  );
  return names.map(name => {
    const steps = thinned(
      lines.filter(l => !l.val && name in l).map(l => [l.step, numberOf(l[name])] as const),
    );
    const checks = new Map(lines.filter(l => l.val).map(l => [l.step, numberOf(l[name])] as const));
    const at = [...new Set([...steps.keys(), ...checks.keys()])].sort((a, b) => a - b);
    const column = (of: ReadonlyMap<number, number | null>) => at.map(step => of.get(step) ?? null);
    return { name, data: [at, column(steps), ...(checks.size > 0 ? [column(checks)] : [])] };
  });
}

const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);

function thinned(all: readonly (readonly [number, number | null])[]): Map<number, number | null> {
  const size = Math.ceil(all.length / points);
  const parts = Array.from({ length: Math.ceil(all.length / size) || 0 }, (_, i) =>
    all.slice(i * size, (i + 1) * size),
  );
  return new Map(
    parts.map(part => {
      const values = part.flatMap(([, v]) => v ?? []);
      return [part.at(-1)![0], values.length ? values.reduce((a, b) => a + b, 0) / values.length : null];
    }),
  );
}

function lastValues({ lines }: Content): string {
  const row = (line: Content['lines'][number] | undefined, name: string): string =>
    line
      ? `<tr><th>${name}, step ${line.step}</th><td>${Object.entries(line)
          .filter(([key, v]) => !['step', 'epoch'].includes(key) && typeof v === 'number')
          .map(([key, v]) => `${escapeHtml(key)} ${formatNumber(v as number)}`)
          .join(' · ')}</td></tr>`
      : '';
  const last = (val: boolean) => lines.filter(l => (l.val === true) === val).at(-1);
  return `<table class="facts">${row(last(false), 'training')}${row(last(true), 'validation')}</table>`;
}

const style = `
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 980px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem; border-bottom: 1px solid #ddd }
table { border-collapse: collapse } .facts th { text-align: left; padding-right: 1.5rem; font-weight: 600 }
figure { margin: 1rem 0 } figcaption { color: #555; font-size: 13px }
.confusion td, .confusion th { width: 2.4rem; height: 1.7rem; text-align: center; font-size: 13px; border: 1px solid #eee }
svg.scene { margin: 2px } svg.scene image { image-rendering: pixelated } svg.scene text { font-size: 11px; paint-order: stroke }
.gallery img { image-rendering: pixelated; margin: 2px } .wide { overflow-x: auto } .curve { margin: 1rem 0 }
svg text { font: 12px system-ui, sans-serif }
`;

/** Chromium in the POSIX locale has a language that its own formats refuse. */
const first = `
addEventListener('error', e => { document.documentElement.dataset.error ||= e.message });
try { new Intl.NumberFormat(navigator.language) } catch { Object.defineProperty(navigator, 'language', { value: 'en-US' }) }
`;

const script = `
const curves = JSON.parse(document.getElementById('curves').textContent);
curves.forEach(({ name, data }, i) => {
  const series = [{ label: 'step' }, { label: name, stroke: '#2a6fb0', width: 1.5, spanGaps: true }];
  if (data.length > 2) series.push({ label: 'val ' + name, stroke: '#c0562b', width: 2, spanGaps: true, points: { show: true } });
  new uPlot({ title: name, width: 900, height: 260, scales: { x: { time: false } }, axes: [{ label: 'step' }, { size: 70 }], series }, data, document.getElementById('curve' + i));
});
document.documentElement.dataset.drawn = curves.length;
`;
