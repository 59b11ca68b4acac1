// T06: a header that brings its own key or says where to fetch one (RFC 8725 §3.10, CVE-2018-0114, CVE-2026-34240). Refused on
// presence, and nothing is ever fetched.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { exportPublicJwk, generateKeyPair } from '@latchkey/core';
import { createVerifier } from '@latchkey/core/verifier';
import {
  audience,
  claimsWith,
  headerOf,
  issuer,
  jwsVerdict,
  keyFor,
  now,
  seal,
  verdict,
} from '../support/access_tokens.ts';

const parameters = ['jwk', 'jku', 'x5u', 'x5c', 'x5t', 'x5t#S256'];
const { signingKey: attacker, publicJwk } = generateKeyPair('ES256');

test('a key or an address in the header is refused on presence', () => {
  for (const parameter of parameters) {
    for (const value of [publicJwk, [publicJwk], 'https://evil.test/jwks.json', null, [], '', 0, false, {}]) {
      const header = { ...headerOf(keyFor('ES256')), [parameter]: value };
      for (const key of [attacker, keyFor('ES256')]) {
        assert.equal(verdict(seal(header, claimsWith(), key)), 'malformed', parameter);
        assert.equal(jwsVerdict(seal(header, claimsWith(), key)), 'malformed', parameter);
      }
    }
  }
});

test('nothing is fetched', async () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys.json`;
  const verifier = createVerifier({
    issuer,
    audience,
    jwks: { keys: [exportPublicJwk(keyFor('ES256'))] },
    now: () => now,
  });
  try {
    for (const parameter of ['jku', 'x5u', 'jwk']) {
      const value = parameter === 'jwk' ? { ...publicJwk, x5u: address } : address;
      const token = seal(
        { ...headerOf(attacker), [parameter]: value },
        claimsWith({ iss: issuer }),
        attacker,
      );
      await assert.rejects(verifier.verify(token), { code: 'malformed' });
    }
    await pause(20);
    assert.equal(connections, 0);
  } finally {
    verifier.close();
    server.close();
  }
});
