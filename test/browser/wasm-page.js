// Runs the work in a page and tells the server what came out.
import * as auto from './auto.js';
import * as lenet from './lenet.js';
import { work } from './work.js';

const send = answer => fetch('/result', { method: 'POST', body: JSON.stringify(answer) });

try {
  const result = await work(lenet, { threads: 2 }, { threads: 2 });
  const trainer = await lenet.loadMnist({ threads: 3 });
  await trainer.session.prepare('step');
  const { threads } = trainer.session;
  trainer.dispose();
  // The adapter of this browser is a CPU's.
  const chosen = await auto.loadMnist();
  const device = String(chosen.device);
  chosen.dispose();
  await send({ result, threads, device, isolated: crossOriginIsolated });
} catch (error) {
  await send({ error: String(error?.stack ?? error) });
}
