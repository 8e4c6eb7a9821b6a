import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, expect, it } from 'vitest';
import { drawing, finding, objects, thirds } from '../cli/drawing.ts';
import { dnnc, temporaryFolder, writeTensors } from '../cli/helpers.ts';
import { findChromium } from './chromium.ts';

const chromium = await findChromium();
const cleanUp: (() => unknown)[] = [];
afterAll(async () => {
  for (const end of cleanUp.reverse()) await end();
});

/** Looks at the report in a frame, and tells the server what it sees. */
const outer = `<!doctype html><link rel="icon" href="data:,"><iframe src="/report.html" width="1000" height="900"></iframe><script>
  document.querySelector('iframe').onload = ({ target: { contentDocument: page, contentWindow: win } }) => setTimeout(async () => {
    const inked = [...page.querySelectorAll('canvas')].map(c =>
      c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v, i) => i % 4 === 3 && v > 0));
    fetch('/result', { method: 'POST', body: JSON.stringify({
      error: page.documentElement.dataset.error, drawn: page.documentElement.dataset.drawn, inked,
      broken: [...page.images].filter(i => !i.complete || i.naturalWidth === 0).length,
      pictures: page.images.length,
      boxes: [...page.querySelectorAll('svg.net rect')].every(r => r.getBoundingClientRect().width > 100),
      scenes: [...page.querySelectorAll('svg.scene')].map(scene => {
        const at = scene.getBoundingClientRect();
        const isInside = ({ left, top, right, bottom }) =>
          left >= at.left - 2 && top >= at.top - 2 && right <= at.right + 2 && bottom <= at.bottom + 2;
        const seen = scene.querySelector('use').getBoundingClientRect();
        const frames = [...scene.querySelectorAll('rect.found')].map(f => f.getBoundingClientRect());
        return [Math.round(seen.width), Math.round(seen.height), frames.length, frames.every(f => f.width > 50 && isInside(f))];
      }),
      undrawn: (await Promise.all([...page.querySelectorAll('svg image')].map(({ href }) => {
        const image = new Image();
        image.src = href.baseVal;
        return image.decode().then(() => 0, () => 1);
      }))).reduce((a, b) => a + b, 0),
      requests: win.performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith('data:')),
    }) });
  }, 500);
</script>`;

/** What the page says that sees the report of a training, and what the browser asked for. */
async function lookAt(
  at: (name: string) => string,
  program: readonly string[],
  ...flags: readonly string[]
): Promise<{ seen: unknown; asked: readonly string[] }> {
  if (typeof chromium === 'string') throw new Error(chromium);
  const { code } = await dnnc(
    ...['train', ...program, '--quiet', '--target', 'interpret', '--out', at('run')],
    ...['--report', at('report.html'), ...flags],
  );
  expect(code).toBe(0);
  const asked: string[] = [];
  let answer!: (body: string) => void;
  const result = new Promise<string>((resolve, reject) => {
    answer = resolve;
    setTimeout(() => reject(new Error('the page says nothing')), 60_000).unref();
  });
  const server = createServer(async (request, response) => {
    asked.push(request.url!);
    if (request.method === 'POST') answer(await text(request));
    const page = request.url === '/report.html' ? readFileSync(at('report.html')) : outer;
    response.setHeader('content-type', 'text/html').end(page);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const close = await chromium.open(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  cleanUp.push(close);
  return { seen: JSON.parse(await result), asked };
}

const asked = ['/', '/report.html', '/result'];

it.skipIf(typeof chromium === 'string')(
  'a report draws in Chromium without an error or a request',
  async () => {
    const at = temporaryFolder();
    writeFileSync(at('net.dnn'), drawing);
    const data = writeTensors(at('data.safetensors'), thirds(12));
    const program = [at('net.dnn'), 'fit', '--data', data, '--val', data];
    expect(await lookAt(at, program, '--batch', '4', '--epochs', '3')).toEqual({
      seen: {
        drawn: '2',
        inked: [true, true],
        broken: 0,
        pictures: 4 * 8 + 4,
        boxes: true,
        scenes: [],
        undrawn: 0,
        requests: [],
      },
      asked,
    });
  },
  120_000,
);

it.skipIf(typeof chromium === 'string')(
  'frames lie over their pictures in Chromium',
  async () => {
    const at = temporaryFolder();
    writeFileSync(at('net.dnn'), finding);
    const data = writeTensors(at('data.safetensors'), objects(3));
    // Sure of two frames in the beginning; after a step the second, which no picture has, is no longer.
    const bias = Float32Array.of(0.1, 0.2, 0.6, 0.7, 0.9, 0.1, 0.4, 0.3, 0.9, 0.9, 0.2, 0.8);
    const weights = writeTensors(at('weights.safetensors'), {
      'Finds.dense.weight': { dtype: 'f32', shape: [12, 64], data: new Float32Array(12 * 64) },
      'Finds.dense.bias': { dtype: 'f32', shape: [12], data: bias },
    });
    const program = [at('net.dnn'), 'find', '--data', data, '--weights', weights];
    expect(await lookAt(at, program, '--batch', '3', '--epochs', '1')).toEqual({
      seen: {
        drawn: '1',
        inked: [true],
        broken: 0,
        pictures: 12,
        boxes: true,
        // Before and after, each picture of 8 pixels 25 times as large.
        scenes: [2, 2, 2, 1, 1, 1].map(frames => [200, 200, frames, true]),
        undrawn: 0,
        requests: [],
      },
      asked,
    });
  },
  120_000,
);
