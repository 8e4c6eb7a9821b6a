import type { KExpr } from '../kernel.ts';
import { lanesOf } from '../kernel.ts';
import { partsOf } from '../kernel-parts.ts';

/** What is wrong with the lanes of one expression and its direct operands. */
export function kernelLanesProblem(e: KExpr): string | undefined {
  const lanes = lanesOf(e);
  if (lanes !== 1 && lanes !== 4 && lanes !== 8) return `a value of ${lanes} lanes`;
  switch (e.kind) {
    case 'const':
    case 'ref':
    case 'builtin':
    case 'uniform':
      return undefined;
    case 'load':
      return (
        indexProblem(e.index) ??
        (e.mask && e.mask.dtype !== 'bool' ? `a mask of ${e.mask.dtype}` : undefined) ??
        (e.mask && lanesOf(e.mask) !== lanes
          ? `a mask of ${lanesOf(e.mask)} lanes for ${lanes} elements`
          : undefined)
      );
    case 'load-shared':
      return indexProblem(e.index);
    case 'splat':
      return lanesOf(e.a) === 1 ? undefined : `splat of ${lanesOf(e.a)} lanes`;
    case 'lanes':
      if (e.parts.length !== lanes) return `${e.parts.length} parts for ${lanes} lanes`;
      return e.parts.every(part => lanesOf(part) === 1) ? undefined : 'a lane made of several';
    case 'lane':
      return isBelow(e.lane, lanesOf(e.a)) ? undefined : `lane ${e.lane} of ${lanesOf(e.a)}`;
    case 'shuffle': {
      const from = lanesOf(e.a) + lanesOf(e.b);
      if (e.picks.length !== lanes) return `${e.picks.length} picks for ${lanes} lanes`;
      const wrong = e.picks.find(pick => !isBelow(pick, from));
      return wrong === undefined ? undefined : `pick of lane ${wrong} out of ${from}`;
    }
    default: {
      const wrong = partsOf(e).find(part => lanesOf(part) !== lanes);
      return wrong && `${lanesOf(wrong)} lanes where ${lanes} are wanted`;
    }
  }
}

function indexProblem(index: KExpr): string | undefined {
  return lanesOf(index) === 1 ? undefined : `an index of ${lanesOf(index)} lanes`;
}

function isBelow(n: number, count: number): boolean {
  return Number.isInteger(n) && n >= 0 && n < count;
}
