// The appointments service. It knows times and reasons; names it asks of the records service, with the user's token. Run it with
//
//   DATA_DIR=./data RECORDS_URL=http://127.0.0.1:4101 LATCHKEY_ISSUER=https://hospital.example/auth \
//   LATCHKEY_AUDIENCE=https://hospital.example node appointments/main.ts
import { createHttpService } from '../service/http_service.ts';
import { run } from '../service/run.ts';
import { readSettings } from '../service/settings.ts';
import { createServiceVerifier } from '../service/verifier.ts';
import { openAppointmentStore, seedAppointments } from './appointments.ts';
import { createDirectory } from './directory.ts';
import { appointmentEndpoints } from './endpoints.ts';

const settings = readSettings(process.env);
const recordsUrl = process.env['RECORDS_URL'] ?? '';
if (!URL.canParse(recordsUrl)) throw new Error('RECORDS_URL is not an address');

const verifier = createServiceVerifier('appointments', settings);
const store = openAppointmentStore(settings.dataDir);
seedAppointments(store.database, settings.people, Date.now());

const listener = createHttpService({
  endpoints: appointmentEndpoints(store, createDirectory(recordsUrl)),
  verifier,
  report: (message) => console.error(`appointments: ${message}`),
});
await run({ name: 'appointments', settings, listener, verifier, close: () => store.close() });
