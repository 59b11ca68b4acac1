import assert from 'node:assert/strict';
import { it } from 'node:test';
import { compiledRoutes, type Route } from './options.ts';
import { Refusal } from './refusals.ts';
import { compileRoutes, matchRoute } from './route.ts';

const route = (prefix: string, more: Partial<Route> = {}): Route => ({
  prefix,
  upstreams: ['http://127.0.0.1:1'],
  access: 'public',
  ...more,
});

function matcher(...routes: Route[]) {
  const table = compileRoutes(compiledRoutes({ routes }));
  return (path: string, { host = 'a.test', method = 'GET' } = {}) => {
    const found = matchRoute(table, host, path, method);
    return found instanceof Refusal ? found.status : found.id;
  };
}

it('takes the longest prefix, by whole segments', () => {
  const match = matcher(route('/'), route('/api'), route('/api/patients'));
  assert.equal(match('/api/patients'), '/api/patients');
  assert.equal(match('/api/patients/'), '/api/patients');
  assert.equal(match('/api/patients/1/records'), '/api/patients');
  assert.equal(match('/api/patientsx'), '/api');
  assert.equal(match('/apix'), '/');
  assert.equal(match('/'), '/');
});

it('answers 404 for what is not named', () => {
  const match = matcher(route('/api'));
  assert.equal(match('/'), 404);
  assert.equal(match('/ap'), 404);
});

it('prefers the host among equal prefixes, and a longer prefix to the host', () => {
  const match = matcher(
    route('/api'),
    route('/api', { host: 'B.test' }),
    route('/only', { host: 'b.test' }),
    route('/api/deep'),
  );
  assert.equal(match('/api/x', { host: 'b.test' }), 'B.test/api');
  assert.equal(match('/api/x'), '/api');
  assert.equal(match('/api/deep/x', { host: 'b.test' }), '/api/deep');
  assert.equal(match('/only'), 404);
  assert.equal(match('/only', { host: 'b.test' }), 'B.test/only'.toLowerCase());
});

it('does not fall back to another prefix or host for a method', () => {
  const match = matcher(
    route('/api'),
    route('/api/x', { methods: ['POST'] }),
    route('/h'),
    route('/h', { host: 'b.test', methods: ['GET'] }),
  );
  assert.equal(match('/api/x'), 405);
  assert.equal(match('/api/x', { method: 'POST' }), '/api/x');
  assert.equal(match('/h', { method: 'POST', host: 'b.test' }), 405);
});

it('gives HEAD to GET, unless it is named', () => {
  const match = matcher(
    route('/a', { methods: ['GET'] }),
    route('/b', { methods: ['GET'] }),
    route('/b', { id: 'own', methods: ['HEAD'] }),
  );
  assert.equal(match('/a', { method: 'HEAD' }), '/a');
  assert.equal(match('/b', { method: 'HEAD' }), 'own');
});

it('refuses a path that only case or width keeps from another route', () => {
  const match = matcher(route('/'), route('/admin'), route('/Mixed'));
  assert.equal(match('/ADMIN'), 400);
  assert.equal(match('/Admin/users'), 400);
  assert.equal(match('/%EF%BD%81dmin'), 400);
  assert.equal(match('/Administrator'), '/');
  assert.equal(match('/admin/Users'), '/admin');
  assert.equal(match('/Mixed/x'), '/Mixed');
  assert.equal(match('/mixed/X'), 400);
});
