import { readFileSync, writeFileSync } from 'node:fs';
import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { readWeights } from '../../runtime/index.ts';
import { drawing, finding, objects, thirds } from './drawing.ts';
import { dnnc, temporaryFolder, writeTensors } from './helpers.ts';

const at = temporaryFolder();
const net = at('net<1>.dnn');
writeFileSync(net, drawing);
const data = writeTensors(at('data.safetensors'), thirds(12));
const val = writeTensors(at('val.safetensors'), thirds(7));

const train = (...flags: readonly string[]) =>
  dnnc(
    ...[
      'train',
      net,
      'fit',
      '--data',
      data,
      '--val',
      val,
      '--batch',
      '4',
      '--target',
      'interpret',
      '--quiet',
    ],
    ...flags,
  );

/** The tags of a page, which must be closed in order. */
function expectWellFormed(html: string): void {
  const open: string[] = [];
  const text = html.replace(/<(script|style)\b[^>]*>.*?<\/\1>/gs, '').replace(/^<!doctype html>/, '');
  for (const [, end, name, , self] of text.matchAll(/<(\/?)([a-z][\w-]*)((?:\s[^<>]*?)?)(\/?)>/gi)) {
    if (self || ['meta', 'link', 'img', 'br'].includes(name!)) continue;
    if (end) expect(open.pop()).toBe(name);
    else open.push(name!);
  }
  expect(open).toEqual([]);
}

const section = (html: string, name: string): string =>
  html.match(new RegExp(`<h2>${name}</h2>(.*?)</section>`, 's'))?.[1] ?? '';

const picturesIn = (html: string): PNG[] =>
  [...html.matchAll(/src="data:image\/png;base64,([^"]*)"/g)].map(m =>
    PNG.sync.read(Buffer.from(m[1]!, 'base64')),
  );

