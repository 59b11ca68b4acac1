// Threat T16, after dudect: does the time of a refusal tell where a forged signature or MAC differs? Two classes in
// random order, the slowest tenth cropped away, Welch's t. Unknown kid against bad signature is not asked: key ids are
// published in the JWK Set, and skipping the signature work there is intended.
import { createSecretKey, randomBytes } from 'node:crypto';
import { hmacKey, keySet } from '@latchkey/core';
import { createVerifier, type Verifier } from '@latchkey/core/verifier';
import { allOf, type ProofOptions, type ProofResult } from '../harness/proof.ts';
import { cropTogether, seededRandom, welchT } from '../harness/statistics.ts';
import { audience, issuer, type Keys, kid, makeKeys, makeToken } from '../tokens/material.ts';

export const name = 't16_timing';
export const goal =
  'T16: |t| < 4.5 over 100,000 samples, wrong first byte against wrong last byte of signature and MAC';

/** The token with one byte of its signature changed. */
function spoil(token: string, at: 'first' | 'last'): string {
  const dot = token.lastIndexOf('.');
  const signature = Buffer.from(token.slice(dot + 1), 'base64url');
  const index = at === 'first' ? 0 : signature.length - 1;
  signature[index] = (signature[index] ?? 0) ^ 1;
  return `${token.slice(0, dot)}.${signature.toString('base64url')}`;
}

function timeOf(verifier: Verifier, token: string): number {
  const before = process.hrtime.bigint();
  try {
    verifier.verifySync(token);
  } catch {
    return Number(process.hrtime.bigint() - before);
  }
  throw new Error('a forged token was accepted');
}

function compare(label: string, verifier: Verifier, keys: Keys, samples: number): ProofResult {
  const random = seededRandom(16);
  const tokens = Array.from({ length: 64 }, () => makeToken(keys));
  const classes = (['first', 'last'] as const).map((at) => tokens.map((token) => spoil(token, at)));
  const times: [number[], number[]] = [[], []];
  const warmUp = Math.ceil(samples / 20);
  for (let i = 0; i < samples + warmUp; i += 1) {
    const which = random() < 0.5 ? 0 : 1;
    // A fresh copy, so that neither class is a string the engine has met before.
    const token = Buffer.from(classes[which]?.[Math.floor(random() * 64)] ?? '', 'latin1').toString('latin1');
    const took = timeOf(verifier, token);
    if (i >= warmUp) times[which].push(took);
  }
  const t = welchT(...cropTogether(...times, 90));
  return { figure: `${label}: t = ${t.toFixed(2)} (${samples} samples)`, pass: Math.abs(t) < 4.5 };
}

export async function run({ quick }: ProofOptions): Promise<ProofResult> {
  const samples = quick ? 5000 : 100_000;
  const ecdsa = makeKeys('ES256');
  const jwk = {
    ...(ecdsa.publicKey.export({ format: 'jwk' }) as { kty: string }),
    kid,
    alg: 'ES256',
    use: 'sig',
  };
  const secret = createSecretKey(randomBytes(32));
  const macKeys: Keys = { alg: 'HS256', privateKey: secret, publicKey: secret };
  const overMac = createVerifier({
    issuer,
    audience,
    jwks: keySet(hmacKey(secret, kid)),
    algorithms: ['HS256'],
  });
  const overSignature = createVerifier({ issuer, audience, jwks: { keys: [jwk] } });
  return allOf([
    compare('HS256', overMac, macKeys, samples),
    compare('ES256', overSignature, ecdsa, samples),
  ]);
}
