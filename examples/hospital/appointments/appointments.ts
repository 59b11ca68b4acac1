// Appointments, in this service's own SQLite file.
import type { DatabaseSync } from 'node:sqlite';
import { inTransaction, openDatabase } from '../service/database.ts';
import type { ListPage } from '../service/list_page.ts';
import { sampleAppointments } from './samples.ts';

export interface Appointment {
  readonly id: string;
  readonly patient_id: string;
  /** As the records service had it when the appointment was made. */
  readonly patient_name: string;
  /** UTC, RFC 3339. */
  readonly starts_at: string;
  readonly minutes: number;
  readonly reason: string;
  readonly booked_by: string;
}

const schema = `
  CREATE TABLE IF NOT EXISTS appointments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    patient_id TEXT NOT NULL, patient_name TEXT NOT NULL, patient_sub TEXT,
    starts_at TEXT NOT NULL, minutes INTEGER NOT NULL, reason TEXT NOT NULL,
    booked_by TEXT NOT NULL, booked_by_sub TEXT
  ) STRICT;
  CREATE INDEX IF NOT EXISTS appointments_in_order ON appointments (starts_at, id);
`;

const columns = 'CAST(id AS TEXT) AS id, patient_id, patient_name, starts_at, minutes, reason, booked_by';

export interface AppointmentStore {
  /** By time. With `sub`: only that user's own. */
  list(page: ListPage, sub?: string): Appointment[];
  book(
    entry: Omit<Appointment, 'id'> & {
      readonly patient_sub: string | undefined;
      readonly booked_by_sub: string;
    },
  ): Appointment;
  close(): void;
}

export function openAppointmentStore(
  dataDir: string,
): AppointmentStore & { readonly database: DatabaseSync } {
  const database = openDatabase(dataDir, 'appointments.sqlite', schema);
  // The cursor is an id, the order is by time: the row of that id says where to go on. An id that is not there gives nothing.
  const some = database.prepare(`
    SELECT ${columns} FROM appointments
    WHERE (?1 IS NULL OR (starts_at, appointments.id) > (SELECT starts_at, id FROM appointments WHERE id = ?1))
      AND (?2 IS NULL OR patient_sub = ?2)
    ORDER BY starts_at, appointments.id LIMIT ?3`);
  const insert = database.prepare(`
    INSERT INTO appointments (patient_id, patient_name, patient_sub, starts_at, minutes, reason, booked_by, booked_by_sub)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
  return {
    database,
    list: ({ limit, after }, sub) =>
      some.all(appointmentNumber(after), sub ?? null, limit + 1) as unknown as Appointment[],
    book({ patient_sub, booked_by_sub, ...appointment }) {
      const { patient_id, patient_name, starts_at, minutes, reason, booked_by } = appointment;
      const sub = patient_sub ?? null;
      const values = [patient_id, patient_name, sub, starts_at, minutes, reason, booked_by, booked_by_sub];
      const { lastInsertRowid } = insert.run(...values);
      return { id: String(lastInsertRowid), ...appointment };
    },
    close: () => database.close(),
  };
}

function appointmentNumber(after: string | undefined): number | null {
  if (after === undefined) return null;
  return /^\d{1,15}$/.test(after) ? Number(after) : -1;
}

/** Fills an empty database, and binds sample appointments to their patients' users as soon as those are known. */
export function seedAppointments(
  database: DatabaseSync,
  people: Readonly<Record<string, string>>,
  now: number,
): void {
  inTransaction(database, () => {
    const empty = database.prepare('SELECT 1 FROM appointments LIMIT 1').get() === undefined;
    const insert = database.prepare(`
      INSERT INTO appointments (patient_id, patient_name, starts_at, minutes, reason, booked_by)
      VALUES (?, ?, ?, ?, ?, 'robin.desk')`);
    const bind = database.prepare(
      'UPDATE appointments SET patient_sub = ? WHERE patient_id = ? AND patient_sub IS NULL',
    );
    for (const { patientId, patientName, inDays, time, minutes, reason } of empty ? sampleAppointments : []) {
      const day = new Date(now + inDays * 86_400_000).toISOString().slice(0, 10);
      insert.run(patientId, patientName, `${day}T${time}:00Z`, minutes, reason);
    }
    for (const { patientId, username } of sampleAppointments) {
      const sub = username === undefined ? undefined : people[username];
      if (sub !== undefined) bind.run(sub, patientId);
    }
  });
}
