import { PNG } from 'pngjs';
import { formatBytes, formatCount } from '../explain/table.ts';
import type { Confusion, Content, NetGraph, Picture } from './content.ts';

export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"]/g, c => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);

/** The file of a picture. */
export function pngOf({ width, height, channels, planes }: Picture): Buffer {
  const image = new PNG({ width, height });
  const plane = width * height;
  for (let i = 0; i < plane; i++)
    for (let c = 0; c < 4; c++)
      image.data[4 * i + c] = c === 3 ? 255 : planes[(channels === 1 ? 0 : c) * plane + i]!;
  return PNG.sync.write(image);
}

/** Small pictures are shown larger, with their pixels as squares. */
export function drawPicture(picture: Picture, title: string): string {
  const scale = Math.max(1, Math.floor(72 / picture.width));
  return `<img src="data:image/png;base64,${pngOf(picture).toString('base64')}" width="${picture.width * scale}" height="${picture.height * scale}" alt="${escapeHtml(title)}" title="${escapeHtml(title)}">`;
}

/** Rows are what it is, columns what it is taken for; the darker the more of the row. */
export function drawConfusion({ counts }: Confusion): string {
  const head = counts.map((_, i) => `<th>${i}</th>`).join('');
  const rows = counts.map((row, i) => {
    const all = Math.max(
      1,
      row.reduce((a, b) => a + b, 0),
    );
    const cells = row.map((n, j) => {
      const color = i === j ? '38,115,77' : '178,60,40';
      return `<td style="background:rgba(${color},${(n / all).toFixed(2)})">${n || ''}</td>`;
    });
    return `<tr><th>${i}</th>${cells.join('')}</tr>`;
  });
  return `<table class="confusion"><tr><th></th>${head}</tr>${rows.join('')}</table>`;
}

const box = { width: 220, height: 40, across: 24, down: 26 };

/** Boxes from top to bottom, each below all that it reads; those of one row side by side. */
export function drawNet({ name, boxes, arrows }: NetGraph): string {
  const rows = boxes.map(() => 0);
  for (let i = 0; i < boxes.length; i++)
    for (const [from, to] of arrows) if (to === i) rows[i] = Math.max(rows[i]!, rows[from]! + 1);
  const taken = new Map<number, number>();
  const places = rows.map(row => {
    const column = taken.get(row) ?? 0;
    taken.set(row, column + 1);
    return { x: 10 + column * (box.width + box.across), y: 10 + row * (box.height + box.down) };
  });
  const width = Math.max(...places.map(p => p.x)) + box.width + 60;
  const height = Math.max(...places.map(p => p.y)) + box.height + 10;
  const lines = arrows.map(([from, to]) => {
    const [a, b] = [places[from]!, places[to]!];
    const [x1, y1, x2, y2] = [a.x + box.width / 2, a.y + box.height, b.x + box.width / 2, b.y];
    // A skip goes around what lies between.
    const path =
      rows[to]! - rows[from]! > 1 && a.x === b.x
        ? `M${a.x + box.width} ${a.y + box.height / 2} C${a.x + box.width + 46} ${a.y + box.height},${b.x + box.width + 46} ${b.y},${b.x + box.width} ${b.y + box.height / 2}`
        : `M${x1} ${y1} L${x2} ${y2}`;
    return `<path d="${path}" fill="none" stroke="#888" marker-end="url(#head)"/>`;
  });
  const drawn = boxes.map((b, i) => {
    const { x, y } = places[i]!;
    const middle = x + box.width / 2;
    const count = b.parameters > 0 ? ` · ${formatCount(b.parameters)}` : '';
    return `<g><title>${escapeHtml(b.name)}</title><rect x="${x}" y="${y}" width="${box.width}" height="${box.height}" rx="4" fill="#eef3f8" stroke="#678"/><text x="${middle}" y="${y + 16}" text-anchor="middle" font-weight="600">${escapeHtml(b.name.replace(`${name}.`, ''))}</text><text x="${middle}" y="${y + 32}" text-anchor="middle" fill="#555">${escapeHtml(b.output)}${count}</text></g>`;
  });
  const head =
    '<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#888"/></marker></defs>';
  return `<svg class="net" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${head}${lines.join('')}${drawn.join('')}</svg>`;
}

/** What lies where in the arena while the dispatches of a program run from left to right. */
export function drawMemory({ arena, dispatches, blocks }: Content['memory'][number]): string {
  const [width, height] = [900, 320];
  const x = (dispatch: number): number => ((dispatch + 1) / (dispatches + 2)) * width;
  const y = (byte: number): number => height - (byte / Math.max(1, arena)) * height;
  const drawn = blocks.map(({ name, offset, bytes, from, to }, i) => {
    const hue = (i * 47) % 360;
    const title = `${name}: ${formatBytes(bytes)}, dispatches ${Math.max(0, from)} to ${Math.min(dispatches - 1, to)}`;
    return `<rect x="${x(from).toFixed(1)}" y="${y(offset + bytes).toFixed(1)}" width="${(x(to + 1) - x(from)).toFixed(1)}" height="${Math.max(0.5, (bytes / Math.max(1, arena)) * height).toFixed(1)}" fill="hsl(${hue} 45% 70%)" stroke="#fff" stroke-width="0.5"><title>${escapeHtml(title)}</title></rect>`;
  });
  return `<svg class="memory" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${drawn.join('')}</svg>`;
}
