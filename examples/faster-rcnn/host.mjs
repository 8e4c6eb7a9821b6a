// What Faster R-CNN does outside of its networks: anchors, what they and the regions should learn, and the way from
// scores to detections.
import {
  anchorGrid,
  boxAt,
  clipped,
  matchBoxes,
  movedBy,
  offsetsBetween,
  sampleMatches,
  suppress,
} from 'dnnc/vision';

export const size = 64;
/** Shapes are 13 to 32 pixels wide and high. */
export const anchors = anchorGrid({ rows: 8, columns: 8, stride: 8, sizes: [17, 26], ratios: [0.5, 1, 2] });
const classes = 3;
/** Regions of a picture that the detector looks at. */
const regionsEach = 24;
/** What offsets of good regions are about: learned as parts of it, they are about 1 (Girshick's code of Fast R-CNN). */
const spread = [0.1, 0.1, 0.2, 0.2];

/** Of 64 anchors of a picture, half of them objects if there are so many, what they should say. */
export function anchorTargets(objects, random) {
  const boxes = objects.map(o => o.box);
  const matches = matchBoxes(anchors, boxes, { positive: 0.6 });
  const object = new Int32Array(anchors.length).fill(-1);
  const to_object = new Float32Array(4 * anchors.length);
  for (const i of sampleMatches(matches, { count: 64, random })) {
    object[i] = Number(matches[i] >= 0);
    if (object[i]) to_object.set(offsetsBetween(anchors[i], boxes[matches[i]]), 4 * i);
  }
  return { object, to_object };
}

/** The best regions of a picture, the best first: those that overlap a better one by more than 0.7 say the same. */
export function bestRegions(scores, offsets, most = regionsEach) {
  const boxes = anchors.map((anchor, i) => clipped(movedBy(anchor, boxAt(offsets, i)), size, size));
  const sure = anchors.map((_, i) => scores[2 * i + 1] - scores[2 * i]);
  return suppress(boxes, sure, { overlap: 0.7, most }).map(i => boxes[i]);
}

/** Regions of a picture for the detector to learn from, the true boxes among them, and what it should say of them. */
export function regionTargets(proposed, objects, random) {
  const boxes = objects.map(o => o.box);
  const all = [...proposed, ...boxes];
  const matches = matchBoxes(all, boxes, { positive: 0.5, negative: 0.5, best: false });
  const regions = new Float32Array(4 * regionsEach);
  const kind = new Int32Array(regionsEach).fill(-1);
  const to_box = new Float32Array(4 * regionsEach);
  sampleMatches(matches, { count: regionsEach, random }).forEach((from, i) => {
    regions.set(all[from], 4 * i);
    const object = objects[matches[from]];
    kind[i] = object ? object.kind + 1 : 0;
    if (object && isWide(all[from]))
      to_box.set(
        offsetsBetween(all[from], object.box).map((v, k) => v / spread[k]),
        4 * i,
      );
  });
  return { regions, kind, to_box };
}

const isWide = ([left, top, right, bottom]) => right > left && bottom > top;

/** Detections in pictures x [n, 3, size, size]: what the detector says of the best regions, without doubles. */
export async function detect({ Proposals, Detector }, x, { least = 0.3 } = {}) {
  const n = x.shape[0];
  const regions = new Float32Array(4 * n * regionsEach);
  const proposals = await proposalsOf(Proposals, x);
  proposals.forEach((boxes, i) => {
    regions.set(boxes.flat(), 4 * i * regionsEach);
  });
  const said = await Detector.predict({ x, regions: { data: regions, shape: [n, regionsEach, 4] } });
  return proposals.map((boxes, i) => {
    const all = boxes.flatMap((box, r) => {
      const at = i * regionsEach + r;
      const scores = softmax(said.scores.data.slice(at * (classes + 1), (at + 1) * (classes + 1)));
      return Array.from({ length: classes }, (_, kind) => {
        const offsets = boxAt(said.offsets.data, at * classes + kind).map((v, k) => v * spread[k]);
        return { kind, score: scores[kind + 1], box: clipped(movedBy(box, offsets), size, size) };
      });
    });
    const kept = suppress(
      all.map(d => d.box),
      all.map(d => d.score),
      { classes: all.map(d => d.kind), overlap: 0.3, least },
    );
    return kept.map(k => all[k]);
  });
}

/** The best regions of each picture. */
export async function proposalsOf(Proposals, x) {
  const { scores, offsets } = await Proposals.predict(x);
  const count = anchors.length;
  return Array.from({ length: x.shape[0] }, (_, i) =>
    bestRegions(
      scores.data.subarray(2 * i * count, 2 * (i + 1) * count),
      offsets.data.subarray(4 * i * count, 4 * (i + 1) * count),
    ),
  );
}

function softmax(scores) {
  const top = Math.max(...scores);
  const powers = Array.from(scores, v => Math.exp(v - top));
  const total = powers.reduce((a, b) => a + b);
  return powers.map(v => v / total);
}
