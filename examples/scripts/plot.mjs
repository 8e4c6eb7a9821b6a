// Curves in a PNG, with a title, a legend and numbers at the axes.
import { canvas, put, writePng } from './png.mjs';

/** Five rows of three pixels for each character, as octal digits. */
const glyphs = Object.fromEntries(
  (
    'A25755 B65656 C34443 D65556 E74647 F74644 G34553 H55755 I72227 J11152 K55655 L44447 M57755 N65555 O25552 ' +
    'P65644 Q25563 R65655 S34216 T72222 U55557 V55522 W55775 X55255 Y55222 Z71247 025552 126227 261247 361216 ' +
    '455711 574616 634652 771222 825252 925316 .00002 ,00024 -00700 +02720 %51245 /11244 =07070 :02020 (12221 )42224 x05250'
  )
    .split(' ')
    .map(entry => [entry[0], [...entry.slice(1)].map(Number)]),
);

/** Writes text with its left upper corner at x, y; gives where it ends. Letters are capitals, but for `x`. */
export function write(target, text, x, y, colour = [60, 60, 60], scale = 2) {
  [...String(text)].forEach((character, i) => {
    const rows = glyphs[character] ?? glyphs[character.toUpperCase()] ?? [];
    rows.forEach((bits, row) => {
      for (let column = 0; column < 3; column++)
        if (bits & (4 >> column))
          for (let k = 0; k < scale * scale; k++)
            put(
              target,
              x + (4 * i + column) * scale + (k % scale),
              y + row * scale + Math.floor(k / scale),
              colour,
            );
    });
  });
  return x + 4 * scale * String(text).length;
}

/** Hues that differ for people who see no red or green too (Okabe and Ito). */
export const colours = [
  [0, 114, 178],
  [213, 94, 0],
  [0, 158, 115],
  [204, 121, 167],
  [230, 159, 0],
  [86, 180, 233],
];

/** A straight line, `width` pixels thick. */
export function line(target, [x0, y0], [x1, y1], colour, width = 1) {
  const steps = Math.max(1, Math.ceil(Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0))));
  for (let i = 0; i <= steps; i++)
    for (let k = 0; k < width * width; k++)
      put(
        target,
        Math.round(x0 + ((x1 - x0) * i) / steps) + (k % width),
        Math.round(y0 + ((y1 - y0) * i) / steps) + Math.floor(k / width),
        colour,
      );
}

const number = v => (Math.abs(v) >= 100 || Number.isInteger(v) ? v.toFixed(0) : v.toPrecision(2));

/**
 * `curves` by name: a list of y, whose x are 0, 1, 2 …, or of [x, y]. `low` and `high` bound the y axis where given;
 * `x` names the other one.
 */
export function plot(path, { title = '', curves, x = '', width = 360, height = 220, low, high }) {
  const points = Object.entries(curves).map(([name, list]) => [
    name,
    list.map((p, i) => (Array.isArray(p) ? p : [i, p])),
  ]);
  const all = points.flatMap(([, list]) => list);
  const least = low ?? Math.min(...all.map(p => p[1]));
  const most = Math.max(high ?? Math.max(...all.map(p => p[1])), least + 1e-9);
  const [first, last] = [Math.min(...all.map(p => p[0])), Math.max(...all.map(p => p[0]))];
  const [left, right, top, bottom] = [52, width - 10, 24, height - 30];
  const at = ([px, py]) => [
    left + ((right - left) * (px - first)) / (last - first || 1),
    bottom - ((bottom - top) * (Math.min(Math.max(py, least), most) - least)) / (most - least),
  ];
  const target = canvas(width, height);
  for (let i = 0; i <= 4; i++) {
    const y = bottom - ((bottom - top) * i) / 4;
    line(target, [left, y], [right, y], [225, 225, 225]);
    const label = number(least + ((most - least) * i) / 4);
    write(target, label, left - 4 - 8 * label.length, Math.round(y) - 5);
  }
  line(target, [left, top], [left, bottom], [60, 60, 60]);
  line(target, [left, bottom], [right, bottom], [60, 60, 60]);
  write(target, number(first), left, bottom + 6);
  const end = number(last);
  write(target, end, right - 8 * end.length, bottom + 6);
  write(target, x, (left + right) / 2 - 4 * x.length, bottom + 6);
  write(target, title, left, 6);
  points.forEach(([name, list], i) => {
    const colour = colours[i % colours.length];
    for (let k = 1; k < list.length; k++) line(target, at(list[k - 1]), at(list[k]), colour, 2);
    write(target, name, right - 8 * name.length, top + 4 + 14 * i, colour);
  });
  return writePng(path, target);
}

/** Lines of text in a PNG. */
export function writing(path, lines) {
  const target = canvas(16 + 8 * Math.max(...lines.map(l => l.length)), 12 + 14 * lines.length);
  lines.forEach((text, i) => {
    write(target, text, 8, 8 + 14 * i);
  });
  return writePng(path, target);
}
