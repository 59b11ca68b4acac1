import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusalOf } from './refusal.ts';
import { TokenError, type TokenErrorCode } from './token_error.ts';

const refuse = (code: TokenErrorCode, realm?: string) =>
  refusalOf(new TokenError(code, 'private detail'), realm);

test('RFC 6750 §3.1: the status and the error code', () => {
  const expected: Readonly<Record<TokenErrorCode, readonly [number, string]>> = {
    missing_token: [401, 'missing'],
    malformed: [401, 'malformed'],
    unsupported_algorithm: [401, 'invalid'],
    unknown_key: [401, 'invalid'],
    invalid_signature: [401, 'invalid'],
    wrong_type: [401, 'invalid'],
    wrong_issuer: [401, 'invalid'],
    wrong_audience: [401, 'invalid'],
    missing_claim: [401, 'invalid'],
    invalid_claim: [401, 'invalid'],
    life_too_long: [401, 'invalid'],
    expired: [401, 'expired'],
    not_yet_valid: [401, 'not_yet_valid'],
    issued_in_future: [401, 'not_yet_valid'],
    revoked: [401, 'revoked'],
    stale: [401, 'stale'],
    signals_stale: [503, 'signals_stale'],
    unavailable: [503, 'unavailable'],
    insufficient_scope: [403, 'insufficient_scope'],
  };
  for (const [code, [status, reason]] of Object.entries(expected)) {
    const refusal = refuse(code as TokenErrorCode);
    assert.deepEqual([refusal.status, refusal.body.reason], [status, reason], code);
    const error = { 401: 'invalid_token', 403: 'insufficient_scope', 503: 'temporarily_unavailable' }[status];
    assert.equal(refusal.body.error, error, code);
    assert.ok(!JSON.stringify(refusal).includes('private detail'));
  }
});

test('RFC 6750 §3: the challenge', () => {
  assert.deepEqual(refuse('missing_token').headers, { 'www-authenticate': 'Bearer' });
  assert.deepEqual(refuse('missing_token', 'hospital').headers, {
    'www-authenticate': 'Bearer realm="hospital"',
  });
  assert.equal(
    refuse('expired', 'hospital').headers['www-authenticate'],
    'Bearer realm="hospital", error="invalid_token", error_description="The access token has expired."',
  );
  assert.match(refuse('insufficient_scope').headers['www-authenticate'] ?? '', /error="insufficient_scope"/);
});

test('a verifier that cannot judge asks to come again, and challenges nobody', () => {
  for (const code of ['unavailable', 'signals_stale'] as const) {
    const { headers } = refuse(code);
    assert.match(headers['retry-after'] ?? '', /^[1-9][0-9]*$/);
    assert.equal(headers['www-authenticate'], undefined);
  }
});

test('what is no TokenError is not turned into an answer', () => {
  const error = new Error('a bug');
  assert.throws(() => refusalOf(error), error);
  assert.throws(() => refusalOf({ code: 'expired', reason: 'expired' }));
});

test('a realm cannot break out of its quotes', () => {
  for (const realm of ['a"b', 'a\\b', 'a\r\nb', 'é'])
    assert.throws(() => refuse('expired', realm), TypeError);
});
