// The hospital's two services as real processes with their own databases, the people of the manifest, and an issuer.
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import example, { type Addresses } from '../../examples/hospital/latchkey.example.ts';
import { type Person, startIssuer, type TestIssuer } from './hospital_issuer.ts';

export type ServiceName = keyof Addresses;

export interface Service {
  readonly url: string;
  readonly process: ChildProcess;
  /** Everything it wrote. */
  readonly output: () => string;
  /** Resolves with the exit code, or the signal's name. */
  readonly ended: Promise<number | string | null>;
}

export interface Hospital {
  readonly issuer: TestIssuer;
  readonly people: Readonly<Record<string, Person>>;
  readonly dataDir: string;
  readonly services: Record<ServiceName, Service>;
  /** Starts a service (again) on the database it has. */
  start(name: ServiceName): Promise<void>;
  /** One call to a service, without a gateway. */
  call(name: ServiceName, path: string, init?: CallInit): Promise<Reply>;
  close(): Promise<void>;
}

export interface CallInit {
  readonly as?: string;
  readonly token?: string;
  readonly method?: string;
  readonly json?: unknown;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Any item of any list; what is absent is undefined. */
type Item = { readonly [name: string]: string };

/** Everything that one answer or another holds. */
export interface ReplyBody {
  readonly [name: string]: unknown;
  readonly items: readonly Item[];
  readonly next?: string;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** Of an answer that is no JSON: an empty object. */
  readonly body: ReplyBody;
  readonly text: string;
}

export async function startHospital(): Promise<Hospital> {
  const issuer = await startIssuer();
  const dataDir = mkdtempSync(join(tmpdir(), 'hospital-'));
  const people = examplePeople();
  const services = {} as Record<ServiceName, Service>;

  const start = async (name: ServiceName): Promise<void> => {
    services[name] = await startService(name, {
      ...settingsFor(name, issuer, dataDir),
      ...environmentOf(name, people, services.records?.url ?? ''),
    });
  };
  await start('records');
  await start('appointments');
  return {
    issuer,
    people,
    dataDir,
    services,
    start,
    async call(name, path, { as, token, method = 'GET', json, body, headers = {} } = {}) {
      const bearer = token ?? (as === undefined ? undefined : issuer.tokenFor(people[as] as Person));
      const response = await fetch(services[name].url + path, {
        method,
        headers: {
          ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(json === undefined && body === undefined
          ? {}
          : { body: (body as string) ?? JSON.stringify(json) }),
        redirect: 'manual',
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, body: parse(text) };
    },
    async close() {
      for (const service of Object.values(services)) service.process.kill('SIGKILL');
      await Promise.all(Object.values(services).map(({ ended }) => ended));
      await issuer.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function parse(text: string): ReplyBody {
  try {
    return JSON.parse(text) as ReplyBody;
  } catch {
    return {} as ReplyBody;
  }
}

/** The manifest's people with the permissions of their roles, and a stranger who has signed in and has no role. */
function examplePeople(): Record<string, Person> {
  const list = [...example.people, { username: 'stranger', roles: [] }];
  return Object.fromEntries(
    list.map(({ username, roles }): [string, Person] => {
      const permissions = example.roles
        .filter(({ name }) => (roles as readonly string[]).includes(name))
        .flatMap((role) => [...role.permissions]);
      return [username, { username, roles, permissions, sub: `usr_${username.replace('.', '_')}` }];
    }),
  );
}

function settingsFor(
  name: string,
  { issuer, audience }: TestIssuer,
  dataDir: string,
): Record<string, string> {
  return { DATA_DIR: join(dataDir, name), LATCHKEY_ISSUER: issuer, LATCHKEY_AUDIENCE: audience };
}

/** What the manifest says, as the starter would apply it. */
function environmentOf(
  name: ServiceName,
  people: Record<string, Person>,
  records: string,
): Record<string, string> {
  const service = example.services.find((each) => each.name === name);
  const subs = Object.fromEntries(Object.values(people).map(({ username, sub }) => [username, sub]));
  return { ...service?.env({ addresses: { records, appointments: '' }, people: subs }) };
}

export async function startService(name: ServiceName, env: Record<string, string>): Promise<Service> {
  const entry = fileURLToPath(new URL(`../../examples/hospital/${name}/main.ts`, import.meta.url));
  const child = fork(entry, { env: { PATH: process.env['PATH'], ...env }, silent: true, execArgv: [] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  const ended = new Promise<number | string | null>((resolve) =>
    child.once('exit', (code, signal) => resolve(signal ?? code)),
  );
  await Promise.race([
    new Promise((resolve) => child.once('message', resolve)),
    ended.then((how) => Promise.reject(new Error(`${name} ended with ${how}: ${output}`))),
  ]);
  const url = / ready on (\S+)/.exec(output)?.[1];
  if (url === undefined) throw new Error(`${name} did not say where it listens: ${output}`);
  return { url, process: child, output: () => output, ended };
}
