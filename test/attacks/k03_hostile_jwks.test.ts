// K03: the key set's server is hostile or broken. Whatever it answers, the old set stays in use, memory stays bounded, the wait is
// bounded, and nothing but the issuer's own address is asked.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { exportPublicJwk, generateKeyPair } from '@latchkey/core';
import { createVerifier, type Verifier } from '@latchkey/core/verifier';
import { startIssuer, type TestIssuer, until } from '../support/issuer.ts';

const other = generateKeyPair('ES256');
const fresh = (): object => exportPublicJwk(generateKeyPair('ES256').signingKey);
const privateEc = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
const weakRsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

const sets: Readonly<Record<string, (own: object) => unknown>> = {
  'a private member': (own) => ({ keys: [own, { ...privateEc, kid: 'p', alg: 'ES256' }] }),
  'a symmetric key': (own) => ({ keys: [own, { kty: 'oct', kid: 's', k: 'AAAA', alg: 'HS256' }] }),
  'a duplicate kid': (own) => ({ keys: [own, { ...fresh(), kid: (own as { kid: string }).kid }] }),
  '10,000 keys': (own) => ({ keys: Array.from({ length: 10_000 }, () => own) }),
  'only a key for encryption': () => ({ keys: [{ ...fresh(), use: 'enc' }] }),
  'RSA of 1024 bits': (own) => ({ keys: [own, { ...weakRsa, kid: 'w', alg: 'RS256' }] }),
  'a point off the curve': (own) => ({ keys: [own, { ...fresh(), y: 'A'.repeat(43) }] }),
  'no keys': () => ({ keys: [] }),
  'an array': () => [],
  null: () => null,
};

/** A verifier that holds the good set, then is told to fetch again and is given `answer`. */
async function refused(
  name: string,
  answer: (issuer: TestIssuer, response: ServerResponse) => void,
): Promise<void> {
  const issuer = await startIssuer();
  const verifier = createVerifier({ issuer: issuer.issuer, audience: issuer.audience });
  try {
    await verifier.ready();
    await until(() => issuer.open === 1, 'the stream is open');
    issuer.answers.jwks = (_request, response) => answer(issuer, response);
    issuer.announceKeys();
    await until(() => {
      const { jwksFetches, lastFault, keys } = verifier.status();
      return jwksFetches === 2 && (lastFault !== undefined || keys[0] !== issuer.key.kid);
    }, name);
    assertOldSet(verifier, issuer, name);
  } finally {
    verifier.close();
    await issuer.close();
  }
}

function assertOldSet(verifier: Verifier, issuer: TestIssuer, name: string): void {
  assert.deepEqual(verifier.status().keys, [issuer.key.kid], name);
  assert.ok(verifier.verifySync(issuer.token()), name);
  assert.throws(() => verifier.verifySync(issuer.token({}, other.signingKey)), { code: 'unknown_key' }, name);
}

test('a key set with anything wrong in it is refused as a whole and the old one stays', async () => {
  for (const [name, make] of Object.entries(sets)) {
    await refused(name, (issuer, response) => json(response, make(exportPublicJwk(issuer.key))));
  }
});

test('answers that are no key set', async () => {
  await refused('HTML', (_issuer, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html></html>');
  });
  await refused('JSON by name only', (_issuer, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('<html></html>');
  });
  await refused('a server error', (_issuer, response) => {
    response
      .writeHead(500, { 'content-type': 'application/json' })
      .end(JSON.stringify({ keys: [other.publicJwk] }));
  });
  await refused('duplicate members', (_issuer, response) => {
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(`{"keys":[],"keys":[${JSON.stringify(other.publicJwk)}]}`);
  });
  await refused('a connection cut in the middle', (_issuer, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write('{"keys":[');
    setTimeout(() => response.destroy(), 50);
  });
});

test('10 MB: reading stops at the cap', async () => {
  let sent = 0;
  await refused('10 MB', (_issuer, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const chunk = Buffer.alloc(65_536, ' ');
    const pump = (): void => {
      while (sent < 10_485_760 && !response.destroyed) {
        sent += chunk.length;
        if (!response.write(chunk)) return void response.once('drain', pump);
      }
      response.end('{"keys":[]}');
    };
    pump();
  });
  assert.ok(sent < 10_485_760, `${sent} bytes were taken`);
});

test('a redirect is not followed', async () => {
  let asked = 0;
  const metadata = createServer((_request, response) => {
    asked += 1;
    json(response, { keys: [other.publicJwk] });
  });
  await new Promise<void>((resolve) => metadata.listen(0, '127.0.0.1', resolve));
  try {
    for (const status of [301, 302, 303, 307, 308]) {
      await refused(`status ${status}`, (_issuer, response) => {
        const location = `http://127.0.0.1:${(metadata.address() as AddressInfo).port}/latest/meta-data`;
        response.writeHead(status, { location }).end();
      });
    }
    assert.equal(asked, 0);
  } finally {
    metadata.closeAllConnections();
    metadata.close();
  }
});

test('one byte at a time, or nothing at all: the whole exchange has one deadline', async () => {
  await Promise.all([
    refused('drip', (_issuer, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const drip = setInterval(() => response.write(' '), 100);
      response.on('close', () => clearInterval(drip));
    }),
    refused('silence', () => {}),
  ]);
});
