import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { generateKeyPair, verificationKeyOf } from '../jwk.ts';
import { signJws } from '../jws.ts';
import { keySet } from '../keys.ts';
import { AttestationFault } from './attestation.ts';
import { FetchFault } from './bounded_fetch.ts';
import { fetchSnapshot, type Snapshot, SnapshotFault } from './snapshot.ts';

const issuer = 'https://id.example.com/auth';
const { signingKey } = generateKeyPair('ES256');
const stolen = generateKeyPair('ES256').signingKey;
const stranger = generateKeyPair('ES256').signingKey;
const keys = keySet(verificationKeyOf(signingKey), verificationKeyOf(stolen));

const content = {
  ...{ iss: issuer, epoch: 'e', seq: 3, position: 'e-3-t' },
  marks: [
    { kind: 'revoke', by: 'sid', values: ['a', 'b'], until: [10, 20] },
    { kind: 'stale', by: 'sub', values: ['c'], below: [2] },
    { kind: 'revoke', by: 'kid', values: [] },
  ],
};

interface Bending {
  readonly body?: object;
  readonly signed?: object;
  readonly key?: typeof signingKey;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly status?: number;
  readonly etag?: string;
  /** Other bytes than those that were signed. */
  readonly sent?: string;
}

const asked: Headers[] = [];

function take(bending: Bending = {}, held?: Snapshot): Promise<Snapshot> {
  const body = JSON.stringify({ ...content, ...bending.body });
  const sha256 = createHash('sha256').update(body).digest('base64url');
  const { iss, epoch, seq } = content;
  const said = { iss, epoch, seq, as_of: 1_000, max_life: 300, sha256, ...bending.signed };
  const signature = signJws(
    bending.header ?? { typ: 'signals+jwt' },
    JSON.stringify(said),
    bending.key ?? signingKey,
  );
  const headers = { 'latchkey-signature': signature, etag: bending.etag ?? '"one"' };
  const status = bending.status ?? 200;
  return fetchSnapshot(
    {
      url: `${issuer}/signals/snapshot`,
      async fetch(_url, init) {
        asked.push(new Headers(init.headers));
        return new Response(status === 304 ? null : (bending.sent ?? body), { status, headers });
      },
      headers: { 'user-agent': 'x' },
      trust: {
        issuer,
        algorithms: ['ES256'],
        keys: () => keys,
        isRevokedKey: (kid) => kid === stolen.kid,
      },
      signal: new AbortController().signal,
    },
    held,
  );
}

test('what was signed is read, in groups', async () => {
  const { sha256, etag, ...snapshot } = await take();
  assert.deepEqual(snapshot, {
    position: { epoch: 'e', seq: 3, id: 'e-3-t' },
    asOf: 1_000,
    maxLife: 300,
    groups: content.marks,
  });
  assert.equal(etag, '"one"');
  assert.equal(sha256.length, 43);
  assert.equal((await take({ etag: 'odd' })).etag, undefined);
});

test('what is forged, foreign, of another kind or not understood is refused', async () => {
  const marks = (...groups: object[]) => ({ body: { marks: groups } });
  const group = { kind: 'revoke', by: 'sid', values: ['a'] };
  const attestations: Bending[] = [
    { key: stranger },
    { key: stolen },
    { header: { typ: 'at+jwt' } },
    { header: {} },
    { signed: { iss: 'https://other.example/auth' } },
    { signed: { as_of: '1' } },
    { signed: { max_life: -1 } },
    { signed: { epoch: 1 } },
    { signed: { sha256: null } },
    { signed: { from: 'x' } },
  ];
  for (const bending of attestations)
    await assert.rejects(take(bending), AttestationFault, JSON.stringify(bending));
  const snapshots: Bending[] = [
    { signed: { from: 3 } },
    { signed: { seq: 4 } },
    { signed: { epoch: 'f' } },
    { signed: { sha256: 'AAAA' } },
    { sent: '{}' },
    { body: { iss: 'https://other.example/auth' } },
    { body: { seq: 4 } },
    { body: { position: 'e-4-t' } },
    { body: { position: 1 } },
    { body: { marks: {} } },
    marks({ ...group, kind: 'stale' }),
    marks({ ...group, by: 'planet' }),
    marks({ ...group, by: 'sub' }),
    marks({ ...group, below: [1] }),
    marks({ ...group, until: [1, 2] }),
    marks({ ...group, until: ['1'] }),
    marks({ ...group, values: ['a', ''] }),
    marks({ ...group, values: 'a' }),
    marks(group, { kind: 'revoke', by: 'sid' }),
  ];
  for (const bending of snapshots)
    await assert.rejects(take(bending), SnapshotFault, JSON.stringify(bending));
  await assert.rejects(take({ key: stranger }), { unknownKey: true });
  await assert.rejects(take({ key: stolen }), { unknownKey: false });
});

test('"not modified" is an answer for whoever asked, over exactly what is held', async () => {
  const held = await take();
  const renewed = await take({ status: 304, signed: { as_of: 9_000, max_life: 60 } }, held);
  assert.equal(asked.at(-1)?.get('if-none-match'), '"one"');
  assert.deepEqual(renewed, { ...held, asOf: 9_000, maxLife: 60, groups: [] });
  for (const signed of [{ sha256: 'AAAA' }, { seq: 4 }, { epoch: 'f' }, { from: 3 }])
    await assert.rejects(take({ status: 304, signed }, held), SnapshotFault, JSON.stringify(signed));
  await assert.rejects(take({ status: 304, key: stolen }, held), AttestationFault);
  await assert.rejects(take({ status: 304 }), FetchFault);
  await assert.rejects(take({ status: 304 }, { ...held, etag: undefined }), FetchFault);
  assert.equal(asked.at(-1)?.get('if-none-match'), null);
});
