// One thread's share of the single-character edits: every edit of a valid token must be refused. The verifier has seen
// the valid tokens, so the cache of verified signatures is attacked as well. An edit replaces, inserts or drops one
// character, or swaps two neighbours, anywhere in the token; seeded.
import { parentPort, workerData } from 'node:worker_threads';
import { TokenError } from '@latchkey/core';
import { createVerifier } from '@latchkey/core/verifier';
import { seededRandom } from '../harness/statistics.ts';
import { audience, issuer, kid, makeKeys, makeTokens } from './material.ts';

export interface EditsWork {
  readonly edits: number;
  readonly seed: number;
}

export interface EditsResult {
  readonly edits: number;
  readonly accepted: number;
  /** Refusals that were not a TokenError. */
  readonly strange: number;
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const others = '.+/= %\n\0é';

function edit(token: string, random: () => number): string {
  const at = Math.floor(random() * token.length);
  const from = random() < 0.9 ? alphabet : others;
  const drawn = from[Math.floor(random() * from.length)] ?? 'A';
  const kind = random();
  if (kind < 0.8) return token.slice(0, at) + drawn + token.slice(at + 1);
  if (kind < 0.88) return token.slice(0, at) + drawn + token.slice(at);
  if (kind < 0.96) return token.slice(0, at) + token.slice(at + 1);
  return token.slice(0, at) + (token[at + 1] ?? '') + (token[at] ?? '') + token.slice(at + 2);
}

export function tryEdits({ edits, seed }: EditsWork): EditsResult {
  const random = seededRandom(seed);
  const keys = makeKeys('ES256');
  const jwk = {
    ...(keys.publicKey.export({ format: 'jwk' }) as { kty: string }),
    kid,
    alg: keys.alg,
    use: 'sig',
  };
  const verifier = createVerifier({ issuer, audience, jwks: { keys: [jwk] } });
  const tokens = makeTokens(keys, 100).map((bytes) => bytes.toString('latin1'));
  for (const token of tokens) verifier.verifySync(token);
  let accepted = 0;
  let strange = 0;
  for (let made = 0; made < edits; ) {
    const token = tokens[made % tokens.length] ?? '';
    const edited = edit(token, random);
    if (edited === token) continue;
    made += 1;
    try {
      verifier.verifySync(edited);
      accepted += 1;
    } catch (error) {
      if (!(error instanceof TokenError)) strange += 1;
    }
  }
  return { edits, accepted, strange };
}

parentPort?.postMessage(tryEdits(workerData as EditsWork));
