import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setsOwnCookie, withoutOwnCookies } from './cookies.ts';

it('takes out our cookies and leaves the others as they are', () => {
  assert.equal(withoutOwnCookies('a=1; b="2"'), 'a=1; b="2"');
  assert.equal(withoutOwnCookies('__Host-latchkey-refresh=x'), undefined);
  assert.equal(withoutOwnCookies('__Host-latchkey-refresh=x; a=1'), 'a=1');
  assert.equal(withoutOwnCookies('a=1;__Host-latchkey-refresh=x; b=2'), 'a=1; b=2');
  assert.equal(withoutOwnCookies('a=1; ="__HOST-latchkey-refresh=x'), 'a=1');
  assert.equal(withoutOwnCookies('a=__Host-latchkey-refresh=x'), 'a=__Host-latchkey-refresh=x');
});

it('knows a field that sets one', () => {
  for (const field of [
    '__Host-latchkey-refresh=x',
    ' __host-latchkey-refresh=x; Path=/',
    '=__Host-latchkey-refresh=x',
    '__Host-latchkey-refresh',
  ]) {
    assert.ok(setsOwnCookie(field), field);
  }
  assert.ok(!setsOwnCookie('a=__Host-latchkey-refresh'));
});
