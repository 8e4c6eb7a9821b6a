// The nets of nets/*.dnn as graphs.
import { Graph } from './graph.mjs';

export function lenet(batch) {
  const g = new Graph([batch, 1, 28, 28]);
  let x = g.maxPool(g.conv('conv1', 'x', 6, 5, { pad: 2, act: 'relu' }), 2);
  x = g.maxPool(g.conv('conv2', x, 16, 5, { act: 'relu' }), 2);
  x = g.dense('fc2', g.dense('fc1', g.flatten(x), 120, 'relu'), 84, 'relu');
  g.dense('head', x, 10);
  return g;
}

/** Two convolutions and a shortcut; `names` are theirs in the .dnn file. */
function basic(g, x, c, stride, path) {
  const norm = true;
  const y = g.conv(`${path}.conv1`, x, c, 3, { stride, pad: 1, norm, act: 'relu' });
  const z = g.conv(`${path}.conv2`, y, c, 3, { pad: 1, norm });
  const same = stride === 1 && g.shapeOf(x)[1] === c;
  return g.add(z, same ? x : g.conv(`${path}.down`, x, c, 1, { stride, norm }), 'relu');
}

export function resnet18() {
  const g = new Graph([1, 3, 224, 224]);
  let x = g.conv('stem', 'x', 64, 7, { stride: 2, pad: 3, norm: true, act: 'relu' });
  x = g.maxPool(x, 3, 2, 1);
  for (let i = 0; i < 4; i++) {
    x = basic(g, x, 64 * 2 ** i, i === 0 ? 1 : 2, `first[${i}]`);
    x = basic(g, x, 64 * 2 ** i, 1, `rest[${i}][0]`);
  }
  g.dense('head', g.globalAvgPool(x), 1000);
  return g;
}

export function resnet8(batch, size = 32) {
  const g = new Graph([batch, 3, size, size]);
  let x = g.conv('stem', 'x', 16, 3, { pad: 1, norm: true, act: 'relu' });
  for (let i = 0; i < 3; i++) x = basic(g, x, 16 * 2 ** i, i === 0 ? 1 : 2, `stage[${i}]`);
  g.dense('head', g.globalAvgPool(x), 10);
  return g;
}

/** Expansion, channels, turns and stride of each group of blocks. */
const inverted = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];

export function mobilenetV2() {
  const g = new Graph([1, 3, 224, 224]);
  const norm = true;
  const act = 'relu6';
  let x = g.conv('stem', 'x', 32, 3, { stride: 2, pad: 1, norm, act });
  inverted.forEach(([expand, c, turns, first], i) => {
    for (let turn = 0; turn < turns; turn++) {
      const path = turn === 0 ? `first[${i}]` : `rest[${i}][${turn - 1}]`;
      const stride = turn === 0 ? first : 1;
      const wide = g.shapeOf(x)[1] * expand;
      let y = expand === 1 ? x : g.conv(`${path}.expand`, x, wide, 1, { norm, act });
      y = g.conv(`${path}.depthwise`, y, wide, 3, { stride, pad: 1, groups: wide, norm, act });
      y = g.conv(`${path}.project`, y, c, 1, { norm });
      x = stride === 1 && g.shapeOf(x)[1] === c ? g.add(y, x) : y;
    }
  });
  g.dense('head', g.globalAvgPool(g.conv('last', x, 1280, 1, { norm, act })), 1000);
  return g;
}
