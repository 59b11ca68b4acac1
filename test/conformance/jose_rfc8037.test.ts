// RFC 8037 appendix A: Ed25519 in JOSE, under its old name EdDSA and its fully specified one (RFC 9864).
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { test } from 'node:test';
import { exportPublicJwk, importPrivateKey, type Jwk, signJws, verifyJws } from '@latchkey/core';
import { judge } from '../support/access_tokens.ts';

const jwk: Jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
const d = 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A';
const token =
  'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.' +
  'hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg';

test('A.5: the example verifies', () => {
  const verified = verifyJws(token, { keys: [jwk] }, { algorithms: ['EdDSA'] });
  assert.equal(Buffer.from(verified.payload).toString(), 'Example of Ed25519 signing');
  assert.equal(
    judge(() => verifyJws(token, { keys: [jwk] }, { algorithms: ['Ed25519'] })),
    'unsupported_algorithm',
  );
});

test('A.4: the example signs to the same bytes', () => {
  const pkcs8 = createPrivateKey({ key: { ...jwk, d }, format: 'jwk' }).export({
    format: 'der',
    type: 'pkcs8',
  });
  const key = importPrivateKey(pkcs8, 'EdDSA');
  assert.equal(key.kid, 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  assert.deepEqual(exportPublicJwk(key), { ...jwk, kid: key.kid, alg: 'EdDSA', use: 'sig' });
  // Ed25519 is deterministic and our header has a kid, so the payload's signature is compared by verifying both ways.
  const ours = signJws({}, 'Example of Ed25519 signing', key);
  assert.equal(ours, signJws({}, 'Example of Ed25519 signing', key));
  assert.equal(ours.split('.')[1], token.split('.')[1]);
  const verified = verifyJws(ours, { keys: [exportPublicJwk(key)] }, { algorithms: ['EdDSA'] });
  assert.equal(Buffer.from(verified.payload).toString(), 'Example of Ed25519 signing');
});
