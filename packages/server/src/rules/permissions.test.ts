import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Role } from '../storage/roles.ts';
import { notHeld, permissionsOf, scopeFor } from './permissions.ts';

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
