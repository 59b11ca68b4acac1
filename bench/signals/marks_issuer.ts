// An issuer in this process (docs/protocol/signals.md): a key set, a signed snapshot of as many marks as wanted, a stream that
// says more of them. A verifier is handed its `fetch` and knows no difference; no socket takes part in the figures.
import { createHash, randomBytes } from 'node:crypto';
import { importPrivateKey, signJws } from '@latchkey/core';
import { audience, issuer, type Keys, kid } from '../tokens/material.ts';
import { randomIds, someGroups } from './marks_material.ts';

export interface MarksIssuer {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Makes and signs what is to be said, so that none of that work falls into what is measured. */
  readonly prepare: (batches: number, marksEach: number) => void;
  /** Says the next batch on the open stream, with the heartbeat that puts it in force. Throws when none is left. */
  readonly say: () => void;
  /** Marks. */
  readonly said: number;
}

export const verifierOptions = { issuer, audience } as const;

/** Its events and the heartbeat that closes them. */
interface Batch {
  readonly bytes: Buffer;
  readonly count: number;
}

/** Longer than any bench. */
const life = 3_600_000;
const heartbeatInterval = 1_000;

export function createMarksIssuer(keys: Keys, marks: number): MarksIssuer {
  const key = importPrivateKey(keys.privateKey.export({ format: 'der', type: 'pkcs8' }), keys.alg, kid);
  const epoch = randomBytes(9).toString('hex');
  const until = Date.now() + life;
  let seq = marks;
  let said = 0;
  const prepared = { seq, batches: [] as Batch[] };
  let stream: ReadableStreamDefaultController<Uint8Array> | undefined;
  const positionAt = (number: number): string => `${epoch}-${number}-tag`;

  const sign = (statement: { from?: number; seq: number; sha256: string }): string => {
    const whole = { iss: issuer, epoch, as_of: Date.now(), max_life: 300, ...statement };
    return signJws({ alg: keys.alg, kid, typ: 'signals+jwt' }, JSON.stringify(whole), key);
  };

  const batchAfter = (from: number, count: number): Batch => {
    const digest = createHash('sha256');
    let text = '';
    let last = from;
    for (const value of randomIds(count)) {
      last += 1;
      const id = positionAt(last);
      const data = JSON.stringify({ by: 'sid', value, until });
      digest.update(`${id}\nrevoke\n${data}\n`);
      text += `id: ${id}\nevent: revoke\ndata: ${data}\n\n`;
    }
    const signature = sign({ from, seq: last, sha256: digest.digest('base64url') });
    const heartbeat = { as_of: Date.now(), seq: last, max_life: 300, signature };
    text += `event: heartbeat\ndata: ${JSON.stringify(heartbeat)}\n\n`;
    return { bytes: Buffer.from(text), count };
  };

  const send = (batch: Batch): void => {
    if (stream === undefined) throw new Error('nobody listens');
    // The verifier may keep what it is handed.
    stream.enqueue(new Uint8Array(batch.bytes));
    seq += batch.count;
    said += batch.count;
  };

  const snapshot = (): Response => {
    const groups = someGroups(marks, () => until);
    const body = JSON.stringify({ iss: issuer, epoch, seq, position: positionAt(seq), marks: groups });
    const signature = sign({ seq, sha256: createHash('sha256').update(body).digest('base64url') });
    return new Response(body, {
      headers: { 'content-type': 'application/json', etag: `"${seq}"`, 'latchkey-signature': signature },
    });
  };

  const openStream = (init: RequestInit): Response => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        stream = controller;
        init.signal?.addEventListener('abort', () => {
          stream = undefined;
          controller.error(new Error('ended'));
        });
      },
    });
    send(batchAfter(seq, 0));
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  };

  const beats = setInterval(() => stream && send(batchAfter(seq, 0)), heartbeatInterval);
  beats.unref();
  return {
    async fetch(url, init) {
      if (url.endsWith('/signals/snapshot')) return snapshot();
      if (url.endsWith('/signals')) return openStream(init);
      const jwk = keys.publicKey.export({ format: 'jwk' });
      return Response.json({ keys: [{ ...jwk, kid, alg: keys.alg, use: 'sig' }] });
    },
    prepare(batches, marksEach) {
      for (let i = 0; i < batches; i += 1) {
        prepared.batches.push(batchAfter(prepared.seq, marksEach));
        prepared.seq += marksEach;
      }
      prepared.batches.reverse();
    },
    say() {
      const next = prepared.batches.pop();
      if (next === undefined) throw new Error('there are no more marks to say');
      send(next);
    },
    get said() {
      return said;
    },
  };
}
