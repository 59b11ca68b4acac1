import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAuthorization, readBearer } from './bearer.ts';

const missing = { name: 'TokenError', code: 'missing_token' };
const ambiguous = { name: 'BearerError' };

test('one header, any case of the scheme, one space, one token', () => {
  assert.equal(readBearer(['Host', 'x', 'Authorization', 'Bearer a.b.c']), 'a.b.c');
  assert.equal(readBearer(['AUTHORIZATION', 'bEaReR a-b._~+/==']), 'a-b._~+/==');
});

test('none, or another scheme: no token was presented', () => {
  assert.throws(() => readBearer([]), missing);
  assert.throws(() => readBearer(['x-authorization', 'Bearer abc']), missing);
  assert.throws(() => readBearer(['authorization', 'Basic YTpi']), missing);
  assert.throws(() => readBearer(['authorization', 'Bearerabc']), missing);
  assert.throws(() => readBearer(['authorization', '']), missing);
  assert.throws(() => readAuthorization(null), missing);
});

test('two headers are ambiguous, whatever is in them', () => {
  assert.throws(() => readBearer(['Authorization', 'Bearer a', 'authorization', 'Bearer a']), ambiguous);
  assert.throws(() => readBearer(['Authorization', 'Basic a', 'authorization', 'Bearer a']), ambiguous);
});

test('every other spelling is ambiguous', () => {
  const values = [
    'Bearer',
    'Bearer ',
    'Bearer  a',
    'Bearer\ta',
    'Bearer a b',
    'Bearer a, Bearer b',
    'Bearer a ',
    ' Bearer a',
  ];
  values.push('Basic x, Bearer a', 'Bearer "a"', 'Bearer a\u00e9', 'Bearer =', 'Bearer,a');
  for (const value of values) {
    assert.throws(() => readBearer(['authorization', value]), ambiguous, JSON.stringify(value));
    assert.throws(() => readAuthorization(value), ambiguous, JSON.stringify(value));
  }
});
