import assert from 'node:assert/strict';
import { createSecretKey, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { exportPublicJwk, generateKeyPair } from '../jwk.ts';
import { hmacKey, keySet } from '../keys.ts';
import { allowPlainPrivateAddress, readOptions, type VerifierOptions } from './options.ts';

const good: VerifierOptions = { issuer: 'https://id.example.com/auth', audience: 'https://api.example.com' };
const { signingKey } = generateKeyPair('ES256');
const jwks = { keys: [exportPublicJwk(signingKey)] };

test('an issuer is https or loopback', () => {
  for (const issuer of [
    'https://id.example.com',
    'http://127.0.0.1:4000/auth',
    'http://[::1]:4000',
    'http://localhost',
    'http://id.localhost:80/auth',
  ]) {
    assert.equal(readOptions({ ...good, issuer }).issuer, issuer);
  }
  const bad = [
    'http://id.example.com',
    'http://10.0.0.1',
    'http://127.0.0.1.example.com',
    'http://localhost.example.com',
    'http://0.0.0.0',
  ];
  bad.push(
    'ftp://localhost',
    'https://user:pw@id.example.com',
    'https://id.example.com/?a',
    'https://id.example.com/#a',
    'id.example.com',
    '',
  );
  for (const issuer of bad) assert.throws(() => readOptions({ ...good, issuer }), TypeError, issuer);
});

test('plain http to a private address of the issuer needs the option that is named by a symbol', () => {
  const hosts = [
    'http://10.1.2.3:4000/auth',
    'http://192.168.0.2',
    'http://172.31.0.1',
    'http://[fd00::1]',
    'http://auth:4000',
    'http://auth.internal',
  ];
  for (const issuerAddress of hosts) {
    assert.throws(() => readOptions({ ...good, issuerAddress }), TypeError, issuerAddress);
    assert.equal(
      readOptions({ ...good, issuerAddress, [allowPlainPrivateAddress]: true }).address,
      issuerAddress,
    );
  }
  for (const issuerAddress of [
    'http://8.8.8.8',
    'http://169.254.169.254',
    'http://172.32.0.1',
    'http://auth.example.com',
    'http://[2001:db8::1]',
  ]) {
    assert.throws(
      () => readOptions({ ...good, issuerAddress, [allowPlainPrivateAddress]: true }),
      TypeError,
      issuerAddress,
    );
  }
  assert.equal(
    readOptions({ ...good, issuerAddress: 'http://127.0.0.1:4000/auth' }).address,
    'http://127.0.0.1:4000/auth',
  );
});

test('all faults at once, and no option that is none', () => {
  const faulty = {
    issuer: 'http://x.example',
    audience: [],
    clockTolerance: -1,
    maxTokenLife: 1,
    signals: 'maybe',
    issuers: 1,
    fetch: 1,
  };
  assert.throws(
    () => readOptions(faulty as never),
    ({ message }: Error) => {
      for (const word of [
        'issuer ',
        'audience',
        'clockTolerance',
        'maxTokenLife',
        'signals',
        'issuers',
        'fetch',
      ]) {
        assert.ok(message.includes(word), `${word} in ${message}`);
      }
      return true;
    },
  );
  assert.throws(() => readOptions(undefined as never), TypeError);
});

test('fixed keys: no address, no signals, no state file, and at least one key', () => {
  assert.equal(readOptions({ ...good, jwks }).fixedKeys?.size, 1);
  assert.equal(readOptions({ ...good, jwks }).signals, 'off');
  assert.throws(() => readOptions({ ...good, jwks, issuerAddress: 'https://x.example' }), TypeError);
  assert.throws(() => readOptions({ ...good, jwks, signals: 'stream' }), TypeError);
  assert.throws(() => readOptions({ ...good, jwks, signals: 'poll' }), TypeError);
  assert.throws(() => readOptions({ ...good, jwks, signalsAddress: 'https://x.example' }), TypeError);
  assert.throws(() => readOptions({ ...good, jwks, client: { id: 'x', secret: 'y' } }), TypeError);
  assert.throws(() => readOptions({ ...good, jwks, stateFile: '/tmp/x' }), TypeError);
  assert.throws(() => readOptions({ ...good, jwks: { keys: [] } }), TypeError);
  assert.throws(() => readOptions({ ...good, jwks, algorithms: ['RS256'] }), TypeError);
});

test('HS256 only with a key set made for it, and only when it is asked for', () => {
  const secret = keySet(hmacKey(createSecretKey(randomBytes(32)), 'h'));
  assert.throws(() => readOptions({ ...good, jwks: secret }), TypeError);
  assert.equal(readOptions({ ...good, jwks: secret, algorithms: ['HS256'] }).fixedKeys?.size, 1);
  assert.throws(() => readOptions({ ...good, algorithms: ['HS256'] }), TypeError);
  assert.throws(() => readOptions({ ...good, algorithms: ['none' as never] }), TypeError);
});

test('how signals are followed, and by whom', () => {
  const plain = readOptions(good);
  assert.deepEqual([plain.signals, plain.pollInterval, plain.client], ['stream', 2_000, undefined]);
  assert.equal(plain.signalsAddress, good.issuer);
  assert.match(plain.agent, /^latchkey-core\/\d+\.\d+\.\d+$/);
  const issuerAddress = 'http://127.0.0.1:4000/auth';
  assert.equal(readOptions({ ...good, issuerAddress }).signalsAddress, issuerAddress);
  const signalsAddress = 'http://127.0.0.1:4001/auth';
  assert.equal(readOptions({ ...good, issuerAddress, signalsAddress }).signalsAddress, signalsAddress);
  assert.equal(readOptions({ ...good, signals: 'poll', pollInterval: 500 }).pollInterval, 500);
  const bad: Partial<VerifierOptions>[] = [
    { pollInterval: 499 },
    { pollInterval: 60_001 },
    { signalsAddress: 'http://auth:4001' },
    { signalsAddress: 'http://8.8.8.8' },
    { agent: '' },
    { agent: 'a\r\nb: c' },
    { client: { id: '', secret: 'x' } },
    { client: { id: 'x', secret: 'ä' } },
    { client: { id: 'x' } as never },
    { client: null as never },
    { signals: 'off', client: { id: 'x', secret: 'y' } },
    { signals: 'off', signalsAddress },
  ];
  for (const options of bad)
    assert.throws(() => readOptions({ ...good, ...options }), TypeError, JSON.stringify(options));
});
