import type { Target } from './target.ts';

/** What works have in common that one schedule suits. */
export interface ShapeClass {
  /** Equal for works of the same structure and sizes. */
  readonly exact: string;
  /** The same with sizes as powers of two. */
  readonly near: string;
}

/** The text of the schedule that was measured to be best; undefined where nothing was. */
export type Tuned = (shape: ShapeClass) => string | undefined;

/** Schedules that were measured, by adapter and shape class. */
export interface TuningTable {
  readonly adapters: ReadonlyMap<string, AdapterTuning>;
}

export interface AdapterTuning {
  readonly kind: Target['kind'];
  /** By `ShapeClass.exact`. */
  readonly works: ReadonlyMap<string, TunedWork>;
}

export interface TunedWork {
  readonly near: string;
  /** The best that was found, as schedules are called. */
  readonly schedule: string;
  readonly milliseconds: number;
  /** What is taken without a table, as it was when this was measured. */
  readonly usual: { readonly schedule: string; readonly milliseconds: number };
  /** Sizes of free dims at which it was measured. */
  readonly sizes: Readonly<Record<string, number>>;
}

export const emptyTable: TuningTable = { adapters: new Map() };

/** The table with one more work, which takes the place of what was known of its class. */
export function withTuned(
  table: TuningTable,
  adapter: string,
  kind: Target['kind'],
  shape: ShapeClass,
  work: TunedWork,
): TuningTable {
  const works = new Map(table.adapters.get(adapter)?.works);
  works.set(shape.exact, work);
  return { adapters: new Map([...table.adapters, [adapter, { kind, works }]]) };
}

/**
 * What a table says to a target: of the adapter that it names, where that is given, else of all adapters of its kind, the
 * first that knows the class. Sizes that were not measured have the schedule of the nearest ones.
 */
export function tunedFor(table: TuningTable, kind: Target['kind'], adapter?: string): Tuned {
  const lists = [...table.adapters]
    .filter(([name, a]) => a.kind === kind && (adapter === undefined || name === adapter))
    .map(([, { works }]) => works);
  const near = new Map<string, string>();
  for (const works of lists)
    for (const work of works.values()) if (!near.has(work.near)) near.set(work.near, work.schedule);
  return shape =>
    lists.map(works => works.get(shape.exact)?.schedule).find(s => s !== undefined) ?? near.get(shape.near);
}
