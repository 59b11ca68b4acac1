// The page as it is served, and the manifest as the starter and the gateway read it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { checkGatewayOptions } from '@latchkey/gateway';
import example from '../../examples/hospital/latchkey.example.ts';
import { type Hospital, startHospital } from './hospital_fixture.ts';

let hospital: Hospital;
before(async () => {
  hospital = await startHospital();
});
after(() => hospital.close());

/** Every file that the page loads, followed from its first one. */
async function files(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const follow = async (path: string): Promise<void> => {
    if (found.has(path)) return;
    const { status, text, headers } = await hospital.call('records', path);
    assert.equal(status, 200, path);
    assert.match(headers.get('content-security-policy') ?? '', /^default-src 'self';.*trusted-types 'none'$/);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    found.set(path, text);
    const links =
      path === '/' ? text.matchAll(/(?:src|href)="(\/[^"]+)"/g) : text.matchAll(/from '([./][^']+\.js)'/g);
    for (const [, link = ''] of links) await follow(new URL(link, `http://page${path}`).pathname);
  };
  await follow('/');
  return found;
}

test('everything that the page loads is there, under a strict policy and from its own origin', async () => {
  const found = await files();
  for (const path of ['/app.js', '/cheat.js', '/attempts.js', '/base.css', '/latchkey-client/client.js']) {
    assert.ok(found.has(path), `${path} among ${[...found.keys()].join(' ')}`);
  }
  const html = found.get('/') ?? '';
  assert.ok(!/<style|style=|<script(?![^>]*src=)|\son\w+=/.test(html), 'nothing inline');
  for (const [path, text] of found)
    assert.ok(!/https?:\/\/(?!www\.w3\.org)/.test(text), `${path} names another origin`);
});

test('the client reaches the browser without types, and is a module that runs', async () => {
  const { text } = await hospital.call('records', '/latchkey-client/claims.js');
  assert.ok(!/\binterface\b|: string\b/.test(text.replaceAll(/\/\/.*|\/\*[\s\S]*?\*\//g, '')));
  const module = await import(`data:text/javascript,${encodeURIComponent(text)}`);
  assert.equal(module.scopeIncludes({ scope: 'records:read x' }, 'records:read'), true);
});

test('a known file is not sent again, and tests and sources are not served', async () => {
  const etag = (await hospital.call('records', '/app.js')).headers.get('etag') ?? '';
  const again = await hospital.call('records', '/app.js', { headers: { 'if-none-match': etag } });
  assert.deepEqual([again.status, again.text], [304, '']);
  for (const path of [
    '/latchkey-client/client.test.js',
    '/latchkey-client/client.ts',
    '/latchkey-client/',
    '/main.ts',
  ]) {
    assert.equal((await hospital.call('records', path)).status, 404, path);
  }
});

test('the sample people of the form are those of the manifest', async () => {
  const { people } = (await import(pathToFileURL('examples/hospital/web/people.js').href)) as {
    people: { username: string; role: string }[];
  };
  assert.deepEqual(
    people.map(({ username, role }) => [username, role.toLowerCase()]),
    example.people.map(({ username, roles }) => [username, roles[0]]),
  );
});

test('the manifest’s routes are routes for the gateway, its names are names for the auth server', () => {
  const routes = example.routes({ records: 'http://127.0.0.1:4101', appointments: 'http://127.0.0.1:4102' });
  const audience = 'http://127.0.0.1:8080';
  const options = { routes, issuer: `${audience}/auth`, audience, authUpstream: 'http://127.0.0.1:4000' };
  assert.deepEqual(checkGatewayOptions(options), []);
  const names = [...example.people.map(({ username }) => username), ...example.roles.map(({ name }) => name)];
  for (const name of [...names, ...example.roles.flatMap(({ permissions }) => [...permissions])]) {
    assert.match(name, /^[a-z0-9][a-z0-9._:-]{0,63}$/);
  }
});
