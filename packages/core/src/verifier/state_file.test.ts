import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { generateKeyPair, verificationKeyOf } from '../jwk.ts';
import { keySet } from '../keys.ts';
import type { Mark } from './marks.ts';
import { createStateWriter, readStateFile } from './state_file.ts';

const folder = mkdtempSync(join(tmpdir(), 'latchkey-'));
after(() => rmSync(folder, { recursive: true }));

const issuer = 'https://id.example.com/auth';
const key = verificationKeyOf(generateKeyPair('ES256').signingKey);
const keys = keySet(key);
const position = { epoch: 'e', seq: 3, id: 'e-3-t' };

/** Until `condition`, however slow the machine is. */
async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 4_000 && !condition(); tries += 1) await pause(5);
  assert.ok(condition());
}

async function written(path: string, marks: Iterable<Mark> | undefined): Promise<void> {
  const signals = marks && { position, asOf: 1_000, maxLife: 300, marks };
  const writer = createStateWriter(path, issuer, () => ({ keys, signals }));
  writer.hurry();
  await until(() => readdirSync(folder).includes(path.split('/').at(-1) ?? ''));
  assert.equal(writer.lastFault, undefined);
  writer.close();
}

test('what was known is read again, however many marks it is; nobody else may write the file', async () => {
  const path = join(folder, 'many.json');
  const marks = Array.from(
    { length: 20_001 },
    (_, at): Mark => ({ kind: 'revoke', by: 'jti', value: `v${at}`, until: at }),
  );
  await written(path, [...marks, { kind: 'revoke', by: 'kid', value: 'k' }]);
  const kept = readStateFile(path, issuer, ['ES256']);
  assert.deepEqual([...(kept?.keys.keys() ?? [])], [key.kid]);
  const { groups = [], ...moment } = kept?.signals ?? {};
  assert.deepEqual(moment, { position, asOf: 1_000, maxLife: 300 });
  const values = groups.flatMap((group) => group.values.map((value, at) => [value, group.until?.[at]]));
  assert.deepEqual(values, [...marks.map(({ value, until }) => [value, until]), ['k', undefined]]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(folder), ['many.json']);
});

test('what is urgent overtakes what can wait, and what comes while it is written is written next', async () => {
  const path = join(folder, 'urgent.json');
  let reads = 0;
  const order: string[] = [];
  const writer = createStateWriter(path, issuer, () => {
    reads += 1;
    // In the middle of the first write.
    if (reads === 1) setTimeout(() => writer.hurry());
    order.push(`read ${reads}`);
    return { keys, signals: undefined };
  });
  writer.touch();
  const patience = setTimeout(() => order.push('the usual pause'), 4_900);
  writer.hurry();
  await until(() => reads === 2);
  clearTimeout(patience);
  writer.close();
  assert.deepEqual(order, ['read 1', 'read 2']);
  await until(() => readdirSync(folder).every((name) => !name.endsWith('.new')));
  rmSync(path);
});

test('anything odd means starting without it', async () => {
  const path = join(folder, 'odd.json');
  await written(path, []);
  const good = readFileSync(path, 'utf8');
  assert.deepEqual(readStateFile(path, issuer, ['ES256'])?.signals?.groups, []);
  assert.equal(readStateFile(path, 'https://other.example', ['ES256']), undefined);
  assert.equal(readStateFile(path, issuer, ['RS256']), undefined);
  assert.equal(readStateFile(join(folder, 'none.json'), issuer, ['ES256']), undefined);
  const whole: [string, string][] = [
    ['"version":2', '"version":1'],
    ['"kty":"EC"', '"kty":"EC","d":"x"'],
    ['{', '['],
  ];
  for (const [from, to] of whole) {
    writeFileSync(path, good.replace(from, to));
    assert.equal(readStateFile(path, issuer, ['ES256']), undefined, to);
  }
  const signals: [string, string][] = [
    ['"id":"e-3-t"', '"id":"e-4-t"'],
    ['"seq":3', '"seq":"3"'],
    ['"as_of":1000', '"as_of":-1'],
    ['"marks":[]', '"marks":[{"kind":"revoke","by":"planet","values":[]}]'],
  ];
  for (const [from, to] of signals) {
    writeFileSync(path, good.replace(from, to));
    assert.equal(readStateFile(path, issuer, ['ES256'])?.signals, undefined, to);
    assert.equal(readStateFile(path, issuer, ['ES256'])?.keys.size, 1, to);
  }
});
