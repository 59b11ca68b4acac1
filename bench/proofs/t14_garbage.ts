// Threat T14: garbage at a service that verifies tokens. 10,000 requests a second with tokens that are no tokens, beside
// 1,000 good ones a second, and what the good ones feel: six times ten seconds in turns with quiet, medians. One in ten
// of the bad ones is well formed with a forged signature and costs a signature check; the others are dots, noise, cut,
// over-long or edited.
import { connect, type Socket } from 'node:net';
import { createVerifier } from '@latchkey/core/verifier';
import { buildRequest, openConnection } from '../harness/http_connection.ts';
import { type Client, type LoadResult, openLoop } from '../harness/load.ts';
import { clientCore, pin } from '../harness/machine.ts';
import type { ProofOptions, ProofResult } from '../harness/proof.ts';
import { median, seededRandom } from '../harness/statistics.ts';
import { formatNumber } from '../harness/table.ts';
import { startTokenWorld, type World } from '../sessions/bench.ts';
import { audience, issuer, kid, makeKeys, makeToken } from '../tokens/material.ts';

export const name = 't14_garbage';
export const goal =
  'T14: 100,000 dots refused in < 0.1 ms; p99 of good requests the same (+ 2 ms) under 10,000 garbage tokens/s';

function makeGarbage(): readonly string[] {
  const random = seededRandom(14);
  const noise = (length: number): string =>
    Array.from({ length }, () => 'ABCDEFabcdef0123456789-_'[Math.floor(random() * 24)]).join('');
  const foreign = makeKeys('ES256');
  const kinds = [
    () => makeToken(foreign),
    () => '.'.repeat(2000),
    () => `${noise(80)}.${noise(400)}.${noise(86)}`,
    () => makeToken(foreign).slice(0, 300),
    () => noise(8300),
    () => `eyJhbGciOiJub25lIn0.${noise(200)}.`,
    () => noise(20),
    () => `${makeToken(foreign)}.${noise(10)}`,
    () => makeToken(foreign).replace('.', '!'),
    () => `a.${noise(3000)}.b`,
  ];
  return Array.from({ length: 1000 }, (_, i) => kinds[i % kinds.length]?.() ?? '');
}

/** Milliseconds to refuse 100,000 dots, the median of many. */
function dotsTime(): number {
  const { publicKey } = makeKeys('ES256');
  const jwk = { ...(publicKey.export({ format: 'jwk' }) as { kty: string }), kid, alg: 'ES256', use: 'sig' };
  const verifier = createVerifier({ issuer, audience, jwks: { keys: [jwk] } });
  const dots = '.'.repeat(100_000);
  const times = Array.from({ length: 200 }, () => {
    const before = performance.now();
    try {
      verifier.verifySync(dots);
    } catch {
      return performance.now() - before;
    }
    throw new Error('dots were accepted');
  });
  return median(times);
}

function clientsOf(world: World, count: number, requests: readonly string[]): readonly Client[] {
  let next = 0;
  return Array.from({ length: count }, () => {
    const connection = openConnection(world.port);
    return async () => {
      next += 1;
      const answer = await connection.send(requests[next % requests.length] ?? '');
      if (answer.status !== 200) throw new Error(`expected 200, got ${answer.status}`);
    };
  });
}

/**
 * Garbage as a flood sends it: several requests in one packet, and nobody who reads the answers, beyond counting them. A client
 * that did more would be busier than the service, and the good requests would wait for it.
 */
function startGarbage(port: number, requests: readonly string[], rate: number) {
  const [sockets, packet, gap] = [20, 10, 20];
  let sent = 0;
  const statuses = new Map<string, number>();
  const open = Array.from({ length: sockets }, (): Socket => {
    const socket = connect(port, '127.0.0.1').setNoDelay();
    socket.on('data', (chunk) => {
      for (const [, status = ''] of chunk.toString('latin1').matchAll(/HTTP\/1\.1 (\d{3})/g))
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
    });
    return socket;
  });
  const start = performance.now();
  const timer = setInterval(() => {
    const due = ((performance.now() - start) * rate) / 1000;
    while (sent + packet <= due) {
      const first = sent % requests.length;
      open[(sent / packet) % sockets]?.write(requests.slice(first, first + packet).join(''));
      sent += packet;
    }
  }, gap / sockets);
  return {
    /** Refusals a second; anything but a refusal is a fault. */
    stop(): number {
      clearInterval(timer);
      const rate = ((statuses.get('401') ?? 0) * 1000) / (performance.now() - start);
      for (const socket of open) socket.destroy();
      const others = [...statuses.keys()].filter((status) => status !== '401');
      if (others.length > 0) throw new Error(`garbage was answered ${others.join(', ')}`);
      return rate;
    },
  };
}

export async function run({ quick }: ProofOptions): Promise<ProofResult> {
  const rounds = quick ? 1 : 6;
  const time = quick ? 3000 : 10_000;
  const dots = dotsTime();
  const world = await startTokenWorld(1000);
  pin(clientCore);
  try {
    const garbage = makeGarbage().map((token) =>
      buildRequest({ method: 'GET', path: '/hello', headers: { authorization: `Bearer ${token}` } }),
    );
    const good = clientsOf(world, 16, world.requests);
    await openLoop(good, 1000, 1000);
    const alone: LoadResult[] = [];
    const beside: LoadResult[] = [];
    const refusals: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      alone.push(await openLoop(good, 1000, time / 4));
      const flood = startGarbage(world.port, garbage, 10_000);
      beside.push(await openLoop(good, 1000, time));
      refusals.push(flood.stop());
    }
    const p99 = (results: readonly LoadResult[]): number => median(results.map((result) => result.p99));
    const rate = Math.min(...refusals);
    return {
      figure: `dots ${dots.toFixed(4)} ms; good p99 ${formatNumber(p99(alone))} ms alone, ${formatNumber(p99(beside))} ms beside ${formatNumber(rate)} refusals/s`,
      pass: dots < 0.1 && rate > 9500 && p99(beside) < p99(alone) + 2,
    };
  } finally {
    pin('all');
    await world.child.stop();
  }
}
