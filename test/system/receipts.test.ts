// Receipts over the wire: every call that revokes answers, when it is asked to wait, who enforces the change and who does not yet.
// Two verifiers are real and in the fleet, a third is in the fleet and says nothing. Every answer is judged by the OpenAPI document.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createVerifier, type Verifier } from '@latchkey/core/verifier';
import {
  type CallOptions,
  startAuthServer,
  type TestAuthServer,
  userPassword,
} from '../support/auth_server.ts';
import { until } from '../support/issuer.ts';
import { type AnswerJudge, createAnswerJudge, type OpenApiDocument } from '../support/openapi.ts';

interface Receipt {
  readonly seq: number;
  readonly applied: readonly { readonly name: string; readonly instance: string }[];
  readonly pending: readonly { readonly name: string; readonly instance: string; readonly safe_at: string }[];
}

let server: TestAuthServer;
let document: OpenApiDocument;
let judge: AnswerJudge;
let verifiers: Verifier[];
let credential: { readonly id: string; readonly secret: string };
const opened: { close(): unknown }[] = [];

before(async () => {
  server = await startAuthServer();
  document = (await server.call('GET', '/auth/openapi.json')).body as unknown as OpenApiDocument;
  judge = createAnswerJudge(document);
  const made = await server.operator('POST', '/auth/admin/clients', {
    name: 'records',
    scopes: ['revocation'],
  });
  credential = { id: made.body.id, secret: made.body.secret };
  verifiers = [registered(), registered()];
  await Promise.all(verifiers.map((verifier) => verifier.ready()));
  await until(
    () => verifiers.every((verifier) => verifier.status().signals?.acknowledged !== undefined),
    'both are in the fleet',
  );
});
after(async () => {
  for (const one of opened) await one.close();
  await server.close();
});

function registered(): Verifier {
  const verifier = createVerifier({
    issuer: server.issuer,
    audience: server.audience,
    issuerAddress: `${server.url}/auth`,
    client: credential,
  });
  opened.push(verifier);
  return verifier;
}

const basic = () => ({
  authorization: `Basic ${Buffer.from(`${credential.id}:${credential.secret}`).toString('base64')}`,
});

async function call(status: number, method: string, path: string, options: CallOptions = {}) {
  const answer = await server.call(method, path, options);
  judge.check(method, path, answer);
  assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
  return answer.body as unknown as Receipt & {
    readonly receipt: Receipt | undefined;
    readonly id: string;
    readonly reason: string;
    readonly items: readonly { readonly kid: string; readonly state: string }[];
  };
}

let made = 0;
async function signedIn() {
  const user = await server.createUser(`person${made++}`, { roles: [] });
  return { user, ...(await server.login(user.username, userPassword)) };
}
type SignedIn = Awaited<ReturnType<typeof signedIn>>;

const jtiOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).jti;
const wait = '?wait=applied&timeout=30';
const asAdmin = () => ({ token: server.adminToken });

/** Every call that revokes, as the document names it; the token of `person` is dead or stale after it, unless another is named. */
const revoking: Readonly<
  Record<string, (person: SignedIn) => Promise<{ readonly receipt: unknown; readonly dead?: 'nobody' }>>
