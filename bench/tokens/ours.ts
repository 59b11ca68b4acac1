// Latchkey's side: @latchkey/core as an application service uses it, default options, the whole profile checked.
import { createVerifier, signAccessToken, verifyJwt } from '@latchkey/core';
import type { Contestant } from '../harness/rounds.ts';
import { audience, type BenchClaims, freshString, issuer, type Keys, kid } from './material.ts';
import type { Tokens } from './peers.ts';

export const oursName = 'latchkey';

/** The verifier where its key set allows it; HS256 is never in a JWK Set, so there it is the pure function. */
export function ourVerifier(keys: Keys, tokens: Tokens): Contestant {
  return keys.alg === 'HS256' ? pureVerifier(keys, tokens) : fullVerifier(keys, tokens);
}

function fullVerifier({ alg, publicKey }: Keys, tokens: Tokens): Contestant {
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } as { kty: string };
  const verifier = createVerifier({ issuer, audience, jwks: { keys: [jwk] }, algorithms: [alg] });
  const call = (i: number): void => {
    const { claims } = verifier.verifySync(freshString(tokens, i % tokens.length));
    if (claims.sub === undefined) throw new Error('latchkey: no claims');
  };
  return { name: oursName, call };
}

function pureVerifier({ alg, publicKey }: Keys, tokens: Tokens): Contestant {
  const set = new Map([[kid, { kid, alg, key: publicKey }]]);
  const call = (i: number): void => {
    const { claims } = verifyJwt(freshString(tokens, i % tokens.length), set, {
      issuer,
      audience,
      algorithms: [alg],
      typ: 'at+jwt',
      now: Date.now(),
    });
    if (claims.sub === undefined) throw new Error('latchkey: no claims');
  };
  return { name: oursName, call };
}

export function ourSigner({ alg, privateKey }: Keys, claims: readonly BenchClaims[]): Contestant {
  const key = { kid, alg, key: privateKey };
  return {
    name: oursName,
    call: (i) => signAccessToken({ ...(claims[i % claims.length] as BenchClaims) }, key),
  };
}
