// A reader of `GET /auth/signals` for tests: the bytes as they come, cut into events, and heartbeats judged by jose.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { compactVerify, createLocalJWKSet } from 'jose';

export interface StreamEvent {
  readonly id: string;
  readonly name: string;
  readonly data: string;
}

export interface SignalStream {
  readonly status: number;
  readonly headers: Headers;
  readonly events: readonly StreamEvent[];
  /** The server has closed it. */
  readonly ended: boolean;
  /** Waits until it holds; generously. */
  until(condition: (events: readonly StreamEvent[]) => boolean): Promise<void>;
  close(): void;
}

function eventOf(block: string): StreamEvent {
  const line = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
  return { id: line('id'), name: line('event'), data: line('data') };
}

/** `origin`: without a path. */
export async function openSignalStream(
  origin: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<SignalStream> {
  const abort = new AbortController();
  const response = await fetch(`${origin}/auth/signals`, { headers, signal: abort.signal });
  let [text, ended] = ['', false];
  let events: StreamEvent[] = [];
  const read = async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      events = text
        .split('\n\n')
        .slice(0, -1)
        .filter((block) => block.includes('event: '))
        .map(eventOf);
    }
  };
  read()
    .catch(() => {})
    .finally(() => {
      ended = true;
    });
  return {
    status: response.status,
    headers: response.headers,
    get events() {
      return events;
    },
    get ended() {
      return ended;
    },
    async until(condition) {
      for (const end = performance.now() + 20_000; performance.now() < end && !condition(events); )
        await pause(5);
      assert.ok(condition(events), `waited in vain after ${text}`);
    },
    close: () => abort.abort(),
  };
}

export interface Closed {
  readonly from: number;
  readonly seq: number;
  readonly as_of: number;
  readonly max_life: number;
  /** Events in the batch. */
  readonly size: number;
  readonly kid: string;
}

/** Every batch of the stream, its signature checked with the published keys; fails the test where one is not as the protocol says. */
export async function closedBatches(
  events: readonly StreamEvent[],
  jwks: object,
  expected: { readonly iss: string; readonly epoch: string },
): Promise<Closed[]> {
  const keys = createLocalJWKSet(jwks as Parameters<typeof createLocalJWKSet>[0]);
  const batches: Closed[] = [];
  let held: StreamEvent[] = [];
  for (const event of events) {
    if (event.name !== 'heartbeat') {
      held.push(event);
      continue;
    }
    const { signature, ...shown } = JSON.parse(event.data);
    const { payload, protectedHeader } = await compactVerify(signature, keys);
    assert.equal(protectedHeader.typ, 'signals+jwt');
    const { iss, epoch, from, seq, as_of, max_life, sha256 } = JSON.parse(Buffer.from(payload).toString());
    const digested = held.map(({ id, name, data }) => `${id}\n${name}\n${data}\n`).join('');
    assert.deepEqual({ iss, epoch }, expected);
    assert.deepEqual(shown, { as_of, seq, max_life });
    assert.equal(seq, from + held.length);
    assert.equal(sha256, createHash('sha256').update(digested).digest('base64url'));
    const before = batches.at(-1);
    if (before !== undefined) assert.equal(from, before.seq);
    batches.push({ from, seq, as_of, max_life, size: held.length, kid: protectedHeader.kid ?? '' });
    held = [];
  }
  return batches;
}
