// RFC 7515 appendix A: the examples of JSON Web Signature, with the RFC's keys.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Algorithm, hmacKey, type Jwk, keySet, parseJwkSet, verifyJws } from '@latchkey/core';
import { judge } from '../support/access_tokens.ts';

const payload =
  'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ';
const text = '{"iss":"joe",\r\n "exp":1300819380,\r\n "http://example.com/is_root":true}';

const hmacJwk = {
  kty: 'oct',
  k: 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
} as const;
const hmacToken = `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${payload}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`;

const rsaJwk: Jwk = {
  kty: 'RSA',
  n:
    'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_' +
    'YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uD' +
    'Zlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ',
  e: 'AQAB',
};
const rsaToken =
  `eyJhbGciOiJSUzI1NiJ9.${payload}.` +
  'cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQ' +
  'jbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqt' +
  'FZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw';

const ecJwk: Jwk = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
};
const ecToken =
  `eyJhbGciOiJFUzI1NiJ9.${payload}.` +
  'DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q';

function changed(token: string): string {
  const at = token.lastIndexOf('.') + 5;
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
}

test('A.1: HMAC SHA-256', () => {
  const keys = keySet(hmacKey(hmacJwk, 'any'));
  const { header, payload: bytes } = verifyJws(hmacToken, keys, { algorithms: ['HS256'] });
  assert.deepEqual({ ...header }, { typ: 'JWT', alg: 'HS256' });
  assert.equal(Buffer.from(bytes).toString(), text);
  assert.equal(
    judge(() => verifyJws(changed(hmacToken), keys, { algorithms: ['HS256'] })),
    'invalid_signature',
  );
  assert.throws(() => verifyJws(hmacToken, { keys: [hmacJwk] }, { algorithms: ['HS256'] }), {
    code: 'symmetric_key',
  });
});

test('A.2 and A.3: RSA and ECDSA, with keys that have neither kid nor alg', () => {
  const examples: readonly (readonly [Algorithm, string, Jwk])[] = [
    ['RS256', rsaToken, rsaJwk],
    ['ES256', ecToken, ecJwk],
  ];
  for (const [alg, token, jwk] of examples) {
    const verified = verifyJws(token, { keys: [jwk] }, { algorithms: [alg] });
    assert.deepEqual({ ...verified.header }, { alg });
    assert.ok(verified.payload instanceof Uint8Array);
    assert.equal(Buffer.from(verified.payload).toString(), text);
    const both = { keys: [rsaJwk, ecJwk] };
    assert.equal(
      judge(() => verifyJws(token, both, { algorithms: ['RS256', 'ES256'] })),
      'accepted',
    );
    assert.equal(
      judge(() => verifyJws(changed(token), both, { algorithms: [alg] })),
      'invalid_signature',
    );
    assert.equal(
      judge(() => verifyJws(token, { keys: [] }, { algorithms: [alg] })),
      'unknown_key',
    );
    const other: Algorithm = alg === 'RS256' ? 'ES256' : 'RS256';
    assert.equal(
      judge(() => verifyJws(token, both, { algorithms: [other] })),
      'unsupported_algorithm',
    );
  }
});

test('A.4: ES512 is not among our algorithms and is refused', () => {
  const token = `eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.${'A'.repeat(176)}`;
  assert.equal(
    judge(() => verifyJws(token, { keys: [ecJwk] }, { algorithms: ['ES256'] })),
    'unsupported_algorithm',
  );
});

test('A.5: the unsecured token is refused', () => {
  const token = `eyJhbGciOiJub25lIn0.${payload}.`;
  assert.equal(
    judge(() => verifyJws(token, { keys: [ecJwk] }, { algorithms: ['ES256'] })),
    'unsupported_algorithm',
  );
  assert.throws(() => verifyJws(token, { keys: [ecJwk] }, { algorithms: ['none'] as never }), TypeError);
});

test('a token without kid is refused where more than one key could have signed it', () => {
  const another: Jwk = { ...ecJwk, kid: 'again' };
  assert.equal(
    judge(() => verifyJws(ecToken, { keys: [ecJwk, another] }, { algorithms: ['ES256'] })),
    'unknown_key',
  );
});

test('algorithms must be named', () => {
  const keys = parseJwkSet({ keys: [ecJwk] }, { algorithms: ['ES256'] });
  for (const algorithms of [[], undefined, 'ES256', ['ES256', 'HS512']]) {
    assert.throws(() => verifyJws(ecToken, keys, { algorithms: algorithms as never }), TypeError);
  }
});
