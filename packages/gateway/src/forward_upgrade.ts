// Step 6 for a WebSocket: the handshake goes to the upstream like any request, and when it agrees the two connections are
// joined, byte for byte. The token was checked before any byte went out, and is watched as long as the tunnel lives.
//
// Rules: bytes that a client sends before the handshake is answered are refused (RFC 6455 §4.1 forbids them, and they could
// be a smuggled request); an upstream that does not agree is answered like any other, and the connection ends.
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Admission } from './admission.ts';
import type { ForwardSettings } from './forward.ts';
import { responseHeaders } from './mutate.ts';
import { headerLines, invalidAnswer, type Refusal, tooSlow, unreachable } from './refusals.ts';
import type { Pool } from './upstreams.ts';

export interface UpgradeExchange {
  readonly socket: Duplex;
  readonly admission: Admission;
  readonly pool: Pool;
  readonly refuse: (refusal: Refusal) => void;
  /** Told the status of the upstream's answer. */
  readonly answered: (status: number) => void;
}

export function forwardUpgrade(
  exchange: UpgradeExchange,
  { now, streams, stallTimeout }: ForwardSettings,
): void {
  const { socket, admission, pool, refuse } = exchange;
  const { request, route, headers, requestId } = admission;
  const upstream = pool.pick(now());
  if (upstream === undefined) {
    refuse(unreachable);
    return;
  }
  const outgoing = upstream.send(request.method, request.target, headers, true);
  let settled = false;
  const settle = (): boolean => {
    if (settled) return false;
    settled = true;
    clearTimeout(timer);
    return true;
  };
  const fail = (refusal: Refusal) => {
    if (!settle()) return;
    outgoing.destroy();
    if (socket.destroyed) return;
    upstream.failed(now());
    refuse(refusal);
  };
  const timer = setTimeout(() => fail(tooSlow), route.timeLimit);

  outgoing.on('error', () => fail(unreachable));
  outgoing.on('response', (answer) => {
    upstream.succeeded();
    if (settle()) refuseAsUpstreamDid(exchange, answer, stallTimeout);
    else answer.destroy();
  });
  outgoing.on('upgrade', (answer, upstreamSocket, early) => {
    // RFC 6455 §4.2.2: 101, and to the protocol that was asked for.
    if (answer.statusCode !== 101 || answer.headers.upgrade?.toLowerCase() !== 'websocket') {
      upstreamSocket.destroy();
      return fail(invalidAnswer);
    }
    upstream.succeeded();
    if (!settle() || socket.destroyed) {
      upstreamSocket.destroy();
      return;
    }
    const fields = responseHeaders(answer.rawHeaders, route.kind, requestId);
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\n${headerLines(['Connection', 'Upgrade', 'Upgrade', 'websocket', ...fields])}\r\n`,
    );
    if (early.length > 0) socket.write(early);
    join(socket, upstreamSocket);
    streams.watch(admission, socket, () => socket.destroy(), 'tunnel');
    exchange.answered(101);
  });
  socket.on('close', () => {
    if (settle()) outgoing.destroy();
  });
  outgoing.end();
}

/** Two connections as one: bytes both ways with backpressure, and the end of either is the end of the other. */
function join(client: Duplex, upstream: Duplex): void {
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.pipe(to);
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
  }
}

/** RFC 9110 §7.8: an upstream need not agree. Its answer ends with the connection, so no length needs to be known. */
function refuseAsUpstreamDid(exchange: UpgradeExchange, answer: IncomingMessage, stallTimeout: number): void {
  const { socket, admission } = exchange;
  const status = answer.statusCode ?? 502;
  const fields = [
    ...responseHeaders(answer.rawHeaders, admission.route.kind, admission.requestId),
    'Connection',
    'close',
  ];
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${headerLines(fields)}\r\n`);
  const stalled = setTimeout(() => socket.destroy(), stallTimeout);
  socket.on('close', () => clearTimeout(stalled));
  answer.on('error', () => socket.destroy());
  answer.pipe(socket);
  exchange.answered(status);
}
