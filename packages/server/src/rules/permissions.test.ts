import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Role } from '../storage/roles.ts';
import {
  adminPermissions,
  describeChange,
  fitToken,
  foldPermission,
  isAdministrator,
  notHeld,
  permissionsOf,
  scopeFor,
} from './permissions.ts';

const role = (name: string, ...permissions: string[]): [string, Role] => [
  name,
  { name, permissions, description: null },
];
const table = new Map([
  role('doctor', 'records:read', 'records:write'),
  role('helper', 'latchkey:users:read', 'records:read'),
]);

test('permissions are the union of the roles; a role that is not in the table gives nothing', () => {
  const permissions = permissionsOf(['doctor', 'helper', 'ghost', '__proto__'], table);
  assert.deepEqual([...permissions].sort(), ['latchkey:users:read', 'records:read', 'records:write']);
});

test('administrative permissions appear only in tokens for the issuer, application ones only in the others', () => {
  const permissions = permissionsOf(['doctor', 'helper'], table);
  assert.equal(scopeFor(permissions, true), 'latchkey:users:read');
  assert.equal(scopeFor(permissions, false), 'records:read records:write');
});

test('nobody grants an administrative permission that they lack; application ones are free', () => {
  const held = new Set(['latchkey:users:read']);
  assert.deepEqual(notHeld(['records:read', 'latchkey:users:read', 'latchkey:keys:write'], held), [
    'latchkey:keys:write',
  ]);
});

test('an administrator in full holds every administrative permission, however many roles give them', () => {
  assert.equal(isAdministrator(new Set([...adminPermissions, 'records:read'])), true);
  for (const missing of adminPermissions)
    assert.equal(isAdministrator(new Set(adminPermissions.filter((name) => name !== missing))), false);
});

test('permissions are folded; of the administrative ones only the known exist, in every spelling', () => {
  assert.equal(foldPermission('Records:Read'), 'records:read');
  assert.equal(foldPermission('LATCHKEY:Users:Read'), 'latchkey:users:read');
  for (const text of ['latchkey:', 'latchkey:users', 'Latchkey:all', 'latchkey:*', 'a b', '', 'x'.repeat(65)])
    assert.equal(foldPermission(text), undefined, text);
});

test('roles that give more than a token can carry do not fit', () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, n) => `area-${String(n).padStart(3, '0')}:write`);
  const wide = new Map([role('one', ...many(120)), role('two', ...many(240).slice(120))]);
  assert.equal(fitToken(['one'], wide), true);
  assert.equal(fitToken(['one', 'two'], wide), false);
});

test('a change is told as what was gained and lost, cut to a bounded length', () => {
  assert.equal(describeChange(['a', 'b'], ['b', 'c']), '+c -a');
  assert.equal(describeChange(['a', 'b'], ['b', 'a']), undefined);
  const long =
    describeChange(
      [],
      Array.from({ length: 100 }, (_, n) => `permission-${n}`),
    ) ?? '';
  assert.ok(long.length === 400 && long.endsWith('...'));
});
