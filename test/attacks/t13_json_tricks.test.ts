// T13: JSON that two readers understand differently, or that upsets whoever copies it (RFC 8725 §3.7, RFC 8259 §8).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimsWith, headerOf, jwsVerdict, keyFor, seal, verdict } from '../support/access_tokens.ts';

const header = JSON.stringify(headerOf(keyFor('ES256')));
const claims = JSON.stringify(claimsWith());
const withMember = (text: string, member: string) => `${text.slice(0, -1)},${member}}`;

function hostile(text: string): Record<string, string | Buffer> {
  const bytes = Buffer.from(withMember(text, '"x":"?"'));
  const broken = (odd: readonly number[]) =>
    Buffer.concat([
      bytes.subarray(0, bytes.indexOf('?')),
      Buffer.from(odd),
      bytes.subarray(bytes.indexOf('?') + 1),
    ]);
  return {
    BOM: `\ufeff${text}`,
    'UTF-16': Buffer.from(text, 'utf16le'),
    'UTF-16 with BOM': Buffer.from(`\ufeff${text}`, 'utf16le'),
    'a lone byte': broken([0x80]),
    'an overlong form': broken([0xc0, 0xaf]),
    'a surrogate in UTF-8': broken([0xed, 0xa0, 0x80]),
    'beyond Unicode': broken([0xf5, 0x80, 0x80, 0x80]),
    'a cut character': broken([0xe2, 0x82]),
    'a lone surrogate escape': withMember(text, '"x":"\\ud800"'),
    'a lone low surrogate': withMember(text, '"x":"\\udc00\\ud800"'),
    'a lone surrogate in a name': withMember(text, '"\\udfff":1'),
    'a lone surrogate deep inside': withMember(text, '"x":[{"y":["\\ud83d"]}]'),
    'a raw control character': withMember(text, '"x":"\n"'),
    'a prototype': withMember(text, '"__proto__":{"admin":true}'),
    'a prototype, escaped': withMember(text, '"\\u005f_proto__":{"admin":true}'),
    'a prototype deep inside': withMember(text, '"x":[{"__proto__":1}]'),
    'a backslash in a name, which V8 mixes up with a quote': withMember(text, '"\\\\":1'),
    'trailing junk': `${text}x`,
    'two values': `${text}${text}`,
    'trailing comma': `${text.slice(0, -1)},}`,
    'a comment': `/**/${text}`,
    'single quotes': text.replaceAll('"', "'"),
    NaN: withMember(text, '"x":NaN'),
    '1e400': withMember(text, '"x":1e400'),
    '-1e400': withMember(text, '"x":-1e400'),
    'beyond 2^53': withMember(text, '"x":9007199254740993'),
    'below -2^53': withMember(text, '"x":-9007199254740992'),
    'nine deep': withMember(text, `"x":${'['.repeat(8)}${']'.repeat(8)}`),
    'nine deep, objects': withMember(text, `"x":${'{"a":'.repeat(8)}1${'}'.repeat(8)}`),
    'thousands deep': withMember(text, `"x":${'['.repeat(1900)}${']'.repeat(1900)}`),
    'only opened': '['.repeat(3000),
    'an array': `[${text}]`,
    'a string': JSON.stringify(text),
    'a number': '1',
    null: 'null',
    nothing: '',
    'white space': ' ',
  };
}

test('a hostile payload is refused', () => {
  for (const [name, payload] of Object.entries(hostile(claims))) {
    assert.equal(verdict(seal(header, payload)), 'malformed', name);
  }
});

test('a hostile header is refused', () => {
  for (const [name, text] of Object.entries(hostile(header))) {
    assert.equal(verdict(seal(text, claims)), 'malformed', name);
    assert.equal(jwsVerdict(seal(text, claims)), 'malformed', name);
  }
});

test('honest Unicode, escapes and depth pass', () => {
  const members = [
    '"x":"é 漢 😀"',
    '"x":"\\ud83d\\ude00"',
    '"x":"\\u0000"',
    '"x":9007199254740991',
    '"x":-1.5e-3',
    '"é":"\\n"',
  ];
  for (const member of [...members, `"x":${'['.repeat(7)}${']'.repeat(7)}`]) {
    assert.equal(verdict(seal(header, withMember(claims, member))), 'accepted', member);
  }
});
