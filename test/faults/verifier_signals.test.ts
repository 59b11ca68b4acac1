// A verifier against a real issuer: revocations that arrive by stream, and everything that can go wrong on the way. The rule under
// test: whatever happens to the stream, no mark is missed once it heals, and nothing that was known is forgotten.
import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, test } from 'node:test';
import { generateKeyPair } from '@latchkey/core';
import { createVerifier, type Verifier, type VerifierOptions } from '@latchkey/core/verifier';
import { makeSnapshot, someClaims, startIssuer, type TestIssuer, until } from '../support/issuer.ts';

let issuer: TestIssuer;
let verifiers: Verifier[] = [];

beforeEach(async () => {
  issuer = await startIssuer();
});

const closeAll = async (): Promise<void> => {
  for (const verifier of verifiers) verifier.close();
  verifiers = [];
  await issuer.close();
};
afterEach(closeAll);
after(() => {
  for (const verifier of verifiers) verifier.close();
});

function start(options: Partial<VerifierOptions> = {}): Verifier {
  const verifier = createVerifier({ issuer: issuer.issuer, audience: issuer.audience, ...options });
  verifiers.push(verifier);
  return verifier;
}

async function connected(options: Partial<VerifierOptions> = {}): Promise<Verifier> {
  const verifier = start(options);
  await verifier.ready();
  await until(() => verifier.status().connected && issuer.open === verifiers.length, 'the stream is open');
  return verifier;
}

const code = (expected: string) => (error: unknown) => {
  assert.equal((error as { code?: string }).code, expected);
  return true;
};

test('a revoked jti, sid, client, kid and subject is refused within the stream, and nobody else', async () => {
  const verifier = await connected();
  const claims = someClaims(issuer);
  const bystander = issuer.token();
  const marks = [
    { by: 'jti', value: claims.jti },
    { by: 'sid', value: claims.sid },
    { by: 'client', value: claims.client_id },
    { by: 'sub', value: claims.sub, below: claims.ver + 1 },
  ];
  for (const mark of marks.slice(0, 2).concat(marks.slice(3))) {
    const mine = someClaims(issuer);
    const value = mark.by === 'jti' ? mine.jti : mark.by === 'sid' ? mine.sid : mine.sub;
    const token = issuer.token(mine);
    assert.equal(verifier.verifySync(token).claims.sub, mine.sub);
    issuer.revoke({ ...mark, value });
    await until(() => verifier.isRevoked(mine) !== undefined, `${mark.by} is marked`);
    assert.throws(() => verifier.verifySync(token), code('revoked'), mark.by);
    assert.ok(verifier.verifySync(bystander));
  }
  issuer.revoke({ by: 'client', value: claims.client_id });
  await until(() => verifier.isRevoked(claims) === 'revoked', 'the client is marked');
  assert.throws(() => verifier.verifySync(bystander), code('revoked'));
  const other = issuer.token({ client_id: 'other' });
  assert.ok(verifier.verifySync(other));
  issuer.revoke({ by: 'kid', value: issuer.key.kid });
  await until(() => verifier.isRevoked({}, issuer.key.kid) === 'revoked', 'the key is marked');
  assert.throws(() => verifier.verifySync(other), code('revoked'));
});

test('changed roles make tokens stale, a newer token passes, and revoked wins over stale', async () => {
  const verifier = await connected();
  const claims = someClaims(issuer);
  const token = issuer.token(claims);
  issuer.stale({ by: 'sub', value: claims.sub, below: 2 });
  await until(() => verifier.isRevoked(claims) === 'stale', 'the subject is marked');
  assert.throws(() => verifier.verifySync(token), code('stale'));
  assert.ok(verifier.verifySync(issuer.token({ ...claims, ver: 2 })));
  const nurse = someClaims(issuer);
  issuer.stale({ by: 'role', value: 'nurse', below: 5 });
  await until(() => verifier.status().marks === 2, 'the role is marked');
  assert.throws(
    () => verifier.verifySync(issuer.token({ ...nurse, roles: ['clerk', 'nurse'], rver: 4 })),
    code('stale'),
  );
  assert.ok(verifier.verifySync(issuer.token({ ...nurse, roles: ['nurse'], rver: 5 })));
  assert.ok(verifier.verifySync(issuer.token({ ...nurse, roles: ['clerk'], rver: 1 })));
  issuer.revoke({ by: 'sid', value: claims.sid });
  await until(() => verifier.isRevoked(claims) === 'revoked', 'the session is marked');
  assert.throws(() => verifier.verifySync(token), code('revoked'));
});

