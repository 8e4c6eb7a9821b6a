// npm run bench -- --compiler: how long checking and compiling take. No adapter is needed.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compile, gpuTarget, renderDiagnostic } from 'dnnc';
import { nets, programs, sourceOf } from './nets/series.mjs';

const here = path => fileURLToPath(new URL(path, import.meta.url));
const median = list => [...list].sort((a, b) => a - b)[list.length >> 1];

/** `dnnc check` of a net and its training program, as a process of its own. */
function checks(repeat, only) {
  return ['resnet152', 'densenet201'].flatMap(name => {
    if (only && only !== name) return [];
    const times = Array.from({ length: repeat }, () => {
      const start = performance.now();
      const args = [here('../dist/src/bin/dnnc.js'), 'check', here(`nets/${name}.dnn`)];
      const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      if (status !== 0) throw new Error(stderr);
      return performance.now() - start;
    });
    const row = { work: `check ${name}`, who: 'dnnc', median_ms: +median(times).toFixed(0), n: repeat };
    console.log(`${row.work.padEnd(30)} ${String(row.median_ms).padStart(7)} ms, the process included`);
    return [row];
  });
}

/** Everything from the text to plans, for nets of growing depth: the time for each node should stay the same. */
function series(only) {
  const resolve = path => ({ name: path, text: readFileSync(here(`nets/${path}`), 'utf8') });
  return nets.flatMap(net =>
    programs.flatMap(program => {
      const work = `${net.name} ${program.name}`;
      if (only && only !== net.name) return [];
      const source = { name: `${net.name}.dnn`, text: sourceOf(net, program) };
      const start = performance.now();
      const found = compile(source, { resolve, target: gpuTarget, only: name => name === program.compiled });
      const time = performance.now() - start;
      if (!found.compiled) throw new Error(found.diagnostics.map(d => renderDiagnostic(d)).join('\n'));
      const { graph, program: fused } = found.compiled.programs.get(program.compiled);
      const row = {
        work: `compile ${work}`,
        who: 'dnnc',
        ms: +time.toFixed(0),
        nodes: graph.nodes.length,
        works: fused.works.length,
        us_per_node: +((1000 * time) / graph.nodes.length).toFixed(0),
      };
      const { ms, nodes, works, us_per_node } = row;
      console.log(
        `${row.work.padEnd(30)} ${String(ms).padStart(7)} ms, ${nodes} nodes, ${works} works, ${us_per_node} µs a node`,
      );
      return [row];
    }),
  );
}

/** Rows as the other benches give them. */
export const compiler = ({ repeat, only }) => [...checks(repeat, only), ...series(only)];
