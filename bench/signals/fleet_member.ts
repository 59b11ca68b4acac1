// Many connected verifiers in one process: full ones (`createVerifier`, which checks every signature) and light ones, which hold a stream
// open, read every frame and check nothing. Each notes when a mark was in force: a full one when it applied it, a light one when the
// heartbeat that closes the batch had come. Talks to its parent over the channel, and ends with it.
import { get } from 'node:http';
import { createVerifier, type Verifier } from '@latchkey/core/verifier';
import { clock, type MemberTimes, type MemberWork, type ToMember } from './fleet_wire.ts';
import type { RegisteredClient } from './people.ts';

const rows: Float64Array[] = [];
const verifiers: Verifier[] = [];
let places = new Map<string, number>();
let expected = 0;

/** Where the times of one verifier go. */
function createRow(): (value: string) => void {
  const at = expected;
  expected += 1;
  return (value) => {
    const place = places.get(value);
    if (place !== undefined) rows[at]?.fill(clock(), place, place + 1);
  };
}

async function openFull(work: MemberWork, client: RegisteredClient | undefined): Promise<void> {
  const verifier = createVerifier({
    issuer: work.issuer,
    audience: work.audience,
    issuerAddress: `http://127.0.0.1:${work.authPort}/auth`,
    signatureCacheBytes: 0,
    ...(client && { client }),
  });
  const note = createRow();
  verifier.onMark(({ value }) => note(value));
  verifiers.push(verifier);
  await verifier.ready(30_000);
  while (!verifier.status().connected) await new Promise((resolve) => setTimeout(resolve, 10));
}

function openLight({ authPort }: MemberWork): Promise<void> {
  const note = createRow();
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: authPort, path: '/auth/signals', agent: false };
    const request = get(options, (response) => {
      if (response.statusCode !== 200) return reject(new Error(`the stream answered ${response.statusCode}`));
      let text = '';
      let held: string[] = [];
      response.setEncoding('latin1').on('data', (chunk: string) => {
        text += chunk;
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          const frame = text.slice(0, end);
          text = text.slice(end + 2);
          if (frame.includes('event: heartbeat')) {
            for (const value of held) note(value);
            held = [];
            resolve();
          } else if (frame.includes('event: revoke')) {
            held.push(/"value":"([^"]*)"/.exec(frame)?.[1] ?? '');
          }
        }
      });
      response.on('close', () => reject(new Error('the stream ended')));
    });
    request.on('error', reject);
  });
}

async function open(work: MemberWork): Promise<void> {
  for (let i = 0; i < work.full; i += 1) await openFull(work, work.clients[i]);
  for (let i = 0; i < work.light; i += 20) {
    await Promise.all(Array.from({ length: Math.min(20, work.light - i) }, () => openLight(work)));
  }
}

process.on('disconnect', () => process.exit());
process.on('message', async (message: ToMember) => {
  if (message === 'collect') {
    const connected = verifiers.filter((verifier) => verifier.status().connected).length;
    process.send?.({ times: rows, connected } satisfies MemberTimes);
  } else if ('values' in message) {
    places = new Map(message.values.map((value, place) => [value, place]));
    rows.length = 0;
    while (rows.length < expected) rows.push(new Float64Array(message.values.length).fill(Number.NaN));
    process.send?.('ready');
  } else {
    await open(message.work);
    process.send?.('ready');
  }
});
