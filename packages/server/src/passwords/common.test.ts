// Threat L09, the whole list: whatever of it is long enough for a policy is refused by that policy.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalisePassword, passwordFault } from '../rules/passwords.ts';
import { commonPasswords } from './common.ts';

for (const minLength of [8, 15]) {
  test(`every common password of at least ${minLength} characters is refused`, async () => {
    const common = await commonPasswords();
    const fitting = [...common].filter((word) => [...word].length >= minLength);
    assert.ok(fitting.length > (minLength === 8 ? 3000 : 10), `the list is too short: ${fitting.length}`);
    const letThrough = fitting.filter(
      (word) => passwordFault(normalisePassword(word), { minLength, common, context: [] }) === undefined,
    );
    assert.deepEqual(letThrough, []);
  });
}
