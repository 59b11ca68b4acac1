// What the runtime itself can do: signature work on prepared bytes and nothing else. No parsing, no claims, no strings.
// The best call form is the bare KeyObject with a DER signature; `{ key, dsaEncoding }`, which r‖s seems to ask for,
// is measured beside it, because its cost on Node.js 24 explains most of what some libraries lose.
import { createHmac, sign, timingSafeEqual, verify } from 'node:crypto';
import type { Contestant } from '../harness/rounds.ts';
import type { BenchClaims, Keys } from './material.ts';
import type { Tokens } from './peers.ts';

export const bareName = 'bare node:crypto';

interface Parts {
  readonly input: Buffer;
  readonly signature: Buffer;
}

function partsOf(token: Buffer): Parts {
  const dot = token.lastIndexOf(0x2e);
  return {
    input: token.subarray(0, dot),
    signature: Buffer.from(token.toString('latin1', dot + 1), 'base64url'),
  };
}

/** r‖s as the DER sequence of two integers (RFC 7518 §3.4 against RFC 3279 §2.2.3). */
function toDer(raw: Buffer): Buffer {
  const integer = (bytes: Buffer): Buffer => {
    let from = 0;
    while (from < bytes.length - 1 && bytes[from] === 0) from += 1;
    const pad = (bytes[from] ?? 0) >= 0x80 ? [0] : [];
    const body = Buffer.concat([Buffer.from(pad), bytes.subarray(from)]);
    return Buffer.concat([Buffer.from([0x02, body.length]), body]);
  };
  const half = raw.length / 2;
  const body = Buffer.concat([integer(raw.subarray(0, half)), integer(raw.subarray(half))]);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}

export function bareVerifiers({ alg, publicKey }: Keys, tokens: Tokens): readonly Contestant[] {
  const parts = tokens.map(partsOf);
  const at = (i: number): Parts => parts[i % parts.length] as Parts;
  const check = (good: boolean): void => {
    if (!good) throw new Error('bare: bad signature');
  };
  if (alg === 'HS256') {
    const mac = (input: Buffer): Buffer => createHmac('sha256', publicKey).update(input).digest();
    return [{ name: bareName, call: (i) => check(timingSafeEqual(mac(at(i).input), at(i).signature)) }];
  }
  if (alg !== 'ES256') {
    const digest = alg === 'EdDSA' ? null : 'sha256';
    return [{ name: bareName, call: (i) => check(verify(digest, at(i).input, publicKey, at(i).signature)) }];
  }
  const der = parts.map(({ signature }) => toDer(signature));
  const slowForm = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
  return [
    {
      name: bareName,
      call: (i) => check(verify('sha256', at(i).input, publicKey, der[i % der.length] as Buffer)),
    },
    {
      name: 'bare, { key, dsaEncoding }',
      call: (i) => check(verify('sha256', at(i).input, slowForm, at(i).signature)),
    },
  ];
}

/** Signs ready-made bytes: the part of signing that no library can do faster. */
export function bareSigner({ alg, privateKey }: Keys, claims: readonly BenchClaims[]): Contestant {
  const inputs = claims.map((one) => Buffer.from(JSON.stringify(one).padEnd(520)));
  const digest = alg === 'EdDSA' ? null : 'sha256';
  return {
    name: bareName,
    call:
      alg === 'HS256'
        ? (i) =>
            createHmac('sha256', privateKey)
              .update(inputs[i % inputs.length] as Buffer)
              .digest()
        : (i) => sign(digest, inputs[i % inputs.length] as Buffer, privateKey),
  };
}
