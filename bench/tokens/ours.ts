// Latchkey's side: the verifier as an application service uses it, default options, the whole profile checked. For
// tokens in circulation it knows 30,000 revocations, so that looking through the marks is part of the measured work.
import { createHash, randomBytes } from 'node:crypto';
import {
  hmacKey,
  importPrivateKey,
  type JwkSet,
  keySet,
  type SigningKey,
  signAccessToken,
  signJws,
} from '@latchkey/core';
import { createVerifier, type Verifier } from '@latchkey/core/verifier';
import type { Contestant } from '../harness/rounds.ts';
import { audience, type BenchClaims, freshString, issuer, type Keys, kid } from './material.ts';
import type { Tokens } from './peers.ts';

export const oursName = 'latchkey';

export function ourVerifier(keys: Keys, tokens: Tokens): Contestant {
  const { alg, publicKey } = keys;
  const jwks = alg === 'HS256' ? keySet(hmacKey(publicKey, kid)) : publicSet(keys);
  // As much as fast-jwt's cache is given elsewhere: far less than the tokens that come in turn.
  const signatureCacheBytes = 32 * 1024 * 1024;
  return contestant(
    createVerifier({ issuer, audience, jwks, algorithms: [alg], signatureCacheBytes }),
    tokens,
  );
}

/** Follows an issuer that runs in this process, and holds its marks; none of them hits one of the tokens. */
export async function ourVerifierWithMarks(keys: Keys, tokens: Tokens): Promise<Contestant> {
  const verifier = createVerifier({ issuer, audience, fetch: issuerFetch(keys) });
  await verifier.ready();
  if (verifier.status().marks < 30_000) throw new Error('the marks did not arrive');
  return contestant(verifier, tokens);
}

function contestant(verifier: Verifier, tokens: Tokens): Contestant {
  const call = (i: number): void => {
    const { claims } = verifier.verifySync(freshString(tokens, i % tokens.length));
    if (claims.sub === undefined) throw new Error('latchkey: no claims');
  };
  return { name: oursName, call };
}

function publicSet({ alg, publicKey }: Keys): JwkSet {
  const jwk = publicKey.export({ format: 'jwk' }) as { kty: string };
  return { keys: [{ ...jwk, kid, alg, use: 'sig' }] };
}

function signingKey({ alg, privateKey }: Keys): SigningKey {
  if (alg === 'HS256') return hmacKey(privateKey, kid);
  return importPrivateKey(privateKey.export({ format: 'der', type: 'pkcs8' }), alg, kid);
}

export function ourSigner(keys: Keys, claims: readonly BenchClaims[]): Contestant {
  const key = signingKey(keys);
  return {
    name: oursName,
    call: (i) => signAccessToken({ ...(claims[i % claims.length] as BenchClaims) }, key),
  };
}

/** What an issuer publishes: keys, a signed snapshot of marks (docs/architecture.md), and a stream that stays open. */
function issuerFetch(keys: Keys): (url: string, init: RequestInit) => Promise<Response> {
  const json = { 'content-type': 'application/json' };
  const snapshot = signedSnapshot(keys);
  return async (url, init) => {
    if (url.endsWith('/jwks.json')) return new Response(JSON.stringify(publicSet(keys)), { headers: json });
    if (url.endsWith('/snapshot')) {
      const headers = { ...json, 'latchkey-signature': snapshot.signature };
      return new Response(snapshot.body, { headers });
    }
    const quiet = new ReadableStream({
      start: (controller) =>
        init.signal?.addEventListener('abort', () => controller.error(new Error('ended'))),
    });
    return new Response(quiet, { headers: { 'content-type': 'text/event-stream' } });
  };
}

function signedSnapshot(keys: Keys): { readonly body: string; readonly signature: string } {
  const until = new Array<number>(10_000).fill(Date.now() + 3_600_000);
  const values = Array.from({ length: 10_000 }, () => randomBytes(16).toString('base64url'));
  const marks = [
    { kind: 'revoke', by: 'jti', values, until },
    { kind: 'revoke', by: 'sid', values, until },
    { kind: 'revoke', by: 'sub', values, below: until.map(() => 2), until },
  ];
  const state = { iss: issuer, epoch: 'bench', seq: 30_000 };
  const body = JSON.stringify({ ...state, position: 'bench-30000-tag', marks });
  const sha256 = createHash('sha256').update(body).digest('base64url');
  const header = { alg: keys.alg, kid, typ: 'signals+jwt' };
  const said = { ...state, as_of: Date.now(), max_life: 3600, sha256 };
  return { body, signature: signJws(header, JSON.stringify(said), signingKey(keys)) };
}
