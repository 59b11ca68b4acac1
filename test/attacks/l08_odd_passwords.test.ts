// L08: passwords that systems cut, change or choke on: NUL, the 73rd byte of bcrypt, composed and decomposed letters, emoji,
// spaces at the ends, a thousand characters, a megabyte (ASVS 6.2.5, 6.2.8, 6.2.9).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startAuthServer, type TestAuthServer } from '../support/auth_server.ts';

let server: TestAuthServer;
let made = 0;
before(async () => {
  server = await startAuthServer();
});
after(() => server.close());

const statusOf = async (username: string, password: string) =>
  (await server.call('POST', '/auth/login', { body: { username, password } })).status;

/** [what, the password, spellings that must work too, near misses that must not] */
const cases: readonly [string, string, readonly string[], readonly string[]][] = [
  ['a NUL inside', 'before and\0after it', [], ['before and', 'before and\0other!']],
  [
    'more than 72 bytes',
    `${'different words '.repeat(5)}end A`,
    [],
    [`${'different words '.repeat(5)}end B`],
  ],
  [
    '1,024 characters',
    `${'many different words '.repeat(60)}`.slice(0, 1024),
    [],
    [`${'many different words '.repeat(60)}`.slice(0, 1023)],
  ],
  [
    'composed letters',
    'Gr\u00fc\u00dfe aus K\u00f6ln am Rhein',
    ['Gru\u0308\u00dfe aus Ko\u0308ln am Rhein'],
    ['Grusse aus Koln am Rhein'],
  ],
  ['full-width letters', '\uff51uiet brook over stones', ['quiet brook over stones'], []],
  [
    'spaces at both ends',
    '  a quiet brook over stones ',
    [],
    ['a quiet brook over stones', ' a quiet brook over stones '],
  ],
  ['emoji', '🔑🚪🏠🌳🌊🌙⭐🔥🍎🍋🍇🍒🥝🥑🌶', [], ['🔑🚪🏠🌳🌊🌙⭐🔥🍎🍋🍇🍒🥝🥑🌽']],
  ['capitals', 'A Quiet Brook Over Stones', [], ['a quiet brook over stones']],
  ['other scripts', 'тихий ручей над камнями', [], ['тихии ручей над камнями']],
];

for (const [what, password, spellings, misses] of cases) {
  test(`${what}: every character counts`, async () => {
    const username = `odd${made++}`;
    await server.createUser(username, { password });
    for (const same of [password, ...spellings]) assert.equal(await statusOf(username, same), 200);
    for (const other of misses) assert.equal(await statusOf(username, other), 401, JSON.stringify(other));
  });
}

test('too long to be a password: refused at setting, no more than wrong at sign-in, and a megabyte is not read', async () => {
  const long = 'many different words '.repeat(60).slice(0, 1025);
  const body = { username: 'toolong', password: long };
  const set = await server.call('POST', '/auth/admin/users', { token: server.adminToken, body });
  assert.deepEqual([set.status, set.body.error], [400, 'weak_password']);
  assert.equal(await statusOf('admin', long), 401);
  assert.equal(await statusOf('admin', 'x'.repeat(5000)), 400);
  assert.equal(await statusOf('admin', 'x'.repeat(1_000_000)), 413);
});

test('half a surrogate pair, which no encoder agrees on, is refused as a request', async () => {
  for (const text of ['"\\ud83d and fifteen more"', '"and fifteen more \\udd11"']) {
    const answer = await server.call('POST', '/auth/login', {
      body: `{"username":"admin","password":${text}}`,
    });
    assert.equal(answer.status, 400);
  }
});
