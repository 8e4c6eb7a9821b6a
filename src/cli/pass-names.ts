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
  'order',
  'overwrite',
  'schedule',
  'plan-memory',
  'wgsl',
] as const;

/** Whether nothing runs it at full precision. */
export const isForHalf = (pass: string): boolean => pass === 'narrow';
