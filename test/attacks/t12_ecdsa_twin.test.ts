// T12: every ECDSA signature (r, s) has a twin (r, n - s). Access tokens are signed with the lower s and refused with the higher; the
// general verifyJws takes both, since others sign either.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Algorithm, signAccessToken, signJws } from '@latchkey/core';
import { claimsWith, jwsVerdict, keyFor, publicKeys, verdict } from '../support/access_tokens.ts';

const orders: readonly (readonly [Algorithm, bigint])[] = [
  ['ES256', 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n],
  [
    'ES384',
    0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  ],
];

function sOf(token: string): bigint {
  const hex = Buffer.from(token.split('.')[2] ?? '', 'base64url').toString('hex');
  return BigInt(`0x${hex.slice(hex.length / 2)}`);
}

function twin(token: string, order: bigint): string {
  const [header, payload, text] = token.split('.') as [string, string, string];
  const hex = Buffer.from(text, 'base64url').toString('hex');
  const s = (order - sOf(token)).toString(16).padStart(hex.length / 2, '0');
  return `${header}.${payload}.${Buffer.from(hex.slice(0, hex.length / 2) + s, 'hex').toString('base64url')}`;
}

test('the twin of an access token is refused', () => {
  for (const [alg, order] of orders) {
    const key = keyFor(alg);
    const keys = publicKeys(key);
    for (let n = 0; n < 8; n++) {
      const token = signAccessToken(claimsWith({ jti: `twin-${n}` }), key);
      assert.equal(verdict(token, { keys }), 'accepted');
      assert.equal(verdict(twin(token, order), { keys }), 'invalid_signature');
      assert.equal(
        jwsVerdict(twin(token, order), keys, [alg]),
        'accepted',
        'it is a good signature all the same',
      );
    }
  }
});

test('everything we sign has the lower s', () => {
  for (const [alg, order] of orders) {
    for (let n = 0; n < 64; n++) {
      const s = sOf(signJws({}, `payload ${n}`, keyFor(alg)));
      assert.ok(s > 0n && s <= order / 2n);
    }
  }
});
