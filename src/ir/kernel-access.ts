import type { Kernel } from './kernel.ts';

/**
 * Buffers that the body loads from and stores to, by name. A buffer's `access` says less: readers are bound
 * `read_write` too where a neighbour in the same GPU buffer is written.
 */
export function bufferUses({ body }: Kernel): BufferUses {
  let uses = known.get(body);
  if (!uses) known.set(body, (uses = findUses(body)));
  return uses;
}

interface BufferUses {
  readonly reads: ReadonlySet<string>;
  readonly writes: ReadonlySet<string>;
}

/** Kernels of equal works share their body. */
const known = new WeakMap<Kernel['body'], BufferUses>();

function findUses(body: Kernel['body']): BufferUses {
  const reads = new Set<string>();
  const writes = new Set<string>();
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if (Array.isArray(node)) {
      for (const part of node) visit(part);
      return;
    }
    const { kind, buffer } = node as { kind?: unknown; buffer?: unknown };
    if (typeof buffer === 'string')
      (kind === 'store' || kind === 'store-matrix' ? writes : reads).add(buffer);
    for (const property in node) {
      const part = (node as Record<string, unknown>)[property];
      if (typeof part === 'object') visit(part);
    }
  };
  visit(body);
  return { reads, writes };
}
