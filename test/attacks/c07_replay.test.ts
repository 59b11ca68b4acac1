// C07: a token used again after its session or itself was ended, also where it is spelt anew (RFC 9068 §2.2). Revocation goes by
// `jti` and `sid`, never by the token's text.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createVerifier } from '@latchkey/core/verifier';
import { claimsWithout, headerOf, keyFor, seal, verdict } from '../support/access_tokens.ts';
import { startIssuer } from '../support/issuer.ts';

test('a token without jti is refused', () => {
  assert.equal(verdict(seal(headerOf(keyFor('ES256')), claimsWithout('jti'))), 'missing_claim');
});

test('a revoked jti or sid takes every token that has it, and no other', async () => {
  const source = await startIssuer();
  const verifier = createVerifier({ issuer: source.issuer, audience: source.audience });
  try {
    await verifier.ready();
    const seconds = Math.floor(Date.now() / 1000);
    const times = { iat: seconds - 1, exp: seconds + 300 };
    const first = source.token({ jti: 'one', sid: 'session-a', ...times });
    // The same claims signed again: another text, the same token to us.
    const again = source.token({ jti: 'one', sid: 'session-a', ...times });
    const sibling = source.token({ jti: 'two', sid: 'session-a', ...times });
    const stranger = source.token({ jti: 'three', sid: 'session-b', sub: 'somebody-else', ...times });
    assert.notEqual(first, again);
    for (const token of [first, again, sibling, stranger]) await verifier.verify(token);

    source.revoke({ by: 'jti', value: 'one' });
    await until(() => isRefused(verifier.verifySync, first));
    for (const token of [first, again])
      await assert.rejects(verifier.verify(token), { code: 'revoked', reason: 'revoked' });
    await verifier.verify(sibling);

    source.revoke({ by: 'sid', value: 'session-a' });
    await until(() => isRefused(verifier.verifySync, sibling));
    await assert.rejects(verifier.verify(sibling), { code: 'revoked' });
    await verifier.verify(stranger);
  } finally {
    verifier.close();
    await source.close();
  }
});

function isRefused(verify: (token: string) => unknown, token: string): boolean {
  try {
    verify(token);
    return false;
  } catch {
    return true;
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 500 && !condition(); turn++) await pause(10);
  assert.ok(condition(), 'the mark has arrived');
}
