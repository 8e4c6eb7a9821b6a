import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that mock modules, measure or change their process, or close its devices: each has a process of its own. */
const alone = [
  'test/{browser,package,runtime,runtime-wasm}/**/*.test.ts',
  'test/cli/{memory-limit,train-faults}.test.ts',
  'test/{schedule/matrix-wgsl,half/wgsl}.test.ts',
];

/** The longest, in this order: begun last, one of them would leave the other worker idle. */
const long = [
  'test/examples/on-device',
  'test/plan/examples',
  'test/torch',
  'test/examples/interpreted',
  'test/examples/small-nets',
  'test/half/nets',
  'test/examples/oracle',
];

/** Those in one process first, which is kept as long as only they follow; the longest before others. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId, project }: TestSpecification): number => {
      const at = long.findIndex(name => moduleId.endsWith(`${name}.test.ts`));
      return (project.config.isolate ? long.length + 1 : 0) + (at < 0 ? long.length : at);
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two workers at most: the GPU tests share one software adapter and the reference machine has two cores.
    maxWorkers: 2,
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    projects: [
      // Modules stay loaded from file to file, and warm.
      {
        extends: true,
        test: { name: 'together', include: ['test/**/*.test.ts'], exclude: alone, isolate: false },
      },
      { extends: true, test: { name: 'alone', include: alone } },
    ],
  },
});
