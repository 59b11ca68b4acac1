// Single-character edits of valid access tokens, as the test of T11 and `npm run prove` count them: none may be accepted, neither
// by the verifier nor by the cache of verified signatures in front of it.
import {
  type AccessTokenClaims,
  generateKeyPair,
  type KeySet,
  keySet,
  signAccessToken,
  TokenError,
  verificationKeyOf,
  verifyAccessToken,
} from '@latchkey/core';
import {
  createSignatureCache,
  type SignatureCache,
} from '../../packages/core/src/verifier/signature_cache.ts';

const issuer = 'https://id.example.com/auth';
const audience = 'https://id.example.com';
const seconds = 1_900_000_000;

function claimsOf(index: number): AccessTokenClaims {
  return {
    ...{
      iss: issuer,
      sub: `usr_${index}`,
      aud: audience,
      exp: seconds + 300,
      iat: seconds,
      jti: `tok_${index}`,
    },
    ...{ sid: `ses_${index}`, client_id: 'latchkey', auth_time: seconds, preferred_username: `é${index}` },
    ...{ roles: ['doctor', 'staff'], scope: 'records:read records:write', ver: index, rver: 3 },
  };
}

/** A small generator, so that every run with a seed makes the same edits (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const odd = ['.', '=', '+', '/', ' ', '\n', '\0', '~', 'é', 'ı', 'Ａ', '\u0141', '\ufeff', '😀'];

function edit(token: string, random: (below: number) => number): string {
  const at = random(token.length + 1);
  const character = random(5) === 0 ? odd[random(odd.length)]! : alphabet[random(alphabet.length)]!;
  const kind = random(6);
  if (kind === 0) return token.slice(0, at) + token.slice(at + 1);
  if (kind === 1) return token.slice(0, at) + character + token.slice(at);
  if (kind === 2) return token.slice(0, at) + (token[at + 1] ?? '') + (token[at] ?? '') + token.slice(at + 2);
  return token.slice(0, at) + character + token.slice(at + 1);
}

function isAccepted(token: string, keys: KeySet, cache: SignatureCache): boolean {
  if (cache.get(token) !== undefined) return true;
  try {
    verifyAccessToken(token, keys, { issuer, audience, now: seconds * 1000 });
    return true;
  } catch (error) {
    if (error instanceof TokenError) return false;
    throw error;
  }
}

/** Makes `count` edits that change a token (ES256 and EdDSA in turn) and counts the accepted ones. Throws for anything but a typed refusal. */
export function countAcceptedEdits(count: number, seed: number): { edits: number; accepted: number } {
  const random = randomFrom(seed);
  const signing = [generateKeyPair('ES256').signingKey, generateKeyPair('EdDSA').signingKey];
  const keys = keySet(...signing.map(verificationKeyOf));
  const cache = createSignatureCache(1 << 20);
  const tokens = Array.from({ length: 64 }, (_, index) =>
    signAccessToken(claimsOf(index), signing[index % 2]!),
  );
  for (const token of tokens) {
    if (!isAccepted(token, keys, cache)) throw new Error('an honest token was refused');
    cache.set(token, verifyAccessToken(token, keys, { issuer, audience, now: seconds * 1000 }));
  }
  let edits = 0;
  let accepted = 0;
  while (edits < count) {
    const token = tokens[random(tokens.length)]!;
    const edited = edit(token, random);
    if (edited === token) continue;
    edits++;
    if (isAccepted(edited, keys, cache)) accepted++;
  }
  return { edits, accepted };
}