test('marks made before the verifier started come with the snapshot; listeners hear each new mark once', async () => {
  const early = someClaims(issuer);
  issuer.lose({ by: 'sid', value: early.sid });
  const verifier = start();
  const heard: string[] = [];
  verifier.onMark(() => {
    throw new Error('a listener that fails');
  });
  verifier.onMark(({ value }) => heard.push(value));
  await verifier.ready();
  await assert.rejects(verifier.verify(issuer.token(early)), code('revoked'));
  const late = someClaims(issuer);
  await until(() => issuer.open === 1, 'the stream is open');
  issuer.revoke({ by: 'sid', value: late.sid });
  issuer.revoke({ by: 'sid', value: late.sid });
  await until(() => verifier.status().signals?.seq === 3, 'both frames are taken');
  assert.deepEqual(heard, [early.sid, late.sid]);
});

test('a cut stream is resumed by its position, without a snapshot', async () => {
  const verifier = await connected();
  const claims = someClaims(issuer);
  issuer.cut();
  issuer.lose({ by: 'sid', value: claims.sid });
  await until(() => verifier.isRevoked(claims) === 'revoked', 'the missed mark arrives');
  assert.equal(issuer.counts.snapshot, 1);
});

test('a lost frame shows as a gap at the next frame, or at the next heartbeat, and the snapshot mends it', async () => {
  const verifier = await connected();
  const first = someClaims(issuer);
  issuer.lose({ by: 'sid', value: first.sid });
  await until(() => verifier.isRevoked(first) === 'revoked', 'the heartbeat shows the gap');
  await until(() => verifier.status().signals?.snapshots === 2, 'the snapshot is taken');
  await until(() => issuer.open === 1, 'the stream is open again');
  issuer.beating = false;
  const second = someClaims(issuer);
  issuer.lose({ by: 'sid', value: second.sid });
  issuer.revoke({ by: 'sid', value: 'another' });
  await until(() => verifier.isRevoked(second) === 'revoked', 'the frame shows the gap');
});

test('a new epoch is followed, and what the old one revoked stays revoked', async () => {
  const verifier = await connected();
  const old = someClaims(issuer);
  issuer.revoke({ by: 'sid', value: old.sid, until: Date.now() + 600_000 });
  await until(() => verifier.isRevoked(old) === 'revoked', 'the mark is there');
  issuer.newEpoch();
  issuer.cut();
  await until(
    () => verifier.status().signals?.epoch === issuer.epoch && issuer.open === 1,
    'the new epoch is followed',
  );
  const fresh = someClaims(issuer);
  issuer.revoke({ by: 'sid', value: fresh.sid });
  await until(() => verifier.isRevoked(fresh) === 'revoked', 'marks of the new epoch count');
  assert.equal(verifier.isRevoked(old), 'revoked');
});

test('a forged, changed, unsigned or older snapshot is refused, whatever it says', async () => {
  const verifier = await connected();
  issuer.revoke({ by: 'sid', value: 'kept' });
  await until(() => verifier.status().signals?.seq === 1, 'the mark is there');
  const forged = {
    position: `${issuer.epoch}-1-tag`,
    marks: [{ kind: 'revoke', by: 'sid', value: 'forged' }],
  };
  const strangersKey = generateKeyPair('ES256').signingKey;
  const before = { ...issuer, epoch: 'older', clockOffset: -120_000 };
  const forgeries: (() => { body: string; signature: string | undefined })[] = [
    () => ({ ...makeSnapshot(issuer, forged), signature: undefined }),
    () => makeSnapshot({ ...issuer, key: strangersKey }, forged),
    () => makeSnapshot(issuer, forged, { sha256: 'AAAA' }),
    () => makeSnapshot({ ...issuer, seq: 0 }, { ...forged, position: `${issuer.epoch}-0-tag` }),
    () => makeSnapshot(before, { ...forged, position: 'older-1-tag' }),
  ];
  for (const [at, forge] of forgeries.entries()) {
    const { snapshot } = issuer.counts;
    issuer.answers.snapshot = (_request, response) => {
      const { body, signature } = forge();
      const headers: Record<string, string> =
        signature === undefined ? {} : { 'latchkey-signature': signature };
      response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(body);
    };
    await until(() => issuer.open === 1, 'the stream is open');
    issuer.write('event: reset\ndata: {}\n\n');
    await until(() => issuer.counts.snapshot > snapshot, `forgery ${at} is asked for`);
    issuer.answers.snapshot = undefined;
    await until(() => verifier.status().connected && issuer.open === 1, 'the honest snapshot mends it');
    assert.equal(verifier.isRevoked({ sid: 'forged' }), undefined, `forgery ${at}`);
  }
  assert.equal(verifier.isRevoked({ sid: 'kept' }), 'revoked');
});

test('a `keys` signal brings a new key at once and a withdrawn one is refused, cached or not', async () => {
  const verifier = await connected();
  const old = issuer.token();
  assert.ok(verifier.verifySync(old));
  const next = generateKeyPair('ES256').signingKey;
  issuer.keys = [next];
  issuer.key = next;
  issuer.announceKeys();
  await until(() => verifier.status().keys.includes(next.kid), 'the new key is there');
  assert.ok(verifier.verifySync(issuer.token()));
  assert.throws(() => verifier.verifySync(old), code('unknown_key'));
});
