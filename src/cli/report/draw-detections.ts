import type { Box, Detection } from '../../../runtime/vision/index.ts';
import type { Found, Picture } from './content.ts';
import { escapeHtml, pngOf } from './draw.ts';

/** Small pictures are shown larger: what is written beside frames needs room. */
const scaleOf = ({ width }: Picture): number => Math.max(1, Math.floor(200 / width));

const sizeOf = (p: Picture): string => `width="${p.width * scaleOf(p)}" height="${p.height * scaleOf(p)}"`;

/** The pictures once for all moments, with dashed frames, black on white, around what there is. */
export function drawScenes({ pictures, truth }: Found): string {
  const scenes = pictures.map((picture, i) => {
    const scale = scaleOf(picture);
    const frames = truth[i]!.map(({ box, kind }) => {
      const at = placeOf(box, scale);
      return `<rect ${at} fill="none" stroke="#fff" stroke-width="2"/><rect class="truth" ${at} fill="none" stroke="#000" stroke-width="2" stroke-dasharray="4 4"><title>${kind}</title></rect>`;
    });
    return `<g id="scene${i}"><image href="data:image/png;base64,${pngOf(picture).toString('base64')}" ${sizeOf(picture)}/>${frames.join('')}</g>`;
  });
  return `<svg width="0" height="0" style="position:absolute"><defs>${scenes.join('')}</defs></svg>`;
}

/** What was found, over the pictures of `drawScenes`: a frame in the colour of its class, with class and score. */
export function drawDetections({ pictures }: Found, found: readonly (readonly Detection[])[]): string {
  const drawn = found.map((list, i) => {
    const scale = scaleOf(pictures[i]!);
    const frames = list.map(({ box, kind, score }) => {
      const colour = `hsl(${(kind * 137 + 10) % 360} 85% 42%)`;
      const said = escapeHtml(`${kind} ${score.toFixed(2)}`);
      // Beside the upper edge, outside of the frame where there is room.
      const [x, y] = [Math.max(0, box[0] * scale), Math.max(11, box[1] * scale - 3)];
      return `<rect class="found" ${placeOf(box, scale)} fill="none" stroke="${colour}" stroke-width="2"><title>${said}</title></rect><text x="${x.toFixed(1)}" y="${y.toFixed(1)}" fill="${colour}" stroke="#fff" stroke-width="3">${said}</text>`;
    });
    return `<svg class="scene" ${sizeOf(pictures[i]!)}><use href="#scene${i}"/>${frames.join('')}</svg>`;
  });
  return `<div class="scenes">${drawn.join('')}</div>`;
}

function placeOf([left, top, right, bottom]: Box, scale: number): string {
  const [x, y, width, height] = [left, top, right - left, bottom - top].map(v => v * scale);
  return `x="${x!.toFixed(1)}" y="${y!.toFixed(1)}" width="${Math.max(0, width!).toFixed(1)}" height="${Math.max(0, height!).toFixed(1)}"`;
}
