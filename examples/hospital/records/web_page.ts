// The hospital's page: a folder of plain files, and @latchkey/client with its types stripped. All of it is read once, at the
// start; nothing of a request ever becomes a file name.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

interface WebFile {
  readonly bytes: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Nothing inline, nothing from elsewhere, never in a frame, and no string ever becomes markup or code. */
const policy = [
  "default-src 'self'",
  "base-uri 'none'",
  "object-src 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** Answers requests for the page's files; false for everything else. */
export function loadWebPage(): (request: IncomingMessage, response: ServerResponse) => boolean {
  const files = new Map<string, WebFile>([...webFiles(), ...clientFiles()]);
  return (request, response) => {
    const file = files.get((request.url ?? '').split('?', 1)[0] ?? '');
    if (file === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) return false;
    const known = request.headers['if-none-match'] === file.headers['etag'];
    response.writeHead(known ? 304 : 200, file.headers);
    response.end(known || request.method === 'HEAD' ? undefined : file.bytes);
    return true;
  };
}

function* webFiles(): Generator<[string, WebFile]> {
  const folder = new URL('../web/', import.meta.url);
  for (const name of readdirSync(folder)) {
    const file = webFile(name, readFileSync(new URL(name, folder)));
    yield [name === 'index.html' ? '/' : `/${name}`, file];
  }
}

/** The client as the browser wants it: modules without types, each importing its neighbours as `.js`. */
function* clientFiles(): Generator<[string, WebFile]> {
  const folder = new URL('.', import.meta.resolve('@latchkey/client'));
  for (const name of readdirSync(fileURLToPath(folder))) {
    if (/\.(test|d)\.ts$/.test(name) || !/\.[jt]s$/.test(name)) continue;
    const source = readFileSync(new URL(name, folder), 'utf8');
    const script = name.endsWith('.ts')
      ? stripTypeScriptTypes(source).replaceAll(/(from '\.\/[\w/]+)\.ts'/g, "$1.js'")
      : source;
    const target = name.replace(/\.ts$/, '.js');
    yield [`/latchkey-client/${target}`, webFile(target, Buffer.from(script))];
  }
}

function webFile(name: string, bytes: Buffer): WebFile {
  return {
    bytes,
    headers: {
      'content-type': types[extname(name)] ?? 'application/octet-stream',
      etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
      'cache-control': 'no-cache',
      'content-security-policy': policy,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    },
  };
}
