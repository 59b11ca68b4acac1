// T04: signatures that are missing, cut, stretched, another token's, zero (CVE-2022-21449), at the edges of the group order, or in
// DER (RFC 7518 §3.4).
import assert from 'node:assert/strict';
import { createPublicKey, sign, verify } from 'node:crypto';
import { test } from 'node:test';
import type { Algorithm } from '@latchkey/core';
import { jwsVerdict, keyFor, publicKeys, tokenWith, verdict } from '../support/access_tokens.ts';

const algorithms: readonly Algorithm[] = ['ES256', 'ES384', 'EdDSA', 'RS256', 'PS256'];

function edgesOf(orderHex: string): string[] {
  const order = BigInt(`0x${orderHex}`);
  const size = orderHex.length;
  const all = (1n << BigInt(size * 4)) - 1n;
  const edges = [0n, 1n, 2n, order / 2n, order / 2n + 1n, order - 1n, order, order + 1n, all];
  return edges.map((edge) => edge.toString(16).padStart(size, '0'));
}

const orders: Readonly<Record<string, string>> = {
  ES256: 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
  ES384: 'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
};

test('a signature that is not the one of this token is refused', () => {
  for (const alg of algorithms) {
    const keys = publicKeys(keyFor(alg));
    const token = tokenWith({}, keyFor(alg));
    assert.equal(verdict(token, { keys }), 'accepted', `${alg}: the honest token`);
    const [header, payload, text] = token.split('.') as [string, string, string];
    const signature = Buffer.from(text, 'base64url');
    const other = Buffer.from(tokenWith({ sub: 'another' }, keyFor(alg)).split('.')[2] ?? '', 'base64url');
    const broken: readonly Buffer[] = [
      Buffer.alloc(0),
      Buffer.alloc(signature.length),
      Buffer.alloc(signature.length, 0xff),
      signature.subarray(1),
      signature.subarray(0, -1),
      signature.subarray(0, signature.length / 2),
      Buffer.concat([signature, Buffer.alloc(1)]),
      Buffer.concat([Buffer.alloc(1), signature]),
      Buffer.concat([signature, signature]),
      Buffer.from(signature.toReversed()),
      other,
      Buffer.alloc(1),
    ];
    for (const bytes of broken) {
      const forged = `${header}.${payload}.${bytes.toString('base64url')}`;
      assert.equal(verdict(forged, { keys }), 'invalid_signature', `${alg}: ${bytes.length} bytes`);
      assert.equal(jwsVerdict(forged, keys, [alg]), 'invalid_signature');
    }
  }
});

test('no pair of edge values passes for r and s', () => {
  for (const [alg, order] of Object.entries(orders)) {
    const keys = publicKeys(keyFor(alg as Algorithm));
    const [header, payload] = tokenWith({}, keyFor(alg as Algorithm)).split('.');
    for (const r of edgesOf(order)) {
      for (const s of edgesOf(order)) {
        const forged = `${header}.${payload}.${Buffer.from(r + s, 'hex').toString('base64url')}`;
        assert.equal(verdict(forged, { keys }), 'invalid_signature', `${alg} r=${r} s=${s}`);
        assert.equal(
          jwsVerdict(forged, keys, [alg as Algorithm]),
          'invalid_signature',
          `${alg} r=${r} s=${s}`,
        );
      }
    }
  }
});

test('a good signature in DER is refused', () => {
  const key = keyFor('ES256');
  const input = tokenWith().split('.').slice(0, 2).join('.');
  const der = sign('sha256', Buffer.from(input), key.key);
  assert.ok(verify('sha256', Buffer.from(input), createPublicKey(key.key), der), 'it is a good one');
  assert.equal(verdict(`${input}.${der.toString('base64url')}`), 'invalid_signature');
  assert.equal(jwsVerdict(`${input}.${der.toString('base64url')}`), 'invalid_signature');
});

test('a good r with s + n, or the reverse, is refused', () => {
  const order = BigInt(`0x${orders['ES256']}`);
  const [header, payload, text] = tokenWith().split('.') as [string, string, string];
  const hex = Buffer.from(text, 'base64url').toString('hex');
  for (const [at, end] of [
    [0, 64],
    [64, 128],
  ] as const) {
    const shifted = (BigInt(`0x${hex.slice(at, end)}`) + order).toString(16).padStart(66, '0');
    const stretched = Buffer.from(`${hex.slice(0, at)}${shifted}${hex.slice(end)}`, 'hex');
    assert.equal(jwsVerdict(`${header}.${payload}.${stretched.toString('base64url')}`), 'invalid_signature');
  }
});
