/**
 * A picture [3 * size * size] in few shades and with its noise smoothed away, for a PNG that is small.
 */
export function calm(picture, size) {
  const plane = size * size;
  return picture.map((_, i) => {
    const [channel, row, column] = [Math.floor(i / plane), Math.floor(i / size) % size, i % size];
    let [sum, count] = [0, 0];
    for (let y = Math.max(row - 1, 0); y <= Math.min(row + 1, size - 1); y++)
      for (let x = Math.max(column - 1, 0); x <= Math.min(column + 1, size - 1); x++) {
        sum += picture[channel * plane + y * size + x];
        count++;
      }
    return Math.round((sum / count) * 6) / 6;
  });
}
