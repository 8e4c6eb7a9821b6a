import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export interface Site {
  readonly address: string;
  /** What the page sends to `/result`. Rejects after `ms`. */
  result(ms: number): Promise<unknown>;
  /** Reports of what the page's policy has refused. */
  readonly violations: readonly string[];
  close(): void;
}

export interface ServeOptions {
  /** With WebAssembly in the policy. */
  readonly wasm?: boolean;
  /** With the headers that let the page share memory with workers. */
  readonly isolated?: boolean;
}

/**
 * Serves the JavaScript files of a folder on localhost, and a page that loads one of them with an import map, under a
 * policy that allows nothing but scripts and requests to this server: no `eval`, nothing inline but the map.
 */
export async function serve(
  folder: string,
  script: string,
  imports: Readonly<Record<string, string>>,
  { wasm = false, isolated = false }: ServeOptions = {},
): Promise<Site> {
  const map = JSON.stringify({ imports });
  const hash = createHash('sha256').update(map).digest('base64');
  const policy = [
    "default-src 'none'",
    `script-src 'self' 'sha256-${hash}'${wasm ? " 'wasm-unsafe-eval'" : ''}`,
    "connect-src 'self'",
    "require-trusted-types-for 'script'",
    'report-uri /violation',
  ].join('; ');
  const page = `<!doctype html><script type="importmap">${map}</script><script type="module" src="/${script}"></script>`;
  const files = new Set(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter(path => /\.(js|wasm)$/.test(path))
      .map(path => `/${path}`),
  );
  const violations: string[] = [];
  const { promise, resolve, reject } = deferred<unknown>();
  const server = createServer(async (request, response) => {
    const url = request.url ?? '/';
    if (isolated) {
      response.setHeader('cross-origin-opener-policy', 'same-origin');
      response.setHeader('cross-origin-embedder-policy', 'require-corp');
    }
    if (request.method === 'POST') {
      const body = await text(request);
      if (url === '/result') resolve(JSON.parse(body));
      else violations.push(body);
      response.writeHead(204).end();
    } else if (url === '/') {
      response.setHeader('content-type', 'text/html').setHeader('content-security-policy', policy).end(page);
    } else if (files.has(url)) {
      const type = url.endsWith('.js') ? 'text/javascript' : 'application/wasm';
      response.setHeader('content-type', type).end(readFileSync(join(folder, url)));
    } else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    violations,
    result(ms) {
      const timer = setTimeout(() => reject(new Error(`the page says nothing for ${ms / 1000} s`)), ms);
      return promise.finally(() => clearTimeout(timer));
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function deferred<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
