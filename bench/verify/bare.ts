// Our verify and sign against the bare call of node:crypto, interleaved in one run: what the whole profile costs on top of the
// signature. `node bench/verify/bare.ts [rounds]`. Ratios count; absolute figures belong to the machine.
import { type KeyObject, sign, verify } from 'node:crypto';
import {
  type AccessTokenClaims,
  checkAccessTokenClaims,
  exportPublicJwk,
  generateKeyPair,
  parseJwkSet,
  readAccessTokenHeader,
  type SigningKey,
  signAccessToken,
  verificationKeyOf,
  verifyAccessToken,
  verifyAccessTokenSignature,
} from '@latchkey/core';
import { createSignatureCache } from '../../packages/core/src/verifier/signature_cache.ts';

const rounds = Number(process.argv[2] ?? 9);
const issuer = 'https://id.example.com/auth';
const audience = 'https://id.example.com';
const startSeconds = Math.floor(Date.now() / 1000);

function claimsOf(index: number): AccessTokenClaims {
  return {
    iss: issuer,
    sub: `usr_${String(index).padStart(8, '0')}kq3b7mZx`,
    aud: audience,
    exp: startSeconds + 3000,
    iat: startSeconds,
    jti: `tok_${String(index * 7919).padStart(12, '0')}Wm4Rt`,
    sid: `ses_${String(index * 104729).padStart(12, '0')}Hd8Qz`,
    client_id: 'latchkey',
    auth_time: startSeconds - 60,
    preferred_username: `person.${index}`,
    roles: ['doctor', 'staff'],
    scope: 'records:read records:write appointments:read appointments:write',
    ver: index % 17,
    rver: 3,
  };
}

function rate(count: number, work: () => void): number {
  const start = process.hrtime.bigint();
  work();
  return (count * 1e9) / Number(process.hrtime.bigint() - start);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function derOf(token: string, key: KeyObject): { data: Buffer; der: Buffer } {
  const data = Buffer.from(token.slice(0, token.lastIndexOf('.')), 'latin1');
  return { data, der: sign('sha256', data, key) };
}

function interleaved(
  pairs: Readonly<Record<string, { count: number; work: () => void }>>,
): Record<string, number> {
  const rates: Record<string, number[]> = {};
  for (let round = 0; round < rounds; round++) {
    for (const [name, { count, work }] of Object.entries(pairs)) {
      (rates[name] ??= []).push(rate(count, work));
    }
  }
  return Object.fromEntries(Object.entries(rates).map(([name, values]) => [name, median(values.slice(1))]));
}

function main(signingKey: SigningKey): void {
  const distinct = Array.from({ length: 5000 }, (_, index) => signAccessToken(claimsOf(index), signingKey));
  const bare = distinct.map((token) => derOf(token, signingKey.key));
  const publicKey = verificationKeyOf(signingKey).key;
  const keys = parseJwkSet({ keys: [exportPublicJwk(signingKey)] });

  const circulating = Array.from({ length: 10_000 }, (_, index) =>
    signAccessToken(claimsOf(index), signingKey),
  );
  const bytes = circulating.map((token) => Buffer.from(token, 'latin1'));
  const order = Uint16Array.from({ length: 200_000 }, (_, index) => Math.imul(index, 7919) % 10_000);
  const cache = createSignatureCache(64 << 20);
  for (const token of circulating) {
    const key = keys.get(readAccessTokenHeader(token).kid)!;
    cache.set(token, verifyAccessTokenSignature(token, key));
  }
  const toSign = Array.from({ length: 5000 }, (_, index) => claimsOf(index));
  const payloads = toSign.map((claims) => Buffer.from(JSON.stringify(claims)));

  const result = interleaved({
    'verify bare': {
      count: bare.length,
      work: () => bare.forEach(({ data, der }) => verify('sha256', data, publicKey, der)),
    },
    'verify distinct': {
      count: distinct.length,
      work: () => {
        for (const token of distinct) verifyAccessToken(token, keys, { issuer, audience, now: Date.now() });
      },
    },
    'verify cached': {
      count: order.length,
      work: () => {
        for (const index of order) {
          const verified = cache.get(bytes[index]!.toString('latin1'));
          if (verified === undefined) throw new Error('a miss');
          checkAccessTokenClaims(verified.claims, { issuer, audience, now: Date.now() });
        }
      },
    },
    'sign bare': {
      count: payloads.length,
      work: () => payloads.forEach((data) => sign('sha256', data, signingKey.key)),
    },
    sign: {
      count: toSign.length,
      work: () => toSign.forEach((claims) => signAccessToken(claims, signingKey)),
    },
  });
  const ratio = (name: string, base: string) => (result[name]! / result[base]!).toFixed(3);
  console.log(
    `node ${process.version}, ES256, token of ${distinct[0]!.length} characters, medians of ${rounds - 1} rounds, a second`,
  );
  for (const [name, value] of Object.entries(result))
    console.log(`${name.padEnd(16)} ${Math.round(value).toLocaleString('en')}`);
  console.log(`distinct / bare  ${ratio('verify distinct', 'verify bare')}`);
  console.log(`cached / bare    ${ratio('verify cached', 'verify bare')}`);
  console.log(`sign / bare      ${ratio('sign', 'sign bare')}`);
  console.log(`cache            ${cache.size} entries, ${cache.bytes} bytes`);
}

main(generateKeyPair('ES256').signingKey);
