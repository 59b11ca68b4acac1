// What a configuration file adds: routes, services, custom claims; and the parts run apart, as on two machines.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { freePorts } from '../../packages/latchkey/src/processes/ports.ts';
import { allGone, call, launch, makeFolder, removeFolder, signIn, startSystem } from './cli_run.ts';

const password = 'a long first password';
const environment = { LATCHKEY_ADMIN_PASSWORD: password };

/** An ordinary program: it knows its port from the environment and says who the gateway says it is. */
const service = `
import { createServer } from 'node:http';
const seen = Object.keys(process.env).filter((name) => name.startsWith('LATCHKEY_')).sort();
createServer((request, response) => {
  response.end(JSON.stringify({ username: request.headers['x-auth-username'], seen }));
}).listen(Number(process.env.PORT), '127.0.0.1');
`;

const settings = `
const routes = [
  { prefix: '/notes', upstreams: ['http://127.0.0.1:PORT'], access: 'authenticated' },
  { prefix: '/boss', upstreams: ['http://127.0.0.1:PORT'], access: { role: 'administrator' } },
];
export default {
  customClaims: (user: { username: string }) => ({ tenant: user.username + '-house' }),
  services: [{ name: 'notes', entry: './notes.mjs', port: PORT }],
  routes,
};
`;

async function configured(): Promise<string> {
  const [port] = await freePorts(1);
  const folder = makeFolder();
  writeFileSync(join(folder, 'notes.mjs'), service);
  writeFileSync(join(folder, 'latchkey.config.ts'), settings.replaceAll('PORT', String(port)));
  return folder;
}

test('routes, services and custom claims of the file are used, and a service is told no secret but its own', async () => {
  const folder = await configured();
  const system = await startSystem([], { folder, env: environment });
  const url = system.facts.public_url;
  assert.deepEqual(Object.keys(system.facts.pids), ['auth', 'notes', 'gateway']);
  const token = await signIn(url, 'admin', password);
  const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());
  assert.equal(claims.tenant, 'admin-house');
  const { status, body } = await call(url, '/notes/1', { token });
  assert.deepEqual(
    { status, body },
    {
      status: 200,
      body: {
        username: 'admin',
        seen: [
          'LATCHKEY_AUDIENCE',
          'LATCHKEY_CLIENT_ID',
          'LATCHKEY_CLIENT_SECRET',
          'LATCHKEY_ISSUER',
          'LATCHKEY_ISSUER_ADDRESS',
        ],
      },
    },
  );
  assert.equal((await call(url, '/boss', { token })).status, 200);
  assert.equal((await call(url, '/notes/1')).status, 401);
  await system.stop();
  removeFolder(folder);
});

test('the gateway runs apart from the auth server, and finds it', async () => {
  const folder = makeFolder();
  const publicUrl = 'http://localhost:4711';
  writeFileSync(join(folder, 'auth.json'), JSON.stringify({ publicUrl }));
  const auth = launch(['auth', '--config', 'auth.json', '--auth-port', '0'], {
    folder,
    env: environment,
  });
  const [, authUrl] = await auth.until(/listens on (\S+)/);
  const routes = [{ prefix: '/', upstreams: [authUrl], access: 'authenticated' }];
  writeFileSync(join(folder, 'edge.json'), JSON.stringify({ publicUrl, authUrl, routes }));
  const gateway = launch(['gateway', '--config', 'edge.json', '--port', '0'], { folder });
  const [, url] = await gateway.until(/listens on (\S+)/);
  const token = await signIn(url!, 'admin', password);
  assert.equal((await call(url!, '/auth/me', { token })).status, 200);
  assert.equal((await call(url!, '/elsewhere')).status, 401);
  assert.equal((await call(url!, '/elsewhere', { token })).status, 404);
  assert.deepEqual([(await gateway.stop()).code, (await auth.stop()).code], [0, 0]);
  removeFolder(folder);
});

test('a route without a policy is told, and nothing stays running', async () => {
  const folder = makeFolder();
  writeFileSync(
    join(folder, 'latchkey.config.json'),
    JSON.stringify({ routes: [{ prefix: '/a', upstreams: ['http://127.0.0.1:1'] }] }),
  );
  const command = launch(['start'], {
    folder,
    env: { ...environment, LATCHKEY_PORT: '0', LATCHKEY_AUTH_PORT: '0' },
  });
  const { code, err } = await command.end;
  assert.deepEqual([code, err.split('\n')[0]], [2, 'latchkey: one setting is wrong']);
  assert.match(err, /routes\[0\] \(\/a\): access: say who may pass/);
  await allGone([Number(readFileSync(join(folder, 'data', 'latchkey.pid'), 'utf8'))]);
  removeFolder(folder);
});
