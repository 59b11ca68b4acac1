// Patients and their records, in this service's own SQLite file.
import type { DatabaseSync } from 'node:sqlite';
import { inTransaction, openDatabase } from '../service/database.ts';
import type { ListPage } from '../service/list_page.ts';
import { type SamplePatient, samplePatients } from './samples.ts';

export const recordKinds = ['note', 'diagnosis', 'prescription', 'result'] as const;
export type RecordKind = (typeof recordKinds)[number];

export interface Patient {
  readonly id: string;
  readonly name: string;
  readonly born: string;
  /** The user id of the patient's own account. */
  readonly sub: string | null;
}

export interface MedicalRecord {
  readonly id: string;
  readonly patient_id: string;
  readonly kind: RecordKind;
  readonly text: string;
  readonly author: string;
  readonly written_at: string;
}

const schema = `
  CREATE TABLE IF NOT EXISTS patients (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, born TEXT NOT NULL, sub TEXT UNIQUE
  ) STRICT;
  CREATE TABLE IF NOT EXISTS records (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    patient_id TEXT NOT NULL REFERENCES patients (id),
    kind TEXT NOT NULL, text TEXT NOT NULL,
    author TEXT NOT NULL, author_sub TEXT, written_at TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS records_of_patient ON records (patient_id, id);
`;

export interface RecordStore {
  patient(id: string): Patient | undefined;
  /** In order of id. With `sub`: only that user's own row. */
  patients(page: ListPage, sub?: string): Patient[];
  /** Newest first. */
  records(patientId: string, page: ListPage): MedicalRecord[];
  write(entry: Omit<MedicalRecord, 'id'> & { readonly author_sub: string }): MedicalRecord;
  close(): void;
}

export function openRecordStore(dataDir: string): RecordStore & { readonly database: DatabaseSync } {
  const database = openDatabase(dataDir, 'records.sqlite', schema);
  const onePatient = database.prepare('SELECT id, name, born, sub FROM patients WHERE id = ?');
  const somePatients = database.prepare(
    'SELECT id, name, born, sub FROM patients WHERE id > ?1 AND (?2 IS NULL OR sub = ?2) ORDER BY id LIMIT ?3',
  );
  const someRecords = database.prepare(`
    SELECT CAST(id AS TEXT) AS id, patient_id, kind, text, author, written_at FROM records
    WHERE patient_id = ? AND id < ? ORDER BY records.id DESC LIMIT ?`);
  const insert = database.prepare(`
    INSERT INTO records (patient_id, kind, text, author, author_sub, written_at) VALUES (?, ?, ?, ?, ?, ?)`);
  return {
    database,
    patient: (id) => onePatient.get(id) as Patient | undefined,
    patients: ({ limit, after }, sub) =>
      somePatients.all(after ?? '', sub ?? null, limit + 1) as unknown as Patient[],
    records: (patientId, { limit, after }) =>
      someRecords.all(patientId, recordNumber(after), limit + 1) as unknown as MedicalRecord[],
    write({ author_sub, ...record }) {
      const { patient_id, kind, text, author, written_at } = record;
      const { lastInsertRowid } = insert.run(patient_id, kind, text, author, author_sub, written_at);
      return { id: String(lastInsertRowid), ...record };
    },
    close: () => database.close(),
  };
}

/** Anything that is no number of ours stands before the first record: an empty page, not an error. */
function recordNumber(after: string | undefined): number {
  if (after === undefined) return Number.MAX_SAFE_INTEGER;
  return /^\d{1,15}$/.test(after) ? Number(after) : 0;
}

/** Fills an empty database, and binds sample patients to their users as soon as those are known. */
export function seedRecords(
  database: DatabaseSync,
  people: Readonly<Record<string, string>>,
  now: number,
  samples: readonly SamplePatient[] = samplePatients,
): void {
  inTransaction(database, () => {
    const empty = database.prepare('SELECT 1 FROM patients LIMIT 1').get() === undefined;
    if (empty) for (const sample of samples) insertSample(database, sample, now);
    const bind = database.prepare('UPDATE patients SET sub = ? WHERE id = ? AND sub IS NULL');
    for (const { id, username } of samples) {
      const sub = username === undefined ? undefined : people[username];
      if (sub !== undefined) bind.run(sub, id);
    }
  });
}

function insertSample(database: DatabaseSync, sample: SamplePatient, now: number): void {
  database
    .prepare('INSERT INTO patients (id, name, born) VALUES (?, ?, ?)')
    .run(sample.id, sample.name, sample.born);
  const insert = database.prepare(
    'INSERT INTO records (patient_id, kind, text, author, written_at) VALUES (?, ?, ?, ?, ?)',
  );
  for (const [daysAgo, kind, text, author] of sample.records) {
    insert.run(sample.id, kind, text, author, new Date(now - daysAgo * 86_400_000).toISOString());
  }
}