> = {
  'POST /auth/logout': async ({ access_token: token }) => ({
    receipt: await call(200, 'POST', `/auth/logout${wait}`, { token }),
  }),
  'POST /auth/logout/all': async ({ access_token: token }) => ({
    receipt: await call(200, 'POST', `/auth/logout/all${wait}`, { token }),
  }),
  'POST /auth/me/password': async ({ access_token: token }) => {
    const body = { current_password: userPassword, new_password: 'meadow larks at seven' };
    return await call(200, 'POST', `/auth/me/password${wait}`, { token, body });
  },
  'DELETE /auth/me/sessions/{sid}': async ({ access_token: token, session_id: sid }) => ({
    receipt: await call(200, 'DELETE', `/auth/me/sessions/${sid}${wait}`, { token }),
  }),
  'POST /auth/revoke': async ({ access_token: token }) => ({
    receipt: await call(200, 'POST', `/auth/revoke${wait}`, { form: { token }, headers: basic() }),
  }),
  'PATCH /auth/admin/users/{id}': async ({ user }) =>
    await call(200, 'PATCH', `/auth/admin/users/${user.id}${wait}`, {
      ...asAdmin(),
      body: { disabled: true },
    }),
  'DELETE /auth/admin/users/{id}': async ({ user }) => ({
    receipt: await call(200, 'DELETE', `/auth/admin/users/${user.id}${wait}`, asAdmin()),
  }),
  'PUT /auth/admin/users/{id}/roles': async ({ user }) => {
    const body = { roles: ['administrator'] };
    return await call(200, 'PUT', `/auth/admin/users/${user.id}/roles${wait}`, { ...asAdmin(), body });
  },
  'PUT /auth/admin/users/{id}/password': async ({ user }) => {
    const body = { password: 'meadow larks at seven' };
    const path = `/auth/admin/users/${user.id}/password${wait}`;
    return { receipt: await call(200, 'PUT', path, { ...asAdmin(), body }) };
  },
  'PATCH /auth/admin/roles/{name}': async () => {
    await server.createRole('loser', ['a:read', 'b:read']);
    const body = { permissions: ['a:read'] };
    const answer = await call(200, 'PATCH', `/auth/admin/roles/loser${wait}&refresh=true`, {
      ...asAdmin(),
      body,
    });
    return { ...answer, dead: 'nobody' };
  },
  'DELETE /auth/admin/roles/{name}': async () => ({
    receipt: await call(200, 'DELETE', `/auth/admin/roles/loser${wait}`, asAdmin()),
    dead: 'nobody',
  }),
  'DELETE /auth/admin/users/{id}/sessions': async ({ user }) => ({
    receipt: await call(200, 'DELETE', `/auth/admin/users/${user.id}/sessions${wait}`, asAdmin()),
  }),
  'DELETE /auth/admin/sessions/{sid}': async ({ session_id: sid }) => ({
    receipt: await call(200, 'DELETE', `/auth/admin/sessions/${sid}${wait}`, asAdmin()),
  }),
  'DELETE /auth/admin/tokens/{jti}': async ({ access_token: token }) => ({
    receipt: await call(200, 'DELETE', `/auth/admin/tokens/${jtiOf(token)}${wait}`, asAdmin()),
  }),
  'POST /auth/admin/keys/rotate': async () => {
    const options = { ...asAdmin(), body: {} };
    return { ...(await call(200, 'POST', `/auth/admin/keys/rotate${wait}`, options)), dead: 'nobody' };
  },
  'DELETE /auth/admin/clients/{id}': async () => {
    const other = await server.operator('POST', '/auth/admin/clients', { name: 'other' });
    const path = `/auth/admin/clients/${other.body.id}${wait}`;
    return { receipt: await call(200, 'DELETE', path, asAdmin()), dead: 'nobody' };
  },
  // Last: it takes the administrator's token with it.
  'DELETE /auth/admin/keys/{kid}': async () => {
    const { items } = await call(200, 'GET', '/auth/admin/keys', asAdmin());
    const kid = items.find(({ state }) => state === 'previous')?.kid;
    return {
      receipt: await call(200, 'DELETE', `/auth/admin/keys/${kid}${wait}`, asAdmin()),
      dead: 'nobody',
    };
  },
};

test('calls that revoke take the parameters and name the receipt among their answers, all others do not', () => {
  const takesWait = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([, operation]) => operation.parameters?.some(({ name }) => name === 'wait'))
      .map(([verb]) => `${verb.toUpperCase()} ${path}`),
  );
  assert.deepEqual(takesWait.sort(), Object.keys(revoking).sort());
});

