// Keys and tokens: rotation over the socket, removal of a key, and what `token inspect` says of real tokens.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { call, latchkey, launch, makeFolder, type RunningCommand, removeFolder, signIn } from './cli_run.ts';

const folder = makeFolder();
const password = 'a long first password';
let server: RunningCommand;
let url: string;
let token: string;

const run = (args: readonly string[], input = '', where = folder) => latchkey(args, { folder: where, input });

before(async () => {
  const env = { LATCHKEY_ADMIN_PASSWORD: password, LATCHKEY_LOG: 'debug' };
  server = launch(['auth', '--auth-port', '0'], { folder, env });
  [, url] = (await server.until(/listens on (\S+)/)) as unknown as [string, string];
  token = await signIn(url, 'admin', password);
});
after(async () => {
  await server.stop();
  removeFolder(folder);
});

test('a good token is accepted with the keys of the running server, every claim explained', async () => {
  const { code, out, err } = await run(['token', 'inspect'], `Bearer ${token}\n`);
  assert.equal(code, 0, err);
  assert.match(out, /^ {2}typ +at\+jwt +an access token/m);
  assert.match(out, /^ {2}exp +\d+ +valid until .*\(in \d+ /m);
  assert.match(out, /^ {2}valid, 64 bytes \(keys: the auth server of this machine\)$/m);
  assert.match(out, /^Accepted$/m);
  assert.match(out, /^not checked: revocation/m);
});

test('a changed token is refused, and JSON says so too', async () => {
  const [header, , signature] = token.split('.');
  const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());
  const changed = `${header}.${Buffer.from(JSON.stringify({ ...claims, roles: ['doctor'] })).toString('base64url')}.${signature}`;
  const { out } = await run(['token', 'inspect', '--json'], changed);
  const answer = JSON.parse(out);
  assert.deepEqual([answer.signature, answer.accepted, answer.claims.roles], ['invalid', false, ['doctor']]);
});

test('with a key set in a file no server is needed; without keys nothing is called accepted', async () => {
  const elsewhere = makeFolder();
  const jwks = await (await fetch(`${url}/auth/.well-known/jwks.json`)).text();
  writeFileSync(join(elsewhere, 'jwks.json'), jwks);
  assert.match((await run(['token', 'inspect', '--jwks', 'jwks.json'], token, elsewhere)).out, /^Accepted$/m);
  assert.match((await run(['token', 'inspect'], token, elsewhere)).out, /^Not known: .*\n/m);
  const wrong = await run(
    ['token', 'inspect', '--jwks', 'jwks.json', '--audience', 'https://other.example'],
    token,
    elsewhere,
  );
  assert.match(wrong.out, /^Refused\n {2}- meant for another audience$/m);
  removeFolder(elsewhere);
});

test('a token as an argument is warned about; what is no token is said to be none', async () => {
  assert.match((await run(['token', 'inspect', token])).err, /shell's history|shell’s history/);
  const { code, err } = await run(['token', 'inspect'], 'hunter2');
  assert.deepEqual(
    [code, err.split('\n')[0]],
    [1, 'latchkey: this is not a token: a token has three segments with dots between them, this has 1'],
  );
});

test('the token has been sent nowhere: the server, at its most talkative, never saw it', () => {
  assert.ok(!server.text().includes(token) && !server.text().includes(token.split('.')[2]!));
});

test('a refresh token is recognised, and its session can be ended by name', async () => {
  const { body } = await call(url, '/auth/login', { body: { username: 'admin', password } });
  const { out } = await run(['token', 'inspect', '--json'], body.refresh_token);
  assert.deepEqual(JSON.parse(out), {
    kind: 'refresh_token',
    session_id: body.session_id,
    generation: JSON.parse(out).generation,
    key_id: JSON.parse(out).key_id,
    version: 1,
  });
  assert.equal((await run(['session', 'end', body.session_id])).code, 0);
  assert.equal((await call(url, '/auth/me', { token: body.access_token })).status, 401);
});

test('rotation makes the next key sign, and a removed key takes its tokens with it', async () => {
  const listed = JSON.parse((await run(['key', 'list', '--json'])).out) as { kid: string; state: string }[];
  const current = listed.find(({ state }) => state === 'current')!;
  const rotated = await run(['key', 'rotate', '--immediately', '--json']);
  assert.notEqual(JSON.parse(rotated.out).kid, current.kid);
  assert.equal((await call(url, '/auth/me', { token })).status, 200);
  assert.equal((await run(['key', 'remove', current.kid])).code, 0);
  assert.equal((await call(url, '/auth/me', { token })).status, 401);
});
