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

const rounds = Number(process.argv[2] ?? 60);
const warmUp = 10;
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

type Work = Readonly<Record<string, { readonly count: number; readonly work: () => void }>>;

/** The works take turns in short rounds, so that whatever else the machine does hits all of them alike. */
function interleaved(works: Work): Map<string, number> {
  const rates = new Map(Object.keys(works).map((name) => [name, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, { count, work }] of Object.entries(works)) {
      const figure = rate(count, work);
      if (round >= warmUp) rates.get(name)?.push(figure);
    }
  }
  return new Map([...rates].map(([name, values]) => [name, median(values)]));
}

/** One work a round: the next `size` of `items`, over and over. */
function inTurn<T>(
  items: readonly T[],
  size: number,
  each: (item: T) => void,
): { count: number; work: () => void } {
  let at = 0;
  return {
    count: size,
    work: () => {
      for (let n = 0; n < size; n++) {
        each(items[at]!);
        at = at + 1 === items.length ? 0 : at + 1;
      }
    },
  };
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
  // Neither the order in which they were made, nor one that the processor could guess.
  const shuffled = bytes.toSorted((a, b) => Buffer.compare(a.subarray(-32), b.subarray(-32)));
  const cache = createSignatureCache(64 << 20);
  for (const token of circulating) {
    const key = keys.get(readAccessTokenHeader(token).kid)!;
    cache.set(token, verifyAccessTokenSignature(token, key));
  }
  const toSign = Array.from({ length: 5000 }, (_, index) => claimsOf(index));
  const payloads = toSign.map((claims) => Buffer.from(JSON.stringify(claims)));

  const result = interleaved({
    'verify bare': inTurn(bare, 500, ({ data, der }) => void verify('sha256', data, publicKey, der)),
    'verify distinct': inTurn(distinct, 500, (token) => {
      verifyAccessToken(token, keys, { issuer, audience, now: Date.now() });
    }),
    'verify cached': inTurn(shuffled, 10_000, (text) => {
      const verified = cache.get(text.toString('latin1'));
      if (verified === undefined) throw new Error('a miss');
      checkAccessTokenClaims(verified.claims, { issuer, audience, now: Date.now() });
    }),
    'sign bare': inTurn(payloads, 500, (data) => void sign('sha256', data, signingKey.key)),
    sign: inTurn(toSign, 500, (claims) => void signAccessToken(claims, signingKey)),
  });
  const ratio = (name: string, base: string) =>
    ((result.get(name) ?? 0) / (result.get(base) ?? 0)).toFixed(3);
  console.log(
    `node ${process.version}, ES256, token of ${distinct[0]!.length} characters, medians of ${rounds - warmUp} rounds, a second`,
  );
  for (const [name, value] of result)
    console.log(`${name.padEnd(16)} ${Math.round(value).toLocaleString('en')}`);
  console.log(`distinct / bare  ${ratio('verify distinct', 'verify bare')}`);
  console.log(`cached / bare    ${ratio('verify cached', 'verify bare')}`);
  console.log(`sign / bare      ${ratio('sign', 'sign bare')}`);
  console.log(`cache            ${cache.size} entries, ${cache.bytes} bytes`);
}

main(generateKeyPair('ES256').signingKey);