test('anything but applied and 1 to 30 seconds is refused, and nothing is changed by it', async () => {
  const { session_id: sid, access_token: token } = await signedIn();
  for (const query of [
    'wait=',
    'wait=true',
    'wait=applied&wait=applied',
    'wait=applied&timeout=0',
    'wait=applied&timeout=31',
    'wait=applied&timeout=1.5',
    'wait=applied&timeout=-1',
    'wait=applied&timeout=x',
    'timeout=5',
    'wait=applied&more=1',
  ])
    await call(400, 'DELETE', `/auth/admin/sessions/${sid}?${query}`, asAdmin());
  await call(400, 'GET', '/auth/admin/users?wait=applied', asAdmin());
  await call(200, 'GET', '/auth/me', { token });
});

test('the parameters cost nothing where they are not given: the answers are what they were', async () => {
  const { access_token: token } = await signedIn();
  await call(200, 'POST', '/auth/revoke', { form: { token }, headers: basic() });
  const { user } = await signedIn();
  const answer = await call(200, 'PATCH', `/auth/admin/users/${user.id}`, { ...asAdmin(), body: {} });
  assert.ok(!('receipt' in answer));
  await call(204, 'DELETE', `/auth/admin/users/${user.id}`, asAdmin());
});

test('a stranger who signs out with a made-up token learns nothing of the fleet, and waits for nobody', async () => {
  const answer = await server.call('POST', `/auth/logout${wait}`, { body: { refresh_token: 'lkr_made-up' } });
  judge.check('POST', '/auth/logout', answer);
  assert.deepEqual([answer.status, answer.text], [204, '']);
});

test('a verifier that says nothing is named when the time is over, with the moment from which it is safe', async () => {
  const closed = new AbortController();
  const headers = { ...basic(), 'latchkey-instance': 'silent-one' };
  await fetch(`${server.url}/auth/signals`, { headers, signal: closed.signal });
  const before = Date.now();
  const { session_id: sid } = await signedIn();
  const { applied, pending } = await call(
    200,
    'DELETE',
    `/auth/admin/sessions/${sid}?wait=applied&timeout=1`,
    asAdmin(),
  );
  assert.equal(applied.length, 2);
  assert.deepEqual(
    pending.map(({ name, instance }) => [name, instance]),
    [['records', 'silent-one']],
  );
  const safe = Date.parse(pending[0]?.safe_at ?? '');
  assert.ok(safe >= before + 300_000 && safe <= Date.now() + 300_000, pending[0]?.safe_at);
  // A process that ends in order says so, and nobody has to wait for it any more.
  const body = { instance: 'silent-one', epoch: 'any', seq: 0, leaving: true };
  await call(204, 'POST', '/auth/signals/applied', { body, headers: basic() });
  closed.abort();
});

for (const [name, revoke] of Object.entries(revoking)) {
  test(`${name}: when the receipt says applied, every verifier refuses`, async () => {
    const person = await signedIn();
    for (const verifier of verifiers) verifier.verifySync(person.access_token);
    const { receipt, dead } = (await revoke(person)) as { receipt: Receipt; dead?: 'nobody' };
    // At once, without waiting for anything: this is what a receipt means.
    if (dead === undefined)
      for (const verifier of verifiers)
        assert.throws(() => verifier.verifySync(person.access_token), /a mark says/, name);
    const instances = verifiers.map((verifier) => verifier.status().instance).sort();
    assert.deepEqual(receipt.applied.map(({ instance }) => instance).sort(), instances);
    assert.deepEqual(receipt.pending, []);
    for (const verifier of verifiers) assert.ok((verifier.status().signals?.seq ?? 0) >= receipt.seq);
  });
}

test('every receipt was judged by the document', () => {
  const missing = Object.keys(revoking).filter((name) => !judge.succeeded.has(name));
  assert.deepEqual(missing, []);
});
