// Thirty browsers of three tabs each over half a moved hour, with delays, lost answers and sleep: nobody is signed out, and no
// session has two branches. 2,000 browsers over two hours: bench/proofs/tabs_model.ts.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { adminPassword, startAuthServer, type TestAuthServer } from '../support/auth_server.ts';
import { type ModelOptions, runBrowserModel, seededRandom } from '../support/browser_model.ts';
import { movedClock } from '../support/clock.ts';

const browser = { 'x-latchkey': '1', 'sec-fetch-site': 'same-origin' };
const clock = movedClock();
let server: TestAuthServer;
before(async () => {
  server = await startAuthServer({ now: clock.now });
});
after(() => server.close());

const cookieOf = (headers: Headers) =>
  headers
    .getSetCookie()
    .find((cookie) => cookie.startsWith('__Host-latchkey-refresh='))
    ?.split(';')[0];

const model = (changes: Partial<ModelOptions> = {}) =>
  runBrowserModel({
    browsers: 30,
    tabs: 3,
    duration: 1800,
    tokenLife: 300,
    lost: 0.03,
    maxDelay: 8,
    random: seededRandom(20_26),
    move: clock.move,
    async signIn() {
      const body = { username: 'admin', password: adminPassword, cookie: true };
      const answer = await server.call('POST', '/auth/login', { body, headers: browser });
      return cookieOf(answer.headers) ?? '';
    },
    async refresh(cookie, key) {
      const answer = await server.call('POST', '/auth/token', {
        form: { grant_type: 'refresh_token' },
        headers: { ...browser, cookie, 'idempotency-key': key },
      });
      return answer.status === 200
        ? { cookie: cookieOf(answer.headers) }
        : { refused: answer.body.reason ?? answer.text };
    },
    ...changes,
  });

test('nobody is signed out, and there is one branch', async () => {
  const result = await model();
  assert.deepEqual([result.signedOut, result.forks], [{}, 0]);
  assert.ok(result.refreshes > 400 && result.lost > 10 && result.behind > 30, JSON.stringify(result));
});

test('the model can tell: without a key that the tabs share, lost answers do sign people out', async () => {
  let keys = 0;
  const result = await model({
    lost: 0.2,
    refresh: async (cookie) => {
      const answer = await server.call('POST', '/auth/token', {
        form: { grant_type: 'refresh_token' },
        headers: { ...browser, cookie, 'idempotency-key': `another-every-time-${keys++}` },
      });
      return answer.status === 200 ? { cookie: cookieOf(answer.headers) } : { refused: answer.body.reason };
    },
  });
  assert.ok((result.signedOut['reuse'] ?? 0) > 0, JSON.stringify(result));
});
