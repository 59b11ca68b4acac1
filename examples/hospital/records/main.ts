// The records service: patients, what is written about them, and the hospital's page. Run it with
//
//   DATA_DIR=./data LATCHKEY_ISSUER=https://hospital.example/auth LATCHKEY_AUDIENCE=https://hospital.example node records/main.ts
import { createHttpService } from '../service/http_service.ts';
import { run } from '../service/run.ts';
import { readSettings } from '../service/settings.ts';
import { createServiceVerifier } from '../service/verifier.ts';
import { recordEndpoints } from './endpoints.ts';
import { openRecordStore, seedRecords } from './records.ts';
import { loadWebPage } from './web_page.ts';

const settings = readSettings(process.env);
const verifier = createServiceVerifier('records', settings);
const store = openRecordStore(settings.dataDir);
seedRecords(store.database, settings.people, Date.now());

const listener = createHttpService({
  endpoints: recordEndpoints(store, Date.now),
  verifier,
  files: loadWebPage(),
  report: (message) => console.error(`records: ${message}`),
});
await run({ name: 'records', settings, listener, verifier, close: () => store.close() });
