// What `latchkey start --example hospital` needs to know: plain data, and three functions of what the starter has chosen (ports,
// users). The starter makes the roles and people at the first start, with random passwords that it prints, starts each
// service as a child process with the environment below, and gives the routes to the gateway.

/** Structurally the gateway's Route. */
export interface ExampleRoute {
  readonly prefix: string;
  readonly methods?: readonly string[];
  readonly upstreams: readonly string[];
  readonly access: 'public' | 'authenticated' | { readonly permission: string };
  readonly sensitive?: boolean;
  readonly timeLimit?: number;
  readonly bodyLimit?: number;
}

/** Where each service listens, by name: `http://127.0.0.1:4101`. */
export type Addresses = Readonly<Record<'records' | 'appointments', string>>;

export interface StartedWith {
  readonly addresses: Addresses;
  /** The people's user ids (`sub`), by user name. */
  readonly people: Readonly<Record<string, string>>;
}

export interface ExampleService {
  readonly name: keyof Addresses;
  /** Beside this file. Says `ready` over the channel to its parent, and one line on standard output. */
  readonly entry: string;
  /**
   * Besides what every service gets: PORT, DATA_DIR (a folder of its own), LATCHKEY_ISSUER, LATCHKEY_AUDIENCE,
   * LATCHKEY_ISSUER_ADDRESS, and LATCHKEY_CLIENT_ID with LATCHKEY_CLIENT_SECRET.
   */
  readonly env: (started: StartedWith) => Readonly<Record<string, string>>;
}

export interface ExamplePerson {
  readonly username: string;
  readonly roles: readonly string[];
  /** One line for the starter's screen. */
  readonly note: string;
}

const permissions = {
  doctor: ['records:read', 'records:write', 'appointments:read', 'appointments:write'],
  nurse: ['records:read', 'appointments:read', 'appointments:write'],
  receptionist: ['appointments:read', 'appointments:write'],
  patient: [],
} as const;

const roles = [
  {
    name: 'doctor',
    permissions: permissions.doctor,
    description: 'Reads and writes records, keeps appointments',
  },
  { name: 'nurse', permissions: permissions.nurse, description: 'Reads records, keeps appointments' },
  {
    name: 'receptionist',
    permissions: permissions.receptionist,
    description: 'Keeps appointments, sees no records',
  },
  // No permission at all: the services compare `sub` and show a patient what is their own.
  {
    name: 'patient',
    permissions: permissions.patient,
    description: 'Sees their own records and appointments',
  },
];

const people: readonly ExamplePerson[] = [
  { username: 'dr.grey', roles: ['doctor'], note: 'reads and writes all records' },
  { username: 'nurse.joy', roles: ['nurse'], note: 'reads records, books appointments' },
  { username: 'robin.desk', roles: ['receptionist'], note: 'books appointments, sees no records' },
  { username: 'ann.lee', roles: ['patient'], note: 'sees her own records only (p-1001)' },
  { username: 'ben.ortiz', roles: ['patient'], note: 'sees his own records only (p-1002)' },
];

/** Both use parts of Node that warn when they are first touched: that is for those who develop, not for the first screen. */
const quiet = {
  NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --disable-warning=ExperimentalWarning`.trim(),
};

const services: readonly ExampleService[] = [
  {
    name: 'records',
    entry: 'records/main.ts',
    env: ({ people }) => ({ ...quiet, HOSPITAL_PEOPLE: JSON.stringify(people) }),
  },
  {
    name: 'appointments',
    entry: 'appointments/main.ts',
    env: ({ people, addresses }) => ({
      ...quiet,
      HOSPITAL_PEOPLE: JSON.stringify(people),
      RECORDS_URL: addresses.records,
    }),
  },
];

/** The gateway checks what a role may do at all; whose row it is, only the service can know. */
function routes({ records, appointments }: Addresses): ExampleRoute[] {
  const api = { timeLimit: 10_000, bodyLimit: 16 * 1024 };
  const toRecords = { ...api, upstreams: [records] };
  const toAppointments = { ...api, upstreams: [appointments] };
  return [
    // Writing a record cannot be taken back, so it is refused as soon as the gateway cannot be sure of revocations.
    {
      ...toRecords,
      prefix: '/api/patients',
      methods: ['POST'],
      access: { permission: 'records:write' },
      sensitive: true,
    },
    { ...toRecords, prefix: '/api/patients', methods: ['GET'], access: 'authenticated' },
    {
      ...toRecords,
      prefix: '/api/directory',
      methods: ['GET'],
      access: { permission: 'appointments:write' },
    },
    {
      ...toAppointments,
      prefix: '/api/appointments',
      methods: ['POST'],
      access: { permission: 'appointments:write' },
    },
    { ...toAppointments, prefix: '/api/appointments', methods: ['GET'], access: 'authenticated' },
    { ...toRecords, prefix: '/', methods: ['GET', 'HEAD'], access: 'public' },
  ];
}

export default {
  name: 'hospital',
  roles,
  people,
  services,
  routes,
  /** A path that the first person may read, for the lines to try. */
  tryPath: '/api/patients/p-1001/records',
};
