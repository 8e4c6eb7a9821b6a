// A picture to work on where a photograph would be large: a red ball over a checkered floor, under a sky.

/** f32 [1, 3, height, width], 0 to 1; always the same. */
export function scene(height = 96, width = height) {
  const plane = height * width;
  const data = new Float32Array(3 * plane);
  for (let i = 0; i < plane; i++) {
    const x = ((i % width) + 0.5 - width / 2) / height;
    const y = (Math.floor(i / width) + 0.5) / height - 0.5;
    shade(x, y).forEach((value, c) => {
      data[c * plane + i] = Math.max(0, Math.min(1, value));
    });
  }
  return { dtype: 'f32', shape: [1, 3, height, width], data };
}

const [middle, radius] = [[0.08, -0.02], 0.3];

/** Red, green and blue at a point; x and y are 0 in the middle. */
function shade(x, y) {
  const [dx, dy] = [(x - middle[0]) / radius, (y - middle[1]) / radius];
  const rest = 1 - dx * dx - dy * dy;
  if (rest > 0) {
    // Light comes from the left, above and before.
    const light = Math.max(0, -0.5 * dx - 0.6 * dy + 0.62 * Math.sqrt(rest));
    return [
      0.25 + 0.7 * light + light ** 20,
      0.08 + 0.15 * light + light ** 20,
      0.1 + 0.2 * light + light ** 20,
    ];
  }
  if (y < 0.08) return [0.45 - 0.5 * y, 0.65 - 0.4 * y, 0.9];
  const depth = 0.35 / (y + 0.02);
  const dark = (Math.floor(4 * x * depth + 100) + Math.floor(3 * depth)) % 2 === 0;
  const shadow = ((x - 0.16) / 0.34) ** 2 + ((y - 0.32) / 0.07) ** 2 < 1 ? 0.5 : 1;
  return dark ? [0.2 * shadow, 0.25 * shadow, 0.2 * shadow] : [0.9 * shadow, 0.88 * shadow, 0.8 * shadow];
}
