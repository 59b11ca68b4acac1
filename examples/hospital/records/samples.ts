// The sample patients and what is written about them, all invented. Two of them can sign in: their rows are bound to a
// user id (`sub`) when the starter tells us one (HOSPITAL_PEOPLE), once and for ever. A user name may be given to somebody
// else some day, a `sub` never.
import type { RecordKind } from './records.ts';

export interface SamplePatient {
  readonly id: string;
  readonly name: string;
  readonly born: string;
  readonly username?: string;
  /** Days ago, kind, text, author. */
  readonly records: readonly (readonly [number, RecordKind, string, string])[];
}

export const samplePatients: readonly SamplePatient[] = [
  {
    id: 'p-1001',
    name: 'Ann Lee',
    born: '1986-04-12',
    username: 'ann.lee',
    records: [
      [212, 'diagnosis', 'Seasonal allergic rhinitis, mild. Worse in May.', 'dr.grey'],
      [211, 'prescription', 'Cetirizine 10 mg, one tablet in the evening as needed.', 'dr.grey'],
      [14, 'result', 'Blood pressure 118/76, pulse 64, regular.', 'nurse.joy'],
      [
        14,
        'note',
        'Feels well. Sleeps through the night since the dose was moved to the evening.',
        'dr.grey',
      ],
    ],
  },
  {
    id: 'p-1002',
    name: 'Ben Ortiz',
    born: '1959-11-03',
    username: 'ben.ortiz',
    records: [
      [96, 'diagnosis', 'Type 2 diabetes, well controlled.', 'dr.grey'],
      [96, 'prescription', 'Metformin 500 mg, twice a day with meals.', 'dr.grey'],
      [9, 'result', 'HbA1c 6.4 %. Kidney values normal.', 'nurse.joy'],
      [9, 'note', 'Walks half an hour a day. Next eye check in autumn.', 'dr.grey'],
    ],
  },
  {
    id: 'p-1003',
    name: 'Clara Novak',
    born: '2001-07-21',
    records: [
      [33, 'diagnosis', 'Sprained left ankle, no fracture on the X-ray.', 'dr.grey'],
      [12, 'note', 'Walks without pain. Strengthening exercises for four more weeks.', 'dr.grey'],
    ],
  },
  {
    id: 'p-1004',
    name: 'David Okafor',
    born: '1974-01-30',
    records: [
      [61, 'result', 'Resting ECG normal.', 'nurse.joy'],
      [60, 'diagnosis', 'Tension headache. No sign of anything else.', 'dr.grey'],
    ],
  },
  {
    id: 'p-1005',
    name: 'Emi Tanaka',
    born: '1992-09-08',
    records: [[5, 'note', 'Second trimester, all as it should be. Next scan in four weeks.', 'dr.grey']],
  },
  {
    id: 'p-1006',
    name: 'Farah Haddad',
    born: '1948-02-17',
    records: [
      [140, 'diagnosis', 'Mild hypertension.', 'dr.grey'],
      [139, 'prescription', 'Amlodipine 5 mg in the morning.', 'dr.grey'],
      [3, 'result', 'Blood pressure 131/82, mean of seven days.', 'nurse.joy'],
    ],
  },
];
