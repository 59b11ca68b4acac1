// G12 (SSRF, ASVS 1.3.6): whoever may register a receiver of security events names an address that the server then connects to. It
// must lead nowhere but to the public internet: not to loopback, not into the server's own network, not to a cloud's metadata
// service, however the address is written, whatever its name resolves to, and wherever an answer points.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { after, before, test } from 'node:test';
import { startAuthServer, type TestAuthServer } from '../support/auth_server.ts';
import { newClient, type ReceiverClient, startPushReceiver, until } from '../support/event_receiver.ts';

let abroad: TestAuthServer;
let client: ReceiverClient;
let inside: Server;
let connections = 0;
let port = 0;

before(async () => {
  abroad = await startAuthServer({ issuer: 'https://id.example.com/auth' });
  client = await newClient(abroad);
  inside = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve));
  port = (inside.address() as { port: number }).port;
});
after(async () => {
  inside.close();
  await abroad.close();
});

const register = (server: TestAuthServer, clientId: string, url: string) =>
  server.operator('POST', '/auth/admin/receivers', {
    client_id: clientId,
    delivery: { method: 'urn:ietf:rfc:8935', endpoint_url: url },
  });

async function endSession(server: TestAuthServer): Promise<void> {
  const { session_id: sid } = await server.login('admin', server.admin.password);
  assert.equal((await server.operator('DELETE', `/auth/admin/sessions/${sid}`)).status, 204);
}

async function lastError(server: TestAuthServer, clientId: string): Promise<unknown> {
  const { text } = await server.operator('GET', `/auth/admin/receivers/${clientId}`);
  return JSON.parse(text).last_error;
}

test('an address inside is refused when it is registered', async () => {
  const hosts = `127.0.0.1 127.1 2130706433 0x7f000001 0177.0.0.1 [::1] [::ffff:127.0.0.1] [::ffff:7f00:1] 10.0.0.1 172.16.0.1
    192.168.1.1 169.254.169.254 [fe80::1] [fd00:ec2::254] 100.100.100.200 168.63.129.16 0.0.0.0 [::] [64:ff9b::7f00:1]`;
  const urls = hosts.split(/\s+/).map((host) => `https://${host}:${port}/`);
  const others = [
    `http://127.0.0.1:${port}/`,
    `http://localhost:${port}/`,
    'http://example.com/',
    'file:///etc/passwd',
    '/x',
  ];
  for (const url of [...urls, ...others, 'https://me:secret@example.com/', 'gopher://example.com/']) {
    const { status, body } = await register(abroad, client.id, url);
    assert.deepEqual([status, body.error], [400, 'invalid_request'], url);
  }
  assert.equal(connections, 0);
});

test('a name that resolves to one is refused when the connection is made, and nobody hears of it', async () => {
  assert.equal((await register(abroad, client.id, `https://localhost:${port}/`)).status, 201);
  await endSession(abroad);
  await until(async () => (await lastError(abroad, client.id)) === 'address_refused', 'refused');
  assert.equal(connections, 0);
});

test('a redirect is not followed, and nothing that was answered is shown', async () => {
  const home = await startAuthServer();
  const receiver = await startPushReceiver();
  try {
    const { id } = await newClient(home);
    receiver.answer = (response) =>
      response.writeHead(307, { location: `http://127.0.0.1:${port}/` }).end('what an internal page says');
    assert.equal((await register(home, id, receiver.url)).status, 201);
    await endSession(home);
    await until(async () => (await lastError(home, id)) === 'status_307', 'tried');
    const shown = await home.operator('GET', `/auth/admin/receivers/${id}`);
    assert.ok(!shown.text.includes('internal page'));
    assert.equal(connections, 0);
  } finally {
    await home.close();
    await receiver.close();
  }
});
