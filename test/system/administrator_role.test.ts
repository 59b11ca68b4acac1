// The role `administrator` is a role like any other: what was taken out of it stays out, also when the server starts again.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAuthServer } from '../support/auth_server.ts';

test('a restart gives nobody what an administrator took away', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'lk-'));
  try {
    const server = await startAuthServer({ dataDir });
    const admin = async (method: string, path: string, body: unknown) => {
      const answer = await server.call(method, `/auth/admin${path}`, { token: server.adminToken, body });
      assert.ok(answer.status < 300, answer.text);
      return answer.body;
    };
    const { permissions } = (await server.operator('GET', '/auth/admin/roles/administrator')).body;
    await admin('POST', '/roles', { name: 'root', permissions });
    await admin('PUT', `/users/${server.admin.id}/roles`, { roles: ['administrator', 'root'] });
    await admin('PATCH', '/roles/administrator', { permissions: ['latchkey:users:read'] });
    await server.close();

    const again = await startAuthServer({ dataDir });
    const { body } = await again.operator('GET', '/auth/admin/roles/administrator');
    await again.close();
    assert.deepEqual(body.permissions, ['latchkey:users:read']);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
