// T11: one token in many spellings (RFC 7515 §2 and appendix C, RFC 4648 §3.5). Only the canonical one is taken, so a token's text
// cannot be varied past anything that remembers it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countAcceptedEdits } from '../../bench/verify/edits.ts';
import { jwsVerdict, keyFor, publicKeys, tokenWith, verdict } from '../support/access_tokens.ts';

const token = tokenWith();
const segments = token.split('.') as [string, string, string];

function spellings(text: string): string[] {
  const middle = text.length >> 1;
  const inside = [' ', '\t', '\r\n', '\n', '=', '\0', '?', '%', '\u200b', '\ufeff', '.', '\uff21', '\u0141'];
  return [
    ...inside.flatMap((odd) => [odd + text, text + odd, text.slice(0, middle) + odd + text.slice(middle)]),
    `${text}==`,
    `${text}===`,
    `${text}A`,
    text.slice(0, -1),
    text.replace(/[A-Z]/, (letter) => String.fromCodePoint(letter.charCodeAt(0) + 0xfee0)),
    text.replace(/[A-Z]/, (letter) => String.fromCodePoint(letter.charCodeAt(0) + 0x100)),
  ];
}

test('no other spelling of a segment is accepted', () => {
  for (const at of [0, 1, 2] as const) {
    for (const spelling of spellings(segments[at])) {
      const parts = [...segments];
      parts[at] = spelling;
      assert.notEqual(verdict(parts.join('.')), 'accepted', JSON.stringify(spelling));
      assert.notEqual(jwsVerdict(parts.join('.')), 'accepted', JSON.stringify(spelling));
    }
  }
});

test('the other alphabet and spare bits are refused as malformed', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const [header, payload, signature] = segments;
  const last = alphabet.indexOf(signature.at(-1) ?? '');
  for (let spare = 1; spare < 16; spare++) {
    const other = signature.slice(0, -1) + alphabet[last + spare];
    assert.deepEqual(Buffer.from(other, 'base64url'), Buffer.from(signature, 'base64url'), 'the same bytes');
    assert.equal(verdict(`${header}.${payload}.${other}`), 'malformed');
    assert.equal(jwsVerdict(`${header}.${payload}.${other}`), 'malformed');
  }
  // Draw until both characters that differ between the alphabets occur.
  for (let n = 0; ; n++) {
    const [first, second, third] = tokenWith({ jti: `draw-${n}` }).split('.') as [string, string, string];
    if (!third.includes('-') || !third.includes('_')) continue;
    assert.equal(verdict(`${first}.${second}.${third}`), 'accepted');
    assert.equal(verdict(`${first}.${second}.${third.replaceAll('-', '+')}`), 'malformed');
    assert.equal(verdict(`${first}.${second}.${third.replaceAll('_', '/')}`), 'malformed');
    break;
  }
});

test('nothing before, between or after the segments', () => {
  for (const odd of [
    `.${token}`,
    `${token}.`,
    `${token}.x`,
    `${token} `,
    ` ${token}`,
    `${token}\n`,
    `Bearer ${token}`,
    `${token},${token}`,
  ]) {
    assert.equal(verdict(odd), 'malformed', JSON.stringify(odd.slice(0, 10)));
  }
});

test('no single-character edit of a valid token is accepted', () => {
  assert.deepEqual(countAcceptedEdits(4000, 20_300_505), { edits: 4000, accepted: 0 });
  assert.equal(verdict(token, { keys: publicKeys(keyFor('ES256')) }), 'accepted');
});
