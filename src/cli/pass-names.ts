/** What `dnnc dump --after` takes, in the order in which they run; `canonicalise` runs twice, and its last result is shown. */
export const passNames = [
  'elaborate',
  'differentiate',
  'canonicalise',
  'fold',
  'eliminate',
  'fuse',
  'pack',
  'schedule',
  'plan-memory',
  'wgsl',
] as const;
