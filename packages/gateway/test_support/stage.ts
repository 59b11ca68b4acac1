// A stage for tests: real upstreams that write down every byte that matters, a real gateway in front of them, and tokens
// signed with a key that its verifier knows. Nothing here is a stand-in.
import { createHash } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type AccessTokenClaims, generateKeyPair, signAccessToken } from '@latchkey/core';
import { createVerifier } from '@latchkey/core/verifier';
import { createGateway, type GatewayAddresses, type GatewayOptions } from '../src/index.ts';

export const issuer = 'https://id.example.test/auth';
export const audience = 'https://id.example.test';

const { signingKey, publicJwk } = generateKeyPair('ES256');

export const jwks = { keys: [publicJwk] };

/** A good token for five minutes, with these claims changed. */
export function tokenWith(changed: Partial<AccessTokenClaims> = {}): string {
  const now = Math.floor(Date.now() / 1000);
  return signAccessToken(
    {
      iss: issuer,
      sub: 'u1',
      aud: audience,
      exp: now + 300,
      iat: now,
      jti: 'j1',
      sid: 's1',
      client_id: 'latchkey',
      auth_time: now,
      preferred_username: 'dana',
      roles: ['doctor'],
      scope: 'records:read',
      ver: 1,
      rver: 1,
      ...changed,
    },
    signingKey,
  );
}

/** One request as the upstream's own parser saw it. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  body: string;
  rawTrailers: readonly string[];
  aborted: boolean;
}

export interface Upstream {
  readonly origin: string;
  readonly port: number;
  readonly seen: Seen[];
  readonly server: Server;
  close(): Promise<void>;
}

/** Values of all fields whose name, with every mark read as `-`, is this. */
export function valuesOf({ rawHeaders }: Pick<Seen, 'rawHeaders'>, name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase().replace(/[^a-z0-9]/g, '-') === name)
      values.push(rawHeaders[index + 1] as string);
  }
  return values;
}

/** Answers `ok` once the body is here, unless `handler` says otherwise. */
export async function startUpstream(
  handler?: (request: IncomingMessage, response: ServerResponse, seen: Seen) => void,
): Promise<Upstream> {
  const seen: Seen[] = [];
  const listener: RequestListener = (request, response) => {
    const { method = '', url = '', rawHeaders } = request;
    const entry: Seen = { method, url, rawHeaders, body: '', rawTrailers: [], aborted: false };
    seen.push(entry);
    request.on('data', (chunk: Buffer) => {
      entry.body += chunk.toString('latin1');
    });
    response.on('close', () => {
      entry.aborted = !response.writableFinished;
    });
    request.on('error', () => {});
    request.on('end', () => {
      entry.rawTrailers = request.rawTrailers;
      if (handler === undefined) response.end('ok');
    });
    handler?.(request, response, entry);
  };
  const server = createServer({ maxHeaderSize: 64 * 1024 }, listener);
  server.maxHeadersCount = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    seen,
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export interface Stage extends GatewayAddresses {
  close(): Promise<void>;
}

/** A gateway with a fixed key, on a free port. */
export async function startGateway(options: Omit<GatewayOptions, 'issuer' | 'audience'>): Promise<Stage> {
  const gateway = createGateway({
    verifier: createVerifier({ issuer, audience, jwks }),
    closeTimeout: 200,
    ...options,
  });
  const addresses = await gateway.listen();
  return { ...addresses, close: () => gateway.close() };
}

/** Agrees to every WebSocket, says `hi`, and sends back what comes; remembers the handshakes. */
export async function startWebSocketUpstream(
  protocol?: string,
): Promise<Upstream & { readonly tunnels: Set<Duplex> }> {
  const upstream = await startUpstream();
  const tunnels = new Set<Duplex>();
  upstream.server.on('upgrade', (request, socket) => {
    const { method = '', url = '', rawHeaders } = request;
    upstream.seen.push({ method, url, rawHeaders, body: '', rawTrailers: [], aborted: false });
    tunnels.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => tunnels.delete(socket));
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    const chosen = protocol === undefined ? '' : `Sec-WebSocket-Protocol: ${protocol}\r\n`;
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n${chosen}\r\n`,
    );
    socket.write(Buffer.from([0x81, 2, 0x68, 0x69]));
    socket.pipe(socket);
  });
  return {
    ...upstream,
    tunnels,
    close() {
      for (const socket of tunnels) socket.destroy();
      return upstream.close();
    },
  };
}

/** Waits until it is true; fails the test when that does not come within a generous time. */
export async function until(condition: () => boolean): Promise<void> {
  for (const end = performance.now() + 15_000; !condition(); ) {
    if (performance.now() > end) throw new Error(`waited in vain for ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
