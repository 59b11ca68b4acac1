import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type AuthServerOptions,
  ConfigurationError,
  checkAuthServerOptions,
  settingsFrom,
} from './options.ts';

const good: AuthServerOptions = { issuer: 'https://id.example.com/auth', dataDir: './data' };
const faults = (changes: Partial<Record<keyof AuthServerOptions, unknown>>) =>
  checkAuthServerOptions({ ...good, ...changes } as AuthServerOptions);

test('an issuer and a directory are enough', () => {
  assert.deepEqual(checkAuthServerOptions(good), []);
  const settings = settingsFrom(good);
  assert.deepEqual(
    [settings.audience, settings.accessTokenLife, settings.refreshGrace, settings.passwords.minLength],
    ['https://id.example.com', 300, 10_000, 15],
  );
});

test('the issuer: https, or http on loopback, and nothing that could differ between two spellings of it', () => {
  for (const issuer of [
    'http://127.0.0.1:8080/auth',
    'http://localhost/auth',
    'http://[::1]:9/auth',
    'http://a.localhost/auth',
  ])
    assert.deepEqual(faults({ issuer }), [], issuer);
  for (const issuer of [
    '',
    'id.example.com/auth',
    'http://id.example.com/auth',
    'http://127.0.0.1.evil.example/auth',
    'http://localhost.evil.example/auth',
    'ftp://id.example.com/auth',
    'https://id.example.com/auth?x=1',
    'https://id.example.com/auth#x',
    'https://me@id.example.com/auth',
    'https://:secret@id.example.com/auth',
    'https://id.example.com/auth/',
    'https://id.example.com/',
  ])
    assert.equal(faults({ issuer }).length, 1, issuer);
});

test('numbers: whole, and within what is safe', () => {
  const wrong: readonly Partial<Record<keyof AuthServerOptions, unknown>>[] = [
    { accessTokenLife: 29 },
    { accessTokenLife: 3601 },
    { accessTokenLife: 60.5 },
    { accessTokenLife: '300' },
    { accessTokenLife: Number.NaN },
    { refreshGrace: -1 },
    { refreshGrace: 61 },
    { passwords: { minLength: 7 } },
    { passwords: { memory: 1024 } },
    { passwords: { iterations: 0 } },
    { limits: { attemptsPerAccount: 0 } },
    { sessionIdle: 7200, sessionMax: 3600 },
  ];
  for (const changes of wrong) assert.equal(faults(changes).length, 1, JSON.stringify(changes));
  assert.deepEqual(faults({ refreshGrace: 0, accessTokenLife: 30, passwords: { minLength: 8 } }), []);
});

test('what would be dangerous is refused: a weak master key, HMAC, plain HTTP to the world, loose origins', () => {
  const wrong: readonly Partial<Record<keyof AuthServerOptions, unknown>>[] = [
    { masterKey: 'short' },
    { masterKey: '' },
    { algorithm: 'HS256' },
    { algorithm: 'none' },
    { listen: { host: '0.0.0.0', port: 80 } },
    { listen: { host: '::', port: 80 }, trustedProxies: [] },
    { origins: ['*'] },
    { origins: ['https://app.example.com/'] },
    { origins: ['http://app.example.com'] },
    { origins: ['null'] },
    { admin: { username: 'not a name' } },
    { dataDir: '' },
  ];
  for (const changes of wrong) assert.equal(faults(changes).length, 1, JSON.stringify(changes));
  assert.deepEqual(faults({ listen: { host: '0.0.0.0', port: 80 }, trustedProxies: ['10.0.0.0/8'] }), []);
});

test('signals: who may read them; the internal port is there when they are kept inside', () => {
  const internal = { host: '127.0.0.1', port: 0 };
  assert.equal(settingsFrom(good).signalsAccess, 'public');
  for (const access of ['public', 'registered', 'internal'] as const)
    assert.deepEqual(faults({ signals: { access }, internal }), [], access);
  assert.deepEqual(faults({ signals: {} }), []);
  assert.match(faults({ signals: { access: 'internal' } }).join(), /internal listener must be given/);
  assert.match(faults({ signals: { access: 'everyone' } }).join(), /public, registered or internal/);
});

test('all faults are said at once, and a secret among them is not repeated', () => {
  const broken = { ...good, issuer: 'http://x', dataDir: '', refreshGrace: 99, masterKey: 'my-short-secret' };
  assert.throws(
    () => settingsFrom(broken),
    (error) =>
      error instanceof ConfigurationError &&
      error.faults.length === 4 &&
      !error.message.includes('my-short-secret'),
  );
});

test('ordinary tokens are not for the administration', () => {
  assert.match(faults({ audience: good.issuer }).join(), /must not be the issuer/);
  assert.match(faults({ audience: '' }).join(), /must not be empty/);
  assert.deepEqual(faults({ audience: 'https://api.example.com' }), []);
});

test('networks of receivers: each is one', () => {
  assert.deepEqual(faults({ receiverNetworks: ['10.1.0.0/16', 'fd00::/8', '10.2.3.4'] }), []);
  assert.equal(faults({ receiverNetworks: ['10.1.0.0/33', 'intranet'] }).length, 2);
});
