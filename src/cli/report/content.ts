import type { Detection } from '../../../runtime/vision/index.ts';

/** A picture in bytes, one plane for each channel. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly planes: Uint8Array;
}

/** `counts[is][said]` */
export interface Confusion {
  readonly counts: readonly (readonly number[])[];
  readonly examples: number;
  readonly of: number;
  readonly net: string;
}

/** Objects in pictures: what the data say, and what nets found at some moments; by picture. */
export interface Found {
  readonly pictures: readonly Picture[];
  readonly nets: readonly string[];
  readonly truth: readonly (readonly Detection[])[];
  readonly moments: readonly { readonly after: string; readonly found: readonly (readonly Detection[])[] }[];
}

/** A line of `metrics.jsonl`. */
export interface MetricsLine {
  readonly step: number;
  readonly epoch: number;
  readonly val?: true;
  readonly [metric: string]: unknown;
}

export interface MemoryBlock {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
  readonly from: number;
  readonly to: number;
}

/** A net folded by block: boxes from the input to the result. */
export interface NetGraph {
  readonly name: string;
  readonly boxes: readonly {
    readonly name: string;
    readonly output: string;
    readonly parameters: number;
  }[];
  /** Positions of boxes. */
  readonly arrows: readonly (readonly [number, number])[];
}

/** Everything that a report shows. */
export interface Content {
  readonly title: string;
  readonly facts: readonly (readonly [string, string])[];
  readonly lines: readonly MetricsLine[];
  readonly confusion?: Confusion;
  readonly samples: readonly { readonly after: string; readonly pictures: readonly Picture[] }[];
  readonly detections?: Found;
  readonly filters: readonly { readonly name: string; readonly pictures: readonly Picture[] }[];
  readonly nets: readonly NetGraph[];
  readonly memory: readonly {
    readonly program: string;
    readonly arena: number;
    readonly dispatches: number;
    readonly blocks: readonly MemoryBlock[];
  }[];
}
