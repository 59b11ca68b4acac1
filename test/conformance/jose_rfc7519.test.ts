// RFC 7519: JSON Web Token. The examples of §3.1 and §6.1 and the rules of §4.1, as far as they do not depend on a profile.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hmacKey, type JwtClaims, keySet, signJwt, type VerifyJwtOptions, verifyJwt } from '@latchkey/core';
import { judge, keyFor, publicKeys, seal, segment } from '../support/access_tokens.ts';

const example =
  'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.' +
  'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.' +
  'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const exampleKeys = keySet(
  hmacKey(
    {
      kty: 'oct',
      k: 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
    },
    'example',
  ),
);

const key = keyFor('ES256');
const now = 1_300_000_000_000;
const options: VerifyJwtOptions = { issuer: 'joe', audience: 'you', now, algorithms: ['ES256'] };
const good: JwtClaims = { iss: 'joe', aud: 'you', exp: 1_300_000_600, iat: 1_300_000_000 };

function outcome(claims: Readonly<Record<string, unknown>>, changes: Partial<VerifyJwtOptions> = {}): string {
  const token = seal({ alg: 'ES256', kid: key.kid, typ: 'JWT' }, { ...good, ...claims }, key);
  return judge(() => verifyJwt(token, publicKeys(key), { ...options, ...changes }));
}

test('§3.1: the example has a good signature, and no audience', () => {
  const rules: VerifyJwtOptions = {
    ...options,
    algorithms: ['HS256'],
    maxTokenLife: Number.POSITIVE_INFINITY,
  };
  assert.equal(
    judge(() => verifyJwt(example, exampleKeys, rules)),
    'missing_claim',
  );
  const [header, payload] = example.split('.') as [string, string];
  const other = `${header}.${payload}.${segment(Buffer.alloc(32))}`;
  assert.equal(
    judge(() => verifyJwt(other, exampleKeys, rules)),
    'invalid_signature',
  );
});

test('§6.1: the unsecured example is refused', () => {
  const token = `eyJhbGciOiJub25lIn0.${example.split('.')[1]}.`;
  assert.equal(
    judge(() => verifyJwt(token, exampleKeys, { ...options, algorithms: ['HS256'] })),
    'unsupported_algorithm',
  );
});

test('§4.1: issuer, audience and times', () => {
  assert.equal(outcome({}), 'accepted');
  assert.equal(outcome({ iss: 'Joe' }), 'wrong_issuer');
  assert.equal(outcome({ aud: ['me', 'you'] }), 'accepted');
  assert.equal(outcome({ aud: ['me'] }), 'wrong_audience');
  assert.equal(
    outcome(
      { exp: 1_300_000_000, iat: undefined },
      { maxTokenLife: Number.POSITIVE_INFINITY, clockTolerance: 0 },
    ),
    'expired',
  );
  assert.equal(
    outcome(
      { exp: 1_300_000_001, iat: undefined },
      { maxTokenLife: Number.POSITIVE_INFINITY, clockTolerance: 0 },
    ),
    'accepted',
  );
  assert.equal(outcome({ iat: undefined }), 'missing_claim');
  assert.equal(outcome({ nbf: 1_300_000_031 }), 'not_yet_valid');
  assert.equal(outcome({ sub: 7 }), 'invalid_claim');
  assert.equal(outcome({ jti: [] }), 'invalid_claim');
});

test('§5.1: typ is compared, and absent is not anything', () => {
  const untyped = seal({ alg: 'ES256', kid: key.kid }, good, key);
  assert.equal(
    judge(() => verifyJwt(untyped, publicKeys(key), options)),
    'accepted',
  );
  assert.equal(
    judge(() => verifyJwt(untyped, publicKeys(key), { ...options, typ: 'JWT' })),
    'wrong_type',
  );
  const typed = signJwt(good, key, { typ: 'application/example+jwt' });
  assert.equal(
    judge(() => verifyJwt(typed, publicKeys(key), { ...options, typ: 'example+jwt' })),
    'accepted',
  );
  assert.equal(
    judge(() => verifyJwt(typed, publicKeys(key), options)),
    'wrong_type',
  );
});

test('what is signed comes back as it was', () => {
  const claims = { ...good, sub: 'é', nested: { list: [1, 'two', null, true, -0.5] } };
  const verified = verifyJwt(signJwt(claims, key), publicKeys(key), options);
  assert.deepEqual({ ...verified.claims }, claims);
  assert.deepEqual({ ...verified.header }, { alg: 'ES256', kid: key.kid, typ: 'JWT' });
  assert.equal(verified.claims['constructor'], undefined, 'claims inherit nothing');
});
