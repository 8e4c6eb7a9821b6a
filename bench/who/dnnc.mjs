// Ours: compiled in this process, or (`fresh`) ahead as an app has it, and run by the runtime's ordinary calls.
import { readFileSync } from 'node:fs';
import { compiledPath } from './ahead.mjs';
import { profileGpu } from './profile-gpu.mjs';
import { follow, profileWasm } from './profile-wasm.mjs';

export async function start({ target, adapter, profile }) {
  if (target === 'wasm') {
    if (profile) follow();
    return { target, options: {}, profile: profileWasm };
  }
  const { isSoftware, requestDevice } = await import('dnnc/runtime/node');
  const device = await requestDevice({ adapter });
  return {
    target,
    software: isSoftware(device.adapterInfo),
    subgroups: device.features.has('subgroups'),
    options: { device },
    profile: (_, run) => profileGpu(device, run),
  };
}

export async function prepare(state, work, { params, input, labels }) {
  // Names begin with the net's. What is not given, such as velocities, begins as it does in a training.
  const weights = Object.fromEntries(
    Object.entries(params).map(([name, { data }]) => [`${work.net}.${name}`, data]),
  );
  const options = { ...state.options, weights };
  const x = { data: input, shape: work.graph().input };
  if (work.fresh) {
    const module = await import(compiledPath(work, state.target));
    const net = await module[`load${work.net}`](options);
    return { run: async () => (await net.predict(x)).data, dispose: () => net.dispose() };
  }
  const began = performance.now();
  const { model, open } = await compiled(state, work);
  const compile_ms = performance.now() - began;
  const session = await open(model, options);
  const inputs = work.training ? { x, y: labels } : { x };
  return {
    compile_ms,
    async run() {
      const [{ data }] = Object.values(await session.run(work.program, inputs));
      return work.training ? data[0] : data;
    },
    profile: () => state.profile(model, () => session.run(work.program, inputs)),
    dispose: () => session.dispose(),
  };
}

async function compiled({ target, software, subgroups }, work) {
  const dnnc = await import('dnnc');
  const url = new URL(`../nets/${work.file ?? 'ops.dnn'}`, import.meta.url);
  const source = path => ({ name: path, text: readFileSync(new URL(path, url), 'utf8') });
  const { entry, program } = work;
  const names = [program === 'predict' ? entry : `${entry}.${program}`, `${entry}.init`];
  const { entries, compiled, diagnostics } = dnnc.compile(
    work.source ? { name: work.name, text: work.source } : source(work.file),
    {
      target:
        target === 'wasm'
          ? dnnc.wasmTarget
          : software
            ? subgroups
              ? dnnc.subgroupTarget
              : dnnc.softwareTarget
            : dnnc.gpuTarget,
      resolve: source,
      only: name => names.includes(name),
    },
  );
  if (!compiled) throw new Error(diagnostics.map(d => dnnc.renderDiagnostic(d)).join('\n'));
  const found = entries.find(e => e.name === entry);
  if (target === 'wasm') {
    const { open } = await import('dnnc/runtime/wasm');
    return { model: await dnnc.buildWasmModel(found, compiled.layout), open };
  }
  const { open } = await import('dnnc/runtime');
  return { model: dnnc.buildModel(found, compiled.layout), open };
}
