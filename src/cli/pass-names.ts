/** What `dnnc dump --after` takes, in the order in which they run; `canonicalise` runs twice, and its last result is shown. */
export const passNames = [
  'elaborate',
  'differentiate',
  'canonicalise',
  'fold',
  'eliminate',
  'fuse',
  'narrow',
  'pack',
  'drop-unit-axes',
  'winograd',
  'join-axes',
  'order',
  'overwrite',
  'schedule',
  'plan-memory',
  'wgsl',
] as const;

/** How alone some of them run. */
export const neededFlags: Readonly<Record<string, string>> = {
  narrow: 'with --precision f16',
  'drop-unit-axes': 'with --profile software',
  winograd: 'without --exact',
  'join-axes': 'with --profile software',
};
