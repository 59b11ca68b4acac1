import assert from 'node:assert/strict';
import test from 'node:test';
import { mergeSettings } from './merge.ts';

test('a flag goes before the environment, the environment before the file', () => {
  const file = { port: 1000, authPort: 1001, internalPort: 1002 };
  const environment = { LATCHKEY_PORT: '2000', LATCHKEY_AUTH_PORT: '2001' };
  const { values, sources, faults } = mergeSettings({ file, environment, flags: { port: '3000' } });
  assert.deepEqual(faults, []);
  assert.deepEqual(
    ['port', 'authPort', 'internalPort'].map((name) => values.get(name)),
    [3000, 2001, 1002],
  );
  assert.deepEqual(
    ['port', 'authPort', 'internalPort'].map((name) => sources.get(name)),
    ['flag', 'environment', 'file'],
  );
});

test('every fault is told at once, with the name that was meant', () => {
  const { faults } = mergeSettings({
    file: { prot: 80, tls: 'cert.pem', passwords: { memroy: 1 }, accessTokenLife: '5 minutes' },
    environment: {
      LATCHKEY_PROT: '80',
      LATCHKEY_REFRESH_GRACE: '90',
      PORT: 'x',
      LATCHKEY_SERVICE_HOST: '10.0.0.1',
    },
    flags: { port: 'eighty' },
  });
  assert.equal(faults.length, 7);
  const all = faults.join('\n');
  for (const wanted of [
    /^LATCHKEY_PROT: .*LATCHKEY_PORT\?$/m,
    /^prot: there is no such setting, did you mean port\?$/m,
    /^tls: expected an object$/m,
    /^passwords\.memroy: .*passwords\.memory\?$/m,
    /^accessTokenLife: .*not '5 minutes'$/m,
    /^LATCHKEY_REFRESH_GRACE: .*not '90'$/m,
    /^--port: .*not 'eighty'$/m,
  ]) {
    assert.match(all, wanted);
  }
});

test('a secret is never repeated, and some are refused in a file', () => {
  const { faults, values } = mergeSettings({
    file: { masterKey: 'file-secret', admin: { password: 'file-password' } },
    environment: { LATCHKEY_ADMIN_PASSWORD: 'from-environment' },
  });
  assert.equal(faults.length, 2);
  assert.doesNotMatch(faults.join(), /file-secret|file-password/);
  assert.equal(values.get('admin.password'), 'from-environment');
  assert.equal(values.has('masterKey'), false);
});

test('an empty variable counts as none', () => {
  const { values, faults } = mergeSettings({ environment: { LATCHKEY_PORT: '', LATCHKEY_AUDIENCE: '' } });
  assert.deepEqual([faults, values.size], [[], 0]);
});

test('names from Object.prototype are no settings', () => {
  const file = JSON.parse('{"constructor":{"x":1},"__proto__":{"port":1}}') as Record<string, unknown>;
  const { faults, values } = mergeSettings({ file, environment: {} });
  assert.equal(faults.length, 2);
  assert.equal(values.size, 0);
});
