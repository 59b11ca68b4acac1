// What callers may send: everything that is not right is a 4xx with the same error shape, never a 5xx.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type CallInit, type Hospital, startHospital } from './hospital_fixture.ts';

let hospital: Hospital;
before(async () => {
  hospital = await startHospital();
});
after(() => hospital.close());

const json = { 'content-type': 'application/json' };
const records = '/api/patients/p-1001/records';

const badRecords: [name: string, init: CallInit, status: number][] = [
  ['no body', { headers: json }, 400],
  ['no content type', { body: '{"kind":"note","text":"x"}', headers: { 'content-type': 'text/plain' } }, 415],
  ['not JSON', { body: '{"kind":', headers: json }, 400],
  ['an array', { json: [] }, 400],
  ['null', { body: 'null', headers: json }, 400],
  ['a duplicate key', { body: '{"kind":"note","text":"a","text":"b"}', headers: json }, 400],
  ['__proto__', { body: '{"kind":"note","text":"a","__proto__":{}}', headers: json }, 400],
  ['broken UTF-8', { body: new Uint8Array([0x7b, 0xff, 0x7d]), headers: json }, 400],
  ['an unknown field', { json: { kind: 'note', text: 'x', author: 'dr.who' } }, 400],
  ['a missing field', { json: { kind: 'note' } }, 400],
  ['an unknown kind', { json: { kind: 'gossip', text: 'x' } }, 400],
  ['a number for a text', { json: { kind: 'note', text: 5 } }, 400],
  ['an empty text', { json: { kind: 'note', text: '  ' } }, 400],
  ['a NUL', { json: { kind: 'note', text: 'a\0b' } }, 400],
  ['half a surrogate pair', { body: '{"kind":"note","text":"\\ud800"}', headers: json }, 400],
  ['too long a text', { json: { kind: 'note', text: 'x'.repeat(4_001) } }, 400],
  ['too large a body', { json: { kind: 'note', text: 'x'.repeat(20_000) } }, 413],
  ['deep nesting', { body: `${'['.repeat(5_000)}${']'.repeat(5_000)}`, headers: json }, 400],
];

for (const [name, init, status] of badRecords) {
  test(`a record with ${name}: ${status}`, async () => {
    const reply = await hospital.call('records', records, { as: 'dr.grey', method: 'POST', ...init });
    assert.equal(reply.status, status, reply.text);
    assert.equal(reply.body.error, 'invalid_request');
    assert.deepEqual(Object.keys(reply.body).sort(), ['error', 'error_description', 'request_id']);
  });
}

test('a good record comes back as it was written, and first in the list', async () => {
  const body = { kind: 'result', text: 'Größe 170 cm, “fine” 👍\n<b>not markup</b>' };
  const written = await hospital.call('records', records, { as: 'dr.grey', method: 'POST', json: body });
  assert.equal(written.status, 201);
  assert.deepEqual(
    [written.body.kind, written.body.text, written.body.author],
    [body.kind, body.text, 'dr.grey'],
  );
  const { body: list } = await hospital.call('records', `${records}?limit=1`, { as: 'dr.grey' });
  assert.deepEqual(list.items, [written.body]);
});

const good = {
  patient_id: 'p-1002',
  starts_at: '2031-05-02T09:00:00+02:00',
  reason: 'Check-up',
  minutes: 20,
};
const badAppointments: [change: object, status: number][] = [
  [{ patient_id: 'p-9999' }, 404],
  [{ patient_id: '../patients' }, 400],
  [{ patient_id: 'p-1002?x=1' }, 400],
  [{ patient_id: 1002 }, 400],
  [{ starts_at: 'tomorrow' }, 400],
  [{ starts_at: '2031-05-02' }, 400],
  [{ starts_at: '2031-13-02T09:00:00Z' }, 400],
  [{ starts_at: 1_930_000_000 }, 400],
  [{ minutes: '20' }, 400],
  [{ minutes: 2.5 }, 400],
  [{ minutes: 0 }, 400],
  [{ reason: 'x'.repeat(201) }, 400],
  [{ booked_by: 'somebody else' }, 400],
];

for (const [change, status] of badAppointments) {
  test(`an appointment with ${JSON.stringify(change).slice(0, 60)}: ${status}`, async () => {
    const init = { as: 'robin.desk', method: 'POST', json: { ...good, ...change } };
    assert.equal((await hospital.call('appointments', '/api/appointments', init)).status, status);
  });
}

test('a moment is kept in UTC, so that the list is in order of time', async () => {
  const booked = await hospital.call('appointments', '/api/appointments', {
    as: 'robin.desk',
    method: 'POST',
    json: good,
  });
  assert.equal(booked.body.starts_at, '2031-05-02T07:00:00Z');
  const { body } = await hospital.call('appointments', '/api/appointments?limit=100', { as: 'robin.desk' });
  const times = body.items.map((item) => item.starts_at);
  assert.deepEqual(times, [...times].sort());
});

const lists = [
  ['records', '/api/patients'],
  ['records', records],
  ['records', '/api/directory'],
  ['appointments', '/api/appointments'],
] as const;

for (const [name, path] of lists) {
  test(`${path} can be read one by one, to the same items in the same order`, async () => {
    const whole = await hospital.call(name, `${path}?limit=100`, { as: 'dr.grey' });
    assert.equal(whole.body.next, undefined);
    assert.ok(whole.body.items.length >= 4);
    const seen: unknown[] = [];
    for (let after: string | undefined; ; ) {
      const query = after === undefined ? '?limit=1' : `?limit=1&after=${after}`;
      const { body } = await hospital.call(name, path + query, { as: 'dr.grey' });
      seen.push(...body.items);
      after = body.next;
      if (after === undefined) break;
    }
    assert.deepEqual(seen, whole.body.items);
  });

  test(`${path} refuses limits and cursors that are none`, async () => {
    for (const query of [
      'limit=0',
      'limit=101',
      'limit=-1',
      'limit=1e1',
      'limit=',
      'limit=1&limit=2',
      'after=%27',
      'page=2',
    ]) {
      const { status } = await hospital.call(name, `${path}?${query}`, { as: 'dr.grey' });
      assert.equal(status, 400, query);
    }
    const { status, body } = await hospital.call(name, `${path}?after=zzz`, { as: 'dr.grey' });
    assert.deepEqual(
      [status, Array.isArray(body.items)],
      [200, true],
      'a cursor of nowhere is no fault of ours',
    );
  });
}

test('unknown paths are 404, other methods 405 with Allow', async () => {
  for (const path of [
    '/api',
    '/api/patients/',
    '/api/patients/p-1001',
    '/api/patients/a%2fb/records',
    '/etc/passwd',
    '/%2e%2e%2fetc%2fpasswd',
  ]) {
    assert.equal((await hospital.call('records', path, { as: 'dr.grey' })).status, 404, path);
  }
  const reply = await hospital.call('records', records, { as: 'dr.grey', method: 'DELETE' });
  assert.deepEqual([reply.status, reply.headers.get('allow')], [405, 'GET, POST']);
});
