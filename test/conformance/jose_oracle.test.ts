// jose as the oracle: what we sign it verifies, what it signs we verify, for every algorithm and any payload.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Algorithm,
  decodeBase64url,
  encodeBase64url,
  exportPublicJwk,
  generateKeyPair,
  parseJwkSet,
  parseStrictJson,
  signJws,
  supportedAlgorithms,
  verifyJws,
} from '@latchkey/core';
import fc from 'fast-check';
import { base64url, CompactSign, compactVerify, importJWK } from 'jose';

const seed = 20_300_505;
const algorithms = supportedAlgorithms().filter((alg) => alg !== 'HS256');
const pairs = new Map(algorithms.map((alg) => [alg, generateKeyPair(alg)]));

/** RSA keys take long to sign with. */
const runs = (alg: Algorithm) => (alg.endsWith('S256') && alg !== 'ES256' ? 12 : 40);

for (const alg of algorithms) {
  test(`${alg}: both ways`, async () => {
    const { signingKey, publicJwk } = pairs.get(alg)!;
    const theirs = await importJWK(publicJwk as never, alg);
    const keys = parseJwkSet({ keys: [publicJwk] });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 600 }), async (payload) => {
        const ours = signJws({ typ: 'example' }, payload, signingKey);
        const verified = await compactVerify(ours, theirs, { algorithms: [alg] });
        assert.deepEqual(Buffer.from(verified.payload), Buffer.from(payload));
        assert.deepEqual({ ...verified.protectedHeader }, { typ: 'example', alg, kid: signingKey.kid });

        const token = await new CompactSign(payload)
          .setProtectedHeader({ alg, kid: signingKey.kid })
          .sign(signingKey.key);
        const back = verifyJws(token, keys, { algorithms: [alg] });
        assert.deepEqual(Buffer.from(back.payload), Buffer.from(payload));
        assert.equal(back.header.kid, signingKey.kid);
      }),
      { seed, numRuns: runs(alg) },
    );
  });
}

test('we accept no token that jose refuses', async () => {
  const { signingKey, publicJwk } = pairs.get('ES256')!;
  const theirs = await importJWK(publicJwk as never, 'ES256');
  const keys = parseJwkSet({ keys: [exportPublicJwk(signingKey)] });
  const token = signJws({}, '{"a":1}', signingKey);
  const place = fc.nat({ max: token.length - 1 });
  await fc.assert(
    fc.asyncProperty(place, fc.string({ minLength: 0, maxLength: 2, unit: 'binary' }), async (at, text) => {
      const edited = token.slice(0, at) + text + token.slice(at + 1);
      if (edited === token) return;
      assert.throws(() => verifyJws(edited, keys, { algorithms: ['ES256'] }), { name: 'TokenError' });
      await compactVerify(edited, theirs).then(
        // jose takes some other spellings of one token; we take none.
        () => assert.notEqual(edited, token),
        () => undefined,
      );
    }),
    { seed, numRuns: 300 },
  );
});

test('base64url: jose encodes alike, and only its own output decodes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const text = encodeBase64url(bytes);
      assert.equal(text, base64url.encode(bytes));
      assert.deepEqual(decodeBase64url(text), Buffer.from(bytes));
    }),
    { seed },
  );
  const characters = fc.string({ unit: fc.constantFrom(...'AQgwZaz09-_+/= \n\u0141Ａ'), maxLength: 8 });
  fc.assert(
    fc.property(characters, (text) => {
      const canonical =
        /^[A-Za-z0-9_-]*$/.test(text) && Buffer.from(text, 'base64url').toString('base64url') === text;
      assert.equal(decodeBase64url(text) !== undefined, canonical);
    }),
    { seed, numRuns: 2000 },
  );
});

test('strict JSON reads what JSON.stringify writes, in any spacing', () => {
  const small = fc.object({
    maxDepth: 3,
    values: [fc.string({ unit: 'grapheme' }), fc.maxSafeInteger(), fc.boolean(), fc.constant(null)],
  });
  fc.assert(
    fc.property(small, fc.constantFrom(0, 1, 2, '\t'), (value, space) => {
      fc.pre(!/__proto__|\\\\/.test(JSON.stringify(value)));
      const text = JSON.stringify(value, null, space);
      assert.deepEqual(parseStrictJson(Buffer.from(text)), JSON.parse(text));
    }),
    { seed, numRuns: 500 },
  );
});

test('strict JSON finds a member that was written twice, wherever it stands', () => {
  const value = fc.oneof(
    fc.string(),
    fc.maxSafeInteger(),
    fc.constantFrom(1000, 1e9, 5e20 % 1e15),
    fc.boolean(),
    fc.constant(null),
  );
  const member = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', '"', '/'), value);
  const short = (text: string) =>
    text.replace(
      /:(\d+?)(000+)(?=[,}])/g,
      (_, digits: string, zeros: string) => `:${digits}e${zeros.length}`,
    );
  fc.assert(
    fc.property(fc.array(member, { maxLength: 6 }), fc.boolean(), (members, shorten) => {
      const plain = `{${members.map(([name, content]) => `${JSON.stringify(name)}:${JSON.stringify(content)}`).join(',')}}`;
      const text = shorten ? short(plain) : plain;
      const distinct = new Set(members.map(([name]) => name)).size === members.length;
      let accepted = true;
      try {
        parseStrictJson(Buffer.from(text));
      } catch {
        accepted = false;
      }
      assert.equal(accepted, distinct, text);
    }),
    { seed, numRuns: 3000 },
  );
});
