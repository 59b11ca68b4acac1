// Users, roles and sessions over the running server's socket, with what each change does to real tokens.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { call, latchkey, launch, makeFolder, type RunningCommand, removeFolder, signIn } from './cli_run.ts';

const folder = makeFolder();
const password = 'correct horse battery staple';
let server: RunningCommand;
let url: string;

const run = (args: string, input?: string) =>
  latchkey(args.split(' '), { folder, ...(input !== undefined && { input }) });

/** Runs it, expects success, reads its JSON. */
async function json(args: string, input?: string) {
  const { code, out, err } = await run(`${args} --json`, input);
  assert.equal(code, 0, err);
  return JSON.parse(out);
}

before(async () => {
  server = launch(['auth', '--auth-port', '0'], {
    folder,
    env: { LATCHKEY_ADMIN_PASSWORD: 'a long first password' },
  });
  [, url] = (await server.until(/listens on (\S+)/)) as unknown as [string, string];
});
after(async () => {
  await server.stop();
  removeFolder(folder);
});

test('a role, a user with it, and both in the lists', async () => {
  assert.deepEqual(await json('role add reader notes:read --description reads'), {
    name: 'reader',
    permissions: ['notes:read'],
    description: 'reads',
  });
  const user = await json('user add Alice --role reader --password-stdin', `${password}\n`);
  assert.deepEqual([user.username, user.roles, user.disabled], ['alice', ['reader'], false]);
  const names = (await json('user list')).map((each: { username: string }) => each.username);
  assert.deepEqual(names.sort(), ['admin', 'alice']);
  assert.match((await run('role list')).out, /^reader +reads\n +notes:read$/m);
  await signIn(url, 'alice', password);
});

test('new roles are in the next token, and a lost permission too', async () => {
  await run('role add writer notes:read notes:write');
  assert.deepEqual(await json('user roles alice writer'), ['writer']);
  assert.deepEqual(await json('user roles alice'), ['writer']);
  assert.deepEqual(await json('role permissions writer notes:read'), ['notes:read']);
  assert.deepEqual(await json('user roles alice --none'), []);
  assert.equal((await run('role remove writer')).code, 0);
});

test('sessions are listed, ended one by one, and all at once', async () => {
  const tokens = await Promise.all([1, 2, 3].map(() => signIn(url, 'alice', password)));
  const before = await json('session list alice');
  const [first] = before;
  assert.ok(before.length >= 3);
  assert.deepEqual(await json(`session end ${first.id}`), { ended: first.id });
  assert.equal((await json('session list alice')).length, before.length - 1);
  await json('session end --user alice');
  assert.equal((await json('session list alice')).length, 0);
  for (const token of tokens) assert.equal((await call(url, '/auth/me', { token })).status, 401);
});

test('a disabled user is out at once, and comes back with the password they had', async () => {
  const token = await signIn(url, 'alice', password);
  await json('user disable alice');
  assert.equal((await call(url, '/auth/me', { token })).status, 401);
  assert.equal((await call(url, '/auth/login', { body: { username: 'alice', password } })).status, 401);
  assert.match((await run('user list')).out, /^alice .*disabled/m);
  await json('user enable alice');
  await signIn(url, 'alice', password);
});

test('a new password ends the sessions; a generated one is shown once and works', async () => {
  const token = await signIn(url, 'alice', password);
  const { password: fresh } = await json('user passwd alice --generate');
  assert.equal((await call(url, '/auth/me', { token })).status, 401);
  await signIn(url, 'alice', fresh);
});

test('the audit log knows that it was the operator', async () => {
  const { audience } = await call(url, '/auth/.well-known/openid-configuration').then(({ body }) => ({
    audience: (body as unknown as { issuer: string }).issuer,
  }));
  const { body } = await call(url, '/auth/login', {
    body: { username: 'admin', password: 'a long first password', audience },
  });
  const rows = await call(url, '/auth/admin/audit?limit=100', { token: body.access_token });
  const actors = new Set(rows.body.items.map((row) => row.actor));
  assert.ok(actors.has('operator'), [...actors].join());
});

test('what cannot be done is one line and a hint, with the name that was meant', async () => {
  const cases: readonly (readonly [string, string | undefined, RegExp])[] = [
    ['user show alcie', undefined, /^latchkey: there is no user alcie\nhint: did you mean alice\?\n$/],
    [
      'role permissions raeder x',
      undefined,
      /^latchkey: there is no role raeder\nhint: did you mean reader\?\n$/,
    ],
    ['user add bob --password-stdin', 'short\n', /^latchkey: user bob: .*15.*\n$/],
    ['user add alice --password-stdin', `${password}\n`, /^latchkey: user alice: .*\n$/],
    ['user add bob --role nobody --password-stdin', `${password}\n`, /^latchkey: user bob: .*\n$/],
    ['user add bob', '', /^latchkey: there is no terminal .*\nhint: .*--password-stdin\n$/],
    ['user add bob --password-stdin', '\n', /^latchkey: standard input holds no password\n$/],
    ['session end', undefined, /^latchkey: name one session, or a user with --user\nhint: /],
    [`session end ${'x'.repeat(22)}`, undefined, /^latchkey: session x+: .*\n$/],
  ];
  for (const [args, input, wanted] of cases) {
    const { code, err, out } = await run(args, input);
    assert.match(err, wanted, args);
    assert.deepEqual([code !== 0, out], [true, ''], args);
  }
});
