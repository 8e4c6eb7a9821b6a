// Pictures with the objects that were found in them.
import { calm } from './calm.mjs';
import { put, tile, writePng } from './png.mjs';

const colours = [
  [230, 60, 40],
  [30, 150, 60],
  [40, 90, 230],
];

/**
 * Pictures [3 * size * size] side by side in a PNG, with `boxes` in pixels: a frame in the colour of its kind for each
 * detection, and dots where the true frames are.
 */
export function drawBoxes(path, pictures, { size, found, objects, columns = 4, scale = 2 }) {
  const data = new Float32Array(pictures.length * 3 * size * size);
  pictures.forEach((picture, i) => {
    data.set(calm(picture, size), i * picture.length);
  });
  const shape = [pictures.length, 3, size, size];
  const canvas = tile({ dtype: 'f32', shape, data }, { columns, scale, range: [0, 1] });
  pictures.forEach((_, i) => {
    const corner = [i % columns, Math.floor(i / columns)].map(at => at * (scale * size + 1));
    for (const { box } of objects[i])
      frame(corner, box, (x, y) => (x + y) % 4 === 0 && put(canvas, x, y, [255, 255, 0]));
    for (const { box, kind } of found[i]) frame(corner, box, (x, y) => put(canvas, x, y, colours[kind]));
  });
  return writePng(path, canvas);

  function frame([left, top], box, draw) {
    const edge = box.map(v => Math.min(Math.max(Math.round(v * scale), 0), scale * size - 1));
    for (let x = edge[0]; x <= edge[2]; x++) for (const y of [edge[1], edge[3]]) draw(left + x, top + y);
    for (let y = edge[1]; y <= edge[3]; y++) for (const x of [edge[0], edge[2]]) draw(left + x, top + y);
  }
}