describe('train --report', () => {
  it('shows curves, confusion, samples, filters, nets and memory in one page', async () => {
    const file = at('new/report.html');
    expect(await train('--epochs', '5', '--out', at('run'), '--report', file)).toMatchObject({
      code: 0,
      err: '',
    });
    const html = readFileSync(file, 'utf8');
    expectWellFormed(html);
    expect(html).toContain('net&lt;1&gt;.dnn');
    // Nothing is asked of the network.
    expect(html).not.toContain('<h2>Detections');
    expect(html.match(/(src|href)="(?!data:).*?"|@import|url\((?!data:|#)/g)).toBe(null);

    const lines = readFileSync(at('run/metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map(l => JSON.parse(l));
    const curves = JSON.parse(html.match(/id="curves">(.*?)<\/script>/s)![1]!);
    expect(curves.map((c: { name: string }) => c.name)).toEqual(['loss', 'accuracy']);
    const [steps, loss, checks] = curves[0].data;
    expect(steps).toEqual(Array.from({ length: 15 }, (_, i) => i));
    expect(loss).toEqual(lines.filter(l => !l.val).map(l => l.loss));
    expect(checks.filter((v: unknown) => v !== null)).toEqual(lines.filter(l => l.val).map(l => l.loss));

    // Rows are classes of the validation data; the diagonal is what the accuracy says.
    const cells = [...section(html, 'Confusion').matchAll(/<td[^>]*>(\d*)<\/td>/g)].map(m => Number(m[1]));
    expect(cells).toHaveLength(9);
    const rows = [0, 1, 2].map(i => cells.slice(3 * i, 3 * i + 3).reduce((a, b) => a + b));
    expect(rows).toEqual([3, 2, 2]);
    const right = cells[0]! + cells[4]! + cells[8]!;
    expect(right / 7).toBeCloseTo(lines.at(-1).accuracy, 5);
    expect(section(html, 'Confusion')).toContain('7 of 7 examples');

    const samples = section(html, 'Samples over time');
    expect([...samples.matchAll(/<figcaption>(.*?)</g)].map(m => m[1])).toEqual([
      ...['at the beginning', 'after epoch 1', 'after epoch 2', 'after epoch 4', 'in the end'],
    ]);
    expect(picturesIn(samples).map(p => [p.width, p.height])).toEqual(
      Array.from({ length: 35 }, () => [8, 8]),
    );

    // The filters are the weights, each from its least to its greatest.
    const weights = readWeights(readFileSync(at('run/weights.safetensors')));
    const kernels = (
      weights instanceof Map ? weights.get('Sees.a.conv.weight') : weights['Sees.a.conv.weight']
    )!.data;
    const filters = picturesIn(section(html, 'First layers'));
    expect(filters).toHaveLength(4);
    for (const [i, picture] of filters.entries()) {
      const kernel = [...kernels.slice(9 * i, 9 * i + 9)];
      const [low, high] = [Math.min(...kernel), Math.max(...kernel)];
      kernel.forEach((v, k) => {
        expect(Math.abs(picture.data[4 * k]! - (255 * (v - low)) / (high - low))).toBeLessThanOrEqual(1);
      });
    }

    const nets = section(html, 'Nets');
    for (const name of ['a', 'avg_pool', 'b', 'avg_pool_2', 'flatten', 'head', 'dense'])
      expect(nets).toContain(`>${name}</text>`);
    expect(nets).toContain('[N, 4, 8, 8] · 40<');
    // Each box reads the one above it; both divide by the same constant, which is no arrow.
    expect(nets.match(/<path d="M\d+ \d+ [LC]/g)).toHaveLength(6 + 2);
    expect(section(html, 'Memory')).toMatch(/fit\.step: .* of \d+ dispatches/);
    expect(section(html, 'Memory').match(/<rect/g)!.length).toBeGreaterThan(3);
  });

  it('draws what nets find over pictures, and what there is', async () => {
    const found = at('finding.dnn');
    writeFileSync(found, finding);
    const pictures = writeTensors(at('objects.safetensors'), objects(9));
    const weights = writeTensors(at('zero.safetensors'), {
      'Finds.dense.weight': { dtype: 'f32', shape: [12, 64], data: new Float32Array(12 * 64) },
      'Finds.dense.bias': { dtype: 'f32', shape: [12], data: new Float32Array(12) },
    });
    const file = at('found.html');
    expect(
      await dnnc(
        ...['train', found, 'find', '--data', pictures, '--batch', '9', '--epochs', '130', '--quiet'],
        ...['--weights', weights, '--target', 'interpret', '--out', at('found'), '--report', file],
      ),
    ).toMatchObject({ code: 0, err: '' });
    const html = readFileSync(file, 'utf8');
    expectWellFormed(html);
    expect(html.match(/(src|href)="(?!data:|#scene\d)/g)).toBe(null);
    const drawn = section(html, 'Detections over time');
    expect(drawn).toContain('what Found finds, with class and score; dashed what there is');
    const rects = (part: string, kind: string) =>
      [
        ...part.matchAll(
          new RegExp(
            `<rect class="${kind}" x="(.*?)" y="(.*?)" width="(.*?)" height="(.*?)".*?<title>(.*?)<`,
            'g',
          ),
        ),
      ].map(([, ...numbers]) => numbers);
    // Eight of nine pictures, 25 times as large, once; what there is lies over each.
    const scenes = [
      ...drawn.matchAll(/<g id="scene(\d)"><image href="data:image\/png;base64,(.*?)"(.*?)<\/g>/g),
    ];
    expect(scenes.map(s => s[1])).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
    for (const [i, [, , png, rest]] of scenes.entries()) {
      const picture = PNG.sync.read(Buffer.from(png!, 'base64'));
      expect([...picture.data.filter((_, k) => k % 4 === 0)].map(v => v / 255)).toEqual([
        ...objects(9).x!.data.slice(64 * i, 64 * i + 64),
      ]);
      expect(rects(rest!, 'truth')).toEqual([[`${25 * (1 + (i % 3))}.0`, '50.0', '100.0', '75.0', '1']]);
    }
    const moments = [...drawn.matchAll(/<figure>(.*?)<figcaption>(.*?)</gs)].map(m => [m[2], m[1]] as const);
    expect(moments.map(([name]) => name)).toEqual([
      ...['at the beginning', ...[1, 2, 4, 8, 16, 32, 64, 128].map(e => `after epoch ${e}`), 'in the end'],
    ]);
    const byPicture = (part: string) =>
      [...part.matchAll(/<svg class="scene".*?<use href="#scene(\d)"\/>(.*?)<\/svg>/gs)].map(m => [
        Number(m[1]),
        rects(m[2]!, 'found'),
      ]);
    // Weights of zero are sure of nothing.
    expect(byPicture(moments[0]![1]!)).toEqual(scenes.map((_, i) => [i, []]));
    for (const [i, frames] of byPicture(moments.at(-1)![1]!) as [number, string[][]][]) {
      expect(frames).toHaveLength(1);
      const [kind, score] = frames[0]![4]!.split(' ');
      expect(kind).toBe('1');
      expect(Number(score)).toBeGreaterThan(0.8);
      [25 * (1 + (i % 3)), 50, 100, 75].forEach((edge, k) => {
        expect(Math.abs(Number(frames[0]![k]) - edge)).toBeLessThan(5);
      });
    }
  });

  it('shows what there is of an interrupted or resumed training, and names a page that cannot be written', async () => {
    const file = at('resumed.html');
    await train('--epochs', '1', '--out', at('two'));
    expect(
      await dnnc(
        ...['train', net, 'fit', '--data', data, '--val', val, '--resume', at('two'), '--epochs', '2'],
        ...['--quiet', '--report', file],
      ),
    ).toMatchObject({ code: 0, err: '' });
    const curves = JSON.parse(readFileSync(file, 'utf8').match(/id="curves">(.*?)<\/script>/s)![1]!);
    expect(curves[0].data[0]).toHaveLength(6);
    const bad = await train('--epochs', '1', '--out', at('three'), '--report', `${net}/report.html`);
    expect(bad.code).toBe(1);
    expect(bad.err).toContain('E0413');
  });
});
