import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, expect, it } from 'vitest';
import { drawing, thirds } from '../cli/drawing.ts';
import { dnnc, temporaryFolder, writeTensors } from '../cli/helpers.ts';
import { findChromium } from './chromium.ts';

const chromium = await findChromium();
const cleanUp: (() => unknown)[] = [];
afterAll(async () => {
  for (const end of cleanUp.reverse()) await end();
});

/** Looks at the report in a frame, and tells the server what it sees. */
const outer = `<!doctype html><link rel="icon" href="data:,"><iframe src="/report.html" width="1000" height="900"></iframe><script>
  document.querySelector('iframe').onload = ({ target: { contentDocument: page, contentWindow: win } }) => setTimeout(() => {
    const inked = [...page.querySelectorAll('canvas')].map(c =>
      c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v, i) => i % 4 === 3 && v > 0));
    fetch('/result', { method: 'POST', body: JSON.stringify({
      error: page.documentElement.dataset.error, drawn: page.documentElement.dataset.drawn, inked,
      broken: [...page.images].filter(i => !i.complete || i.naturalWidth === 0).length,
      pictures: page.images.length,
      boxes: [...page.querySelectorAll('svg.net rect')].every(r => r.getBoundingClientRect().width > 100),
      requests: win.performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith('data:')),
    }) });
  }, 500);
</script>`;

it.skipIf(typeof chromium === 'string')(
  'a report draws in Chromium without an error or a request',
  async () => {
    if (typeof chromium === 'string') return;
    const at = temporaryFolder();
    const net = at('net.dnn');
    writeFileSync(net, drawing);
    const data = writeTensors(at('data.safetensors'), thirds(12));
    const { code } = await dnnc(
      ...['train', net, 'fit', '--data', data, '--val', data, '--batch', '4', '--epochs', '3', '--quiet'],
      ...['--target', 'interpret', '--out', at('run'), '--report', at('report.html')],
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
    expect(JSON.parse(await result)).toEqual({
      drawn: '2',
      inked: [true, true],
      broken: 0,
      pictures: 4 * 8 + 4,
      boxes: true,
      requests: [],
    });
    expect(asked).toEqual(['/', '/report.html', '/result']);
  },
  120_000,
);
