// L05: the limit holds at the front door and is missing at a side door (CVE-2024-32868, CVE-2025-64102). Every call that checks
// a password is in this table; each is driven past the limit, and they all draw on the same counter.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, startAuthServer, type TestAuthServer, userPassword } from '../support/auth_server.ts';

const limit = 4;
let server: TestAuthServer;
before(async () => {
  server = await startAuthServer({ limits: { attemptsPerAccountAndAddress: limit } });
});
after(() => server.close());

type Check = (username: string, token: string, password: string) => Promise<Answer>;
const checks: Readonly<Record<string, Check>> = {
  'POST /auth/login': (username, _token, password) =>
    server.call('POST', '/auth/login', { body: { username, password } }),
  'POST /auth/login by cookie': (username, _token, password) =>
    server.call('POST', '/auth/login', {
      body: { username, password, cookie: true },
      headers: { 'x-latchkey': '1', 'sec-fetch-site': 'same-origin' },
    }),
  'POST /auth/login for the administration': (username, _token, password) =>
    server.call('POST', '/auth/login', { body: { username, password, audience: server.issuer } }),
  'POST /auth/me/password': (_username, token, password) =>
    server.call('POST', '/auth/me/password', {
      token,
      body: { current_password: password, new_password: 'another quiet brook' },
    }),
};

let made = 0;

test('nothing else in the API takes a password to check', async () => {
  const { text } = await server.call('GET', '/auth/openapi.json');
  const document = JSON.parse(text) as { paths: Record<string, Record<string, unknown>> };
  const taking = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) =>
        /"(current_)?password":/.test(
          JSON.stringify((operation as { requestBody?: unknown }).requestBody ?? {}),
        ),
      )
      .map(([method]) => `${method.toUpperCase()} ${path}`),
  );
  const setting = [
    'POST /auth/register',
    'POST /auth/admin/users',
    'PATCH /auth/admin/users/{id}',
    'PUT /auth/admin/users/{id}/password',
  ];
  const checking = taking.filter((call) => !setting.includes(call));
  assert.deepEqual(checking.sort(), ['POST /auth/login', 'POST /auth/me/password']);
});

for (const [name, check] of Object.entries(checks)) {
  test(`${name} is limited, and uses up the limit of the others`, async () => {
    const username = `ada${made++}`;
    await server.createUser(username);
    const { access_token: token } = await server.login(username, userPassword);
    for (let i = 0; i < limit; i += 1)
      assert.equal((await check(username, token, `a wrong password, number ${i}`)).status, 401);
    for (const [other, checkOther] of Object.entries(checks))
      assert.equal((await checkOther(username, token, userPassword)).status, 429, `${other} after ${name}`);
  });
}
