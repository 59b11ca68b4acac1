// The sample people of latchkey.example.ts, as the sign-in form offers them. Their passwords are random, were made at the first
// start, and stand on the screen of whoever started the system: never in a file of this page.
export const people = [
  { username: 'dr.grey', role: 'Doctor', note: 'Reads and writes every record' },
  { username: 'nurse.joy', role: 'Nurse', note: 'Reads records, books appointments' },
  { username: 'robin.desk', role: 'Receptionist', note: 'Books appointments, sees no records' },
  { username: 'ann.lee', role: 'Patient', note: 'Sees her own records only' },
  { username: 'ben.ortiz', role: 'Patient', note: 'Sees his own records only' },
];
