// Step 6 for a WebSocket: the handshake goes to the upstream like any request, and when it agrees the two connections are
// joined, byte for byte. The token was checked before any byte went out, and is watched as long as the tunnel lives.
//
// Rules: bytes that a client sends before the handshake is answered are refused (RFC 6455 §4.1 forbids them, and they could
// be a smuggled request); an upstream that does not agree is answered like any other, and the connection ends.
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Admission } from './admission.ts';
import type { ForwardSettings } from './forward.ts';
import { pumpResponse } from './forward_body.ts';
import { fieldOf, responseHeaders } from './mutate.ts';
import { headerLines, invalidAnswer, type Refusal, tooSlow, unreachable } from './refusals.ts';
import type { Pool } from './upstreams.ts';

export interface UpgradeExchange {
  readonly socket: Socket;
  readonly admission: Admission;
  readonly pool: Pool;
  readonly refuse: (refusal: Refusal) => void;
  /** Told the status of the upstream's answer. */
  readonly answered: (status: number) => void;
}

/** Between two signs of life that the kernel asks for, milliseconds: a peer that vanished must not hold a tunnel. */
const keepAliveDelay = 60_000;

export function forwardUpgrade(exchange: UpgradeExchange, settings: ForwardSettings): void {
  const { socket, admission, pool, refuse } = exchange;
  const { request, route, headers } = admission;
  const { now } = settings;
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
  // Node's own limit was meant for a request that is now over.
  socket.setTimeout(0);
  socket.on('close', () => {
    if (settle()) outgoing.destroy();
  });

  outgoing.on('error', () => fail(unreachable));
  outgoing.on('response', (answer) => {
    upstream.succeeded();
    if (settle()) refuseAsUpstreamDid(exchange, answer, settings);
    else answer.destroy();
  });
  outgoing.on('upgrade', (answer, upstreamSocket, early) => {
    if (settled || !agrees(answer)) {
      upstreamSocket.destroy();
      fail(invalidAnswer);
      return;
    }
    upstream.succeeded();
    settle();
    openTunnel(exchange, answer, asSocket(upstreamSocket), early, settings);
  });
  outgoing.end();
}

/** RFC 6455 §4.2.2: 101, and to the protocol that was asked for. */
function agrees({ statusCode, rawHeaders }: IncomingMessage): boolean {
  return statusCode === 101 && fieldOf(rawHeaders, 'upgrade')?.toLowerCase() === 'websocket';
}

function asSocket(socket: Duplex): Socket {
  return socket as Socket;
}

function openTunnel(
  { socket, admission, answered }: UpgradeExchange,
  answer: IncomingMessage,
  upstreamSocket: Socket,
  early: Buffer,
  { streams }: ForwardSettings,
): void {
  const fields = responseHeaders(answer.rawHeaders, admission.route.kind, admission.requestId);
  const head = headerLines(['Connection', 'Upgrade', 'Upgrade', 'websocket', ...fields]);
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${head}\r\n`);
  if (early.length > 0) socket.write(early);
  join(socket, upstreamSocket);
  streams.watch(admission, socket, () => socket.destroy(), 'tunnel');
  answered(101);
}

/** Two connections as one: bytes both ways with backpressure, and the end of either is the end of the other. */
function join(client: Socket, upstream: Socket): void {
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.setNoDelay(true);
    from.setKeepAlive(true, keepAliveDelay);
    from.pipe(to);
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
  }
}

/** RFC 9110 §7.8: an upstream need not agree. Its answer ends with the connection, so no length needs to be known. */
function refuseAsUpstreamDid(
  { socket, admission, answered }: UpgradeExchange,
  answer: IncomingMessage,
  { stallTimeout }: ForwardSettings,
): void {
  const status = answer.statusCode ?? 502;
  const fields = responseHeaders(answer.rawHeaders, admission.route.kind, admission.requestId);
  const head = headerLines([...fields, 'Connection', 'close']);
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${head}\r\n`);
  socket.setTimeout(stallTimeout, () => socket.destroy());
  const breakOff = () => socket.destroy();
  answer.on('error', breakOff);
  pumpResponse(answer, socket, stallTimeout, breakOff);
  answer.on('end', () => setTimeout(breakOff, 500).unref());
  answered(status);
}
