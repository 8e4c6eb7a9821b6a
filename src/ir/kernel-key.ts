import type { KExpr, Kernel, Stmt } from './kernel.ts';

/**
 * Text that is equal for kernels that do the same: names of buffers, arrays and variables are replaced by numbers
 * in the order of their first mention, comments dropped, the kernel's own name and origin left out. The uniform
 * block and the builtins keep their names.
 */
export function kernelKey(kernel: Kernel): string {
  const found = known.get(kernel.body);
  if (found && hasSameCode(found.kernel, kernel)) return found.key;
  const key = makeKey(kernel);
  known.set(kernel.body, { kernel, key });
  return key;
}

const known = new WeakMap<Kernel['body'], { readonly kernel: Kernel; readonly key: string }>();

/** Whether two kernels are the same but for their names, origins and tensors. Cheap: bodies are compared by identity. */
export function hasSameCode(a: Kernel, b: Kernel): boolean {
  return (
    a.body === b.body &&
    a.shared === b.shared &&
    a.groups === b.groups &&
    a.workgroupSize === b.workgroupSize &&
    a.subgroupSize === b.subgroupSize &&
    a.buffers.length === b.buffers.length &&
    a.buffers.every((x, i) => {
      const y = b.buffers[i]!;
      return x.name === y.name && x.dtype === y.dtype && x.access === y.access && x.vectors === y.vectors;
    })
  );
}

const vectors = (memory: { readonly vectors?: true }): string[] => (memory.vectors ? ['vectors'] : []);

/** Properties that hold a name. */
const named: ReadonlySet<string> = new Set(['name', 'buffer', 'array', 'matrix', 'result', 'left', 'right']);

function makeKey(kernel: Kernel): string {
  const names = new Map<string, string>();
  const rename = (name: string): string => {
    const known = names.get(name);
    if (known !== undefined) return known;
    const fresh = `$${names.size}`;
    names.set(name, fresh);
    return fresh;
  };
  const buffers = kernel.buffers.map(b => [rename(b.name), b.dtype, b.access, ...vectors(b)]);
  const shared = kernel.shared.map(s => [rename(s.name), s.dtype, s.size, ...vectors(s)]);

  let body = '';
  const put = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) {
      // In quotes, so that no text is taken for a number.
      body += typeof value === 'string' ? `"${value}"` : Object.is(value, -0) ? '-0' : String(value);
    } else if (Array.isArray(value)) {
      body += '[';
      for (const part of value as readonly (Stmt | KExpr)[]) {
        if (part?.kind === 'comment') continue;
        put(part);
        body += ',';
      }
      body += ']';
    } else {
      const node = value as Readonly<Record<string, unknown>>;
      const fixed = node.kind === 'uniform' || node.kind === 'builtin';
      body += '{';
      for (const property in node) {
        const part = node[property];
        if (part === undefined) continue;
        body += `${property}:`;
        if (typeof part === 'string' && !fixed && named.has(property)) body += rename(part);
        else put(part);
        body += ',';
      }
      body += '}';
    }
  };
  put(kernel.body);
  const { workgroupSize, subgroupSize, groups } = kernel;
  return JSON.stringify([buffers, shared, workgroupSize, subgroupSize, groups.key]) + body;
}
