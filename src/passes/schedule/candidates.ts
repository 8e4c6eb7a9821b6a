import type { Work } from '../../ir/program.ts';
import type { Target } from '../../ir/target.ts';
import { laneMaps, laneTiles } from './cpu/kinds.ts';
import type { Candidate, ScheduleKind, Subject } from './kind.ts';
import { maps } from './kind-map.ts';
import { matrixTiles } from './kind-matrix.ts';
import { registerTiles } from './kind-tiles.ts';
import { workgroupTiles } from './kind-workgroup.ts';

/** In the order in which they are asked for their best. To add a schedule, add it here. */
const kinds: readonly ScheduleKind[] = [
  laneTiles,
  laneMaps,
  matrixTiles,
  workgroupTiles,
  registerTiles,
  maps,
];

function subjectOf(work: Work, target: Target): Subject {
  const [compute] = work.region.stages;
  if (!compute || work.region.stages.length > 1)
    throw new Error('a region of several stages has no schedule yet');
  return { work, compute, target };
}

/** The schedule of a work where nothing was measured. */
export function defaultCandidate(work: Work, target: Target): Candidate {
  const subject = subjectOf(work, target);
  for (const kind of kinds) {
    const best = kind.best(subject);
    if (best) return best;
  }
  throw new Error(`no schedule for ${work.name}`);
}

/** The candidate of a text; undefined where it is not legal for the work. */
export function findCandidate(work: Work, target: Target, text: string): Candidate | undefined {
  const subject = subjectOf(work, target);
  for (const kind of kinds) {
    if (text.split(' ')[0] !== kind.name) continue;
    for (const candidate of kind.all(subject)) if (candidate.text === text) return candidate;
  }
  return undefined;
}

/**
 * Legal schedules of a work, at most so many: the default first, then others by their estimates. Families take turns, so
 * that a few are not all alike.
 */
export function candidates(work: Work, target: Target, most = Number.POSITIVE_INFINITY): Candidate[] {
  const subject = subjectOf(work, target);
  const first = defaultCandidate(work, target);
  const others = kinds
    .flatMap(kind => [...kind.all(subject)])
    .sort((a, b) => a.time - b.time)
    .filter(c => c.text !== first.text);
  const result = [first];
  const texts = new Set([first.text]);
  for (let rest = others; rest.length > 0 && result.length < most; ) {
    const seen = new Map<string, number>();
    const later: Candidate[] = [];
    for (const candidate of rest) {
      const count = (seen.get(candidate.family) ?? 0) + 1;
      if (count > perTurn) later.push(candidate);
      else if (!texts.has(candidate.text) && result.length < most) {
        result.push(candidate);
        texts.add(candidate.text);
      }
      seen.set(candidate.family, count);
    }
    rest = later;
  }
  return result;
}

/** How many of a family are taken before the others had their turn. */
const perTurn = 2;
