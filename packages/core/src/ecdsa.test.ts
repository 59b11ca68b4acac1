import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { curve, derToRaw, isLowS, isRawSignature, rawToDer } from './ecdsa.ts';

const orderHex = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';
const p256 = curve(orderHex);
const order = BigInt(`0x${orderHex}`);

const hex = (value: bigint): string => value.toString(16).padStart(64, '0');
const raw = (r: bigint, s: bigint): Buffer => Buffer.from(hex(r) + hex(s), 'hex');
const scalar = fc.oneof(
  fc.bigInt({ min: 1n, max: order - 1n }),
  // Short ones, and ones whose first bit is set: where DER gains and loses bytes.
  fc.nat(255).map((n) => BigInt(n + 1)),
  fc.integer({ min: 0, max: 255 }).map((bits) => 1n << BigInt(bits)),
);

/** X.690 in its plainest form, as a second opinion. */
function derOf(r: bigint, s: bigint): Buffer {
  const integer = (value: bigint): Buffer => {
    const text = value.toString(16);
    const bytes = Buffer.from(text.length % 2 === 0 ? text : `0${text}`, 'hex');
    const body = (bytes[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
    return Buffer.concat([Buffer.of(2, body.length), body]);
  };
  const body = Buffer.concat([integer(r), integer(s)]);
  return Buffer.concat([Buffer.of(0x30, body.length), body]);
}

test('r‖s to DER, and back with the lower s', () => {
  fc.assert(
    fc.property(scalar, scalar, (r, s) => {
      fc.pre(r < order && s < order);
      assert.ok(isRawSignature(raw(r, s), p256));
      assert.deepEqual(rawToDer(raw(r, s), p256), derOf(r, s));
      const low = s > order / 2n ? order - s : s;
      assert.deepEqual(derToRaw(derOf(r, s), p256), raw(r, low));
      assert.equal(isLowS(raw(r, s), p256), s === low);
    }),
    { seed: 7, numRuns: 2000 },
  );
});

test('the edges of the order', () => {
  const half = (order - 1n) / 2n;
  assert.equal(isLowS(raw(1n, half), p256), true);
  assert.equal(isLowS(raw(1n, half + 1n), p256), false);
  for (const edge of [0n, order, order + 1n, (1n << 256n) - 1n]) {
    assert.equal(isRawSignature(raw(edge, 1n), p256), false);
    assert.equal(isRawSignature(raw(1n, edge), p256), false);
  }
  assert.equal(isRawSignature(raw(order - 1n, order - 1n), p256), true);
  assert.equal(isRawSignature(raw(1n, 1n).subarray(1), p256), false);
});

test('node:crypto agrees on both curves', () => {
  const curves = [
    ['P-256', 'sha256', p256],
    [
      'P-384',
      'sha384',
      curve(
        'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
      ),
    ],
  ] as const;
  for (const [namedCurve, hash, group] of curves) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve });
    const key = createPublicKey(privateKey);
    for (let n = 0; n < 100; n++) {
      const data = Buffer.from(`message ${n}`);
      const signature = derToRaw(sign(hash, data, privateKey), group);
      assert.ok(isRawSignature(signature, group) && isLowS(signature, group));
      assert.ok(verify(hash, data, { key, dsaEncoding: 'ieee-p1363' }, signature));
      assert.ok(verify(hash, data, key, rawToDer(signature, group)));
    }
  }
});
