// The services as processes: what they keep when they are killed, how they end, and what one does without the other.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Hospital, startHospital, startService } from './hospital_fixture.ts';

let hospital: Hospital;
before(async () => {
  hospital = await startHospital();
});
after(() => hospital.close());

const records = '/api/patients/p-1004/records';
const write = (text: string) =>
  hospital.call('records', records, { as: 'dr.grey', method: 'POST', json: { kind: 'note', text } });
const texts = async (): Promise<(string | undefined)[]> =>
  (await hospital.call('records', records, { as: 'dr.grey' })).body.items.map(({ text }) => text);

test('what was acknowledged survives kill -9, and sample people are not made twice', async () => {
  assert.equal((await write('before the kill')).status, 201);
  hospital.services.records.process.kill('SIGKILL');
  await hospital.services.records.ended;
  await hospital.start('records');
  assert.equal((await texts())[0], 'before the kill');
  const { body } = await hospital.call('records', '/api/patients', { as: 'dr.grey' });
  assert.equal(body.items.length, 6);
});

test('without the records service appointments can be read, and booking says 503', async () => {
  hospital.services.records.process.kill('SIGKILL');
  await hospital.services.records.ended;
  assert.equal((await hospital.call('appointments', '/api/appointments', { as: 'robin.desk' })).status, 200);
  const json = { patient_id: 'p-1001', starts_at: '2031-05-02T09:00:00Z', reason: 'Check-up' };
  const refused = await hospital.call('appointments', '/api/appointments', {
    as: 'robin.desk',
    method: 'POST',
    json,
  });
  assert.deepEqual([refused.status, refused.body.error], [503, 'unavailable']);
  assert.ok(refused.headers.has('retry-after'));
  await hospital.start('records');
});

test('SIGTERM ends a service in order', async () => {
  assert.equal((await write('before the end')).status, 201);
  hospital.services.records.process.kill('SIGTERM');
  assert.equal(await hospital.services.records.ended, 0);
  await hospital.start('records');
  assert.equal((await texts())[0], 'before the end');
});

test('a service ends when the program that started it is gone', async () => {
  hospital.services.appointments.process.disconnect();
  assert.equal(await hospital.services.appointments.ended, 0);
  await hospital.start('appointments');
});

test('all faults of the settings are told at once, and no others', async () => {
  await assert.rejects(startService('records', { PORT: 'x', HOSPITAL_PEOPLE: '[' }), (error: Error) => {
    for (const name of ['PORT', 'DATA_DIR', 'LATCHKEY_ISSUER', 'LATCHKEY_AUDIENCE', 'HOSPITAL_PEOPLE']) {
      assert.ok(error.message.includes(name), `${name} in ${error.message}`);
    }
    return true;
  });
});
