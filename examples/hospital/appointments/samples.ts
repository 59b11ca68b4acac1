// Sample appointments in the days after the first start. Names and users are repeated here on purpose: a service that keeps
// its own database does not read another's.

export interface SampleAppointment {
  readonly patientId: string;
  readonly patientName: string;
  readonly username?: string;
  /** Days from the first start. */
  readonly inDays: number;
  /** Hours and minutes, UTC. */
  readonly time: string;
  readonly minutes: number;
  readonly reason: string;
}

export const sampleAppointments: readonly SampleAppointment[] = [
  {
    patientId: 'p-1006',
    patientName: 'Farah Haddad',
    inDays: 1,
    time: '08:30',
    minutes: 20,
    reason: 'Blood pressure',
  },
  {
    patientId: 'p-1001',
    patientName: 'Ann Lee',
    username: 'ann.lee',
    inDays: 1,
    time: '09:00',
    minutes: 30,
    reason: 'Yearly check',
  },
  {
    patientId: 'p-1003',
    patientName: 'Clara Novak',
    inDays: 2,
    time: '10:15',
    minutes: 30,
    reason: 'Ankle, follow-up',
  },
  {
    patientId: 'p-1002',
    patientName: 'Ben Ortiz',
    username: 'ben.ortiz',
    inDays: 3,
    time: '09:30',
    minutes: 45,
    reason: 'Diabetes review',
  },
  { patientId: 'p-1005', patientName: 'Emi Tanaka', inDays: 6, time: '14:00', minutes: 30, reason: 'Scan' },
  {
    patientId: 'p-1001',
    patientName: 'Ann Lee',
    username: 'ann.lee',
    inDays: 20,
    time: '11:00',
    minutes: 15,
    reason: 'Results',
  },
];
