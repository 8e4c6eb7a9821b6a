/** What `dnnc dump --after` takes, in the order in which they run; `canonicalise` runs twice, and its last result is shown. */
export const passNames = [
  'elaborate',
  'scale-gradients',
  'differentiate',
  'canonicalise',
  'fold',
  'eliminate',
  'fuse',
  'narrow',
  'pack',
  'schedule',
  'plan-memory',
  'wgsl',
] as const;

/** Those that nothing runs at full precision. */
export const isForHalf = (pass: string): boolean => pass === 'scale-gradients' || pass === 'narrow';
