// K09: a public document with private members. Every answer that shows keys, for every algorithm, holds the public members of
// its key type and nothing else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { supportedAlgorithms } from '@latchkey/core';
import type { AuthServerOptions } from '@latchkey/server';
import { startAuthServer } from '../support/auth_server.ts';

const members: Readonly<Record<string, readonly string[]>> = {
  EC: ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'],
  OKP: ['alg', 'crv', 'kid', 'kty', 'use', 'x'],
  RSA: ['alg', 'e', 'kid', 'kty', 'n', 'use'],
  AKP: ['alg', 'kid', 'kty', 'pub', 'use'],
};

for (const algorithm of supportedAlgorithms().filter((name) => name !== 'HS256')) {
  test(`${algorithm}: only public members`, async () => {
    const server = await startAuthServer({ algorithm } as Partial<AuthServerOptions>);
    try {
      const { text } = await server.call('GET', '/auth/.well-known/jwks.json');
      const jwks = JSON.parse(text) as { keys: Record<string, string>[] };
      assert.deepEqual(Object.keys(jwks), ['keys']);
      assert.equal(jwks.keys.length, 2);
      for (const jwk of jwks.keys) {
        assert.deepEqual(Object.keys(jwk).sort(), members[jwk['kty'] ?? '']);
        assert.deepEqual([jwk['alg'], jwk['use']], [algorithm, 'sig']);
        assert.match(jwk['kid'] ?? '', /^[\w-]{1,64}$/);
      }
      const listed = await server.call('GET', '/auth/admin/keys', { token: server.adminToken });
      const shown = ['activates_at', 'alg', 'created_at', 'kid', 'retires_at', 'state'];
      for (const key of listed.body.items)
        assert.deepEqual(
          Object.keys(key).filter((name) => !shown.includes(name)),
          [],
        );
    } finally {
      await server.close();
    }
  });
}
