/** Whether two trees are equal but for the places they were read from. */
export function sameTree(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b);
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, i) => sameTree(item, b[i]));
  }
  const keys = new Set([...Object.keys(a), ...Object.keys(b)].filter(key => !isPlace(key)));
  const at = (value: object, key: string): unknown => (value as Readonly<Record<string, unknown>>)[key];
  return [...keys].every(key => sameTree(at(a, key), at(b, key)));
}

const isPlace = (key: string): boolean => key === 'source' || key.toLowerCase().endsWith('span');
