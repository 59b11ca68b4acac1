// RFC 7009 at the edge of a token's life: verifiers believe a token a little beyond its end, because clocks differ, so revoking
// it must reach them there too.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAuthServer, userPassword } from '../support/auth_server.ts';
import { movedClock } from '../support/clock.ts';

test('a token is revoked as long as some verifier may still believe it, and not longer', async () => {
  const clock = movedClock();
  const server = await startAuthServer({ now: clock.now });
  try {
    const { body: client } = await server.call('POST', '/auth/admin/clients', {
      token: server.adminToken,
      body: { name: 'Back end', scopes: ['revocation'] },
    });
    await server.createUser('mina');
    const headers = {
      authorization: `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}`,
    };
    const revokedAfter = async (seconds: number) => {
      const { access_token: token, expires_in: life } = await server.login('mina', userPassword);
      const { jti } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
      clock.move(life + seconds);
      const { status } = await server.call('POST', '/auth/revoke', { headers, form: { token } });
      assert.equal(status, 200);
      return (await server.call('GET', '/auth/signals/snapshot')).text.includes(jti);
    };
    assert.equal(await revokedAfter(-1), true);
    assert.equal(await revokedAfter(20), true);
    assert.equal(await revokedAfter(59), true);
    assert.equal(await revokedAfter(61), false);
  } finally {
    await server.close();
  }
});
