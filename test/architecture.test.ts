import { readdirSync, readFileSync } from 'node:fs';
import { dirname, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/**
 * Which way imports run (`docs/architecture.md`). A file belongs to the room with the longest path that it starts
 * with, and may import that room and those listed; `type:` allows `import type` alone. A name without a slash is a package,
 * `node:` any module of Node.
 */
const rooms: Readonly<Record<string, readonly string[]>> = {
  'src/support/': [],
  'src/ir/': ['src/support/', 'type:fast-check'],
  'src/ops/': ['src/ir/', 'src/support/', 'type:fast-check'],
  'src/parser/': ['src/support/', 'chevrotain'],
  'src/std/': [],
  'src/passes/': ['src/ops/', 'src/ir/', 'src/support/'],
  'src/passes/elaborate/': ['src/parser/', 'src/std/', 'src/passes/', 'src/ops/', 'src/ir/', 'src/support/'],
  'src/codegen/': [
    'src/ir/',
    'src/support/',
    'type:runtime/plan.ts',
    'type:runtime/wasm/plan.ts',
    'binaryen',
  ],
  'src/interop/': ['src/ir/', 'src/support/', 'fflate'],
  'src/compile.ts': [
    'src/passes/',
    'src/passes/elaborate/',
    'src/parser/',
    'src/codegen/',
    'src/ir/',
    'src/support/',
  ],
  'src/index.ts': [
    'src/compile.ts',
    'src/passes/',
    'src/parser/',
    'src/codegen/',
    'src/interop/',
    'src/ir/',
    'src/support/',
  ],
  'src/cli/': ['src/', 'runtime/', 'node:', 'commander', 'cli-progress', 'pngjs', 'jpeg-js'],
  'runtime/': [],
  'runtime/wasm/': ['runtime/'],
  'runtime/auto/': ['runtime/', 'type:runtime/wasm/'],
  'runtime/vision/': ['type:runtime/'],
  'runtime/node/': ['runtime/', 'node:', 'webgpu'],
};

/** Files where an op's name may be compared: the scalar functions of expressions, which every printer must spell. */
const scalarTables = new Set([
  'src/ir/scalar.ts',
  'src/codegen/wgsl/scalar.ts',
  'src/codegen/wasm/scalar.ts',
]);
const opNames = 'conv|convolution|matmul|relu|tanh|max_pool|dense|batch_norm';

interface Import {
  readonly from: string;
  readonly isType: boolean;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const files = ['src', 'runtime'].flatMap(folder =>
  readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts'))
    .map(path => `${folder}/${path.replaceAll('\\', '/')}`),
);
const textOf = (file: string): string => readFileSync(root + file, 'utf8');

function roomOf(file: string): string | undefined {
  return Object.keys(rooms)
    .filter(room => file.startsWith(room))
    .sort((a, b) => b.length - a.length)[0];
}

/** Static and dynamic imports and re-exports, relative ones as paths from the root. */
function importsOf(file: string): Import[] {
  const text = textOf(file);
  const pattern =
    /^(?:import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s+)?'([^']+)'|(typeof\s+)?\bimport\('([^']+)'\)/gm;
  return [...text.matchAll(pattern)].map(([, type, name, typeOf, dynamic]) => {
    const to = (name ?? dynamic)!;
    return {
      from: to.startsWith('.') ? posix.join(dirname(file), to) : to,
      isType: Boolean(type ?? typeOf),
    };
  });
}

function isAllowed(file: string, { from, isType }: Import): boolean {
  const room = roomOf(file);
  if (room === undefined) return false;
  // A file is in the innermost of nested rooms: `src/passes/` does not include `src/passes/elaborate/`.
  const target = roomOf(from);
  if (target === room) return true;
  return rooms[room]!.some(entry => {
    const wanted = entry.replace(/^type:/, '');
    if (wanted !== entry && !isType) return false;
    if (room === 'src/cli/' && wanted.endsWith('/')) return from.startsWith(wanted);
    return wanted.endsWith('/')
      ? target === wanted
      : wanted === from || (wanted === 'node:' && from.startsWith(wanted));
  });
}

test('every file has a room', () => {
  expect(files.length).toBeGreaterThan(100);
  expect(files.filter(file => roomOf(file) === undefined)).toEqual([]);
});

test('imports run one way', () => {
  const wrong = files.flatMap(file =>
    importsOf(file)
      .filter(i => !isAllowed(file, i))
      .map(i => `${file} imports ${i.isType ? 'type ' : ''}${i.from}`),
  );
  expect(wrong).toEqual([]);
});

test('the rule is able to fail', () => {
  const value = (from: string): Import => ({ from, isType: false });
  expect(isAllowed('src/ir/dim.ts', value('src/ops/add.ts'))).toBe(false);
  expect(isAllowed('src/passes/fold.ts', value('src/parser/ast.ts'))).toBe(false);
  expect(isAllowed('src/passes/fold.ts', value('src/passes/elaborate/index.ts'))).toBe(false);
  expect(isAllowed('src/codegen/model.ts', value('runtime/plan.ts'))).toBe(false);
  expect(isAllowed('src/codegen/model.ts', { from: 'runtime/plan.ts', isType: true })).toBe(true);
  expect(isAllowed('runtime/session.ts', value('runtime/node/device.ts'))).toBe(false);
  expect(isAllowed('runtime/session.ts', value('node:fs'))).toBe(false);
  expect(isAllowed('src/compile.ts', value('node:fs'))).toBe(false);
  expect(importsOf('src/compile.ts').length).toBeGreaterThan(5);
  expect(importsOf('src/ir/primitive.ts')).toContainEqual({ from: 'fast-check', isType: true });
  expect(importsOf('runtime/node/adapters.ts')).toContainEqual({ from: 'webgpu', isType: false });
});

test('nothing outside an op knows it by name', () => {
  const blind = ['src/passes/', 'src/codegen/', 'src/ir/', 'runtime/'];
  const pattern = new RegExp(`(?:case|===|!==) '(?:${opNames})'|\\bop\\.name (?:===|!==)`);
  const wrong = files
    .filter(file => blind.some(room => file.startsWith(room)) && !scalarTables.has(file))
    .flatMap(file =>
      textOf(file)
        .split('\n')
        .flatMap((line, i) => (pattern.test(line) ? [`${file}:${i + 1}: ${line.trim()}`] : [])),
    );
  expect(wrong).toEqual([]);
});

test('passes ask for no op but the macro that one of them expands', () => {
  const wrong = files
    .filter(file => file.startsWith('src/passes/') && !file.startsWith('src/passes/elaborate/'))
    .flatMap(file => [...textOf(file).matchAll(/\.op (?:===|!==) (\w+)/g)].map(([, op]) => `${file}: ${op}`))
    .filter(found => found !== 'src/passes/differentiate.ts: gradient');
  expect(wrong).toEqual([]);
});
