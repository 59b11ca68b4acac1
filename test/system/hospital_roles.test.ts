// Who may do what, asked of the services directly: the gateway's opinion does not count here.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Hospital, startHospital } from './hospital_fixture.ts';

let hospital: Hospital;
before(async () => {
  hospital = await startHospital();
});
after(() => hospital.close());

const record = { kind: 'note', text: 'Slept well.' };
const booking = { patient_id: 'p-1003', starts_at: '2031-05-02T09:00:00Z', reason: 'Check-up' };
const who = ['dr.grey', 'nurse.joy', 'robin.desk', 'ann.lee', 'ben.ortiz', 'stranger'];

/** One row a call, one column a person, in the order of `who`. */
const matrix = [
  ['records', 'GET', '/api/patients', undefined, [200, 200, 403, 200, 200, 403]],
  ['records', 'GET', '/api/patients/p-1001/records', undefined, [200, 200, 403, 200, 403, 403]],
  ['records', 'GET', '/api/patients/p-1002/records', undefined, [200, 200, 403, 403, 200, 403]],
  ['records', 'GET', '/api/patients/p-1003/records', undefined, [200, 200, 403, 403, 403, 403]],
  ['records', 'GET', '/api/patients/p-9999/records', undefined, [404, 404, 403, 403, 403, 403]],
  ['records', 'POST', '/api/patients/p-1001/records', record, [201, 403, 403, 403, 403, 403]],
  ['records', 'POST', '/api/patients/p-9999/records', record, [404, 403, 403, 403, 403, 403]],
  ['records', 'GET', '/api/directory', undefined, [200, 200, 200, 403, 403, 403]],
  ['records', 'GET', '/api/directory/p-1003', undefined, [200, 200, 200, 403, 403, 403]],
  ['appointments', 'GET', '/api/appointments', undefined, [200, 200, 200, 200, 200, 403]],
  ['appointments', 'POST', '/api/appointments', booking, [201, 201, 201, 403, 403, 403]],
] as const;

for (const [service, method, path, json, expected] of matrix) {
  test(`${method} ${path}: ${expected.join(' ')}`, async () => {
    const replies = await Promise.all(who.map((as) => hospital.call(service, path, { as, method, json })));
    assert.deepEqual(
      replies.map(({ status }) => status),
      [...expected],
    );
    for (const { status, headers, body } of replies) {
      assert.equal(headers.get('cache-control'), 'no-store');
      if (status !== 403) continue;
      assert.match(headers.get('www-authenticate') ?? '', /^Bearer error="insufficient_scope"/);
      assert.deepEqual(Object.keys(body).sort(), ['error', 'error_description', 'reason', 'request_id']);
    }
  });
}

test('a patient’s lists hold their own rows and nobody else’s', async () => {
  for (const [as, id] of [
    ['ann.lee', 'p-1001'],
    ['ben.ortiz', 'p-1002'],
  ] as const) {
    const patients = await hospital.call('records', '/api/patients', { as });
    assert.deepEqual(
      patients.body.items.map((patient) => patient.id),
      [id],
    );
    const appointments = await hospital.call('appointments', '/api/appointments', { as });
    assert.ok(appointments.body.items.length > 0);
    assert.ok(appointments.body.items.every((item) => item.patient_id === id));
  }
});

test('another patient’s records and records of nobody look the same', async () => {
  const [other, nobody] = await Promise.all(
    ['p-1002', 'p-9999'].map((id) =>
      hospital.call('records', `/api/patients/${id}/records`, { as: 'ann.lee' }),
    ),
  );
  const anonymous = ({ body }: { body: object }) => ({ ...body, request_id: '' });
  assert.deepEqual(anonymous(other as { body: object }), anonymous(nobody as { body: object }));
});

test('the name decides nothing: somebody else who is called ann.lee sees nothing of hers', async () => {
  const ann = hospital.people['ann.lee'];
  assert.ok(ann !== undefined);
  const token = hospital.issuer.tokenFor({ ...ann, sub: 'usr_impostor' });
  assert.equal((await hospital.call('records', '/api/patients/p-1001/records', { token })).status, 403);
  assert.deepEqual((await hospital.call('records', '/api/patients', { token })).body.items, []);
  assert.deepEqual((await hospital.call('appointments', '/api/appointments', { token })).body.items, []);
});

test('an unknown role and permissions that only look like the right one open nothing', async () => {
  const stranger = hospital.people['stranger'];
  assert.ok(stranger !== undefined);
  for (const scope of [
    'records',
    'xrecords:read',
    'records:readx',
    'records:read.all',
    'appointments:read',
  ]) {
    const token = hospital.issuer.tokenFor(stranger, { roles: ['superuser', 'doctors'], scope });
    assert.equal((await hospital.call('records', '/api/patients', { token })).status, 403, scope);
  }
});

test('no answer gives away a patient’s sub, but the directory entry that a booking needs', async () => {
  const ann = hospital.people['ann.lee']?.sub ?? '';
  for (const path of ['/api/patients', '/api/patients/p-1001/records', '/api/directory']) {
    assert.ok(!(await hospital.call('records', path, { as: 'dr.grey' })).text.includes(ann), path);
  }
  assert.equal((await hospital.call('records', '/api/directory/p-1001', { as: 'robin.desk' })).body.sub, ann);
});

test('a booking by the desk reaches the patient’s own list: the user’s token travelled on', async () => {
  const json = { ...booking, patient_id: 'p-1002', reason: 'Eye check' };
  const booked = await hospital.call('appointments', '/api/appointments', {
    as: 'robin.desk',
    method: 'POST',
    json,
  });
  assert.equal(booked.body.patient_name, 'Ben Ortiz');
  assert.equal(booked.body.booked_by, 'robin.desk');
  const own = await hospital.call('appointments', '/api/appointments', { as: 'ben.ortiz' });
  assert.ok(own.body.items.some(({ id }) => id === booked.body.id));
});
