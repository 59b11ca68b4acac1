// RFC 7638: thumbprints, with the example of §3.1 and that of RFC 8037 appendix A.3.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportPublicJwk, generateKeyPair, type Jwk, supportedAlgorithms, thumbprint } from '@latchkey/core';
import { calculateJwkThumbprint } from 'jose';

const rsa: Jwk = {
  kty: 'RSA',
  n:
    '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64t' +
    'Z_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbO' +
    'pbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
  e: 'AQAB',
  alg: 'RS256',
  kid: '2011-04-29',
};

test('§3.1: the example, whatever else the key says', () => {
  assert.equal(thumbprint(rsa), 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
  assert.equal(
    thumbprint({ e: rsa.e!, kty: 'RSA', n: rsa.n! }),
    thumbprint({ ...rsa, use: 'sig', alg: 'PS256' }),
  );
});

test('RFC 8037 A.3: an Ed25519 key', () => {
  const jwk: Jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
  assert.equal(thumbprint(jwk), 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
});

test('the kid of a new key is its thumbprint, and jose agrees', async () => {
  for (const alg of supportedAlgorithms()) {
    if (alg === 'HS256') continue;
    const { signingKey, publicJwk } = generateKeyPair(alg);
    assert.equal(publicJwk.kid, thumbprint(publicJwk));
    assert.equal(publicJwk.kid, await calculateJwkThumbprint(publicJwk as never), alg);
    assert.deepEqual(exportPublicJwk(signingKey), publicJwk);
    assert.match(publicJwk.kid ?? '', /^[A-Za-z0-9_-]{43}$/);
  }
});

test('a key of another kind has no thumbprint here', () => {
  assert.throws(() => thumbprint({ kty: 'oct', k: 'AAAA' } as Jwk), TypeError);
  assert.throws(() => thumbprint({ kty: 'RSA', n: 'AAAA' }), TypeError);
});
