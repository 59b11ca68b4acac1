// The whole system on one machine, as `latchkey start` runs it: choose ports, start the auth server, make the sample
// people, start services and gateway side by side. Stopping goes the other way round.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Route } from '@latchkey/gateway';
import { connectAdmin, socketPathOf } from '../admin/admin.ts';
import { CommandError } from '../failure.ts';
import type { ServiceConfig } from '../settings/config.ts';
import { gatewayOptions } from '../settings/gateway_options.ts';
import { type Settings, withPort } from '../settings/settings.ts';
import { settings as allSettings } from '../settings/table.ts';
import type { ChildPlan } from './child.ts';
import { environmentForAuth, environmentForOthers } from './environment.ts';
import type { LoadedExample } from './example.ts';
import type { GatewayWork } from './gateway_child.ts';
import type { ReadyMessage } from './messages.ts';
import { ensurePeople, type SamplePerson } from './people.ts';
import { choosePort, freePorts } from './ports.ts';
import type { Supervisor } from './supervisor.ts';

export interface RunningSystem {
  readonly publicUrl: string;
  readonly auth: ReadyMessage;
  readonly gateway: ReadyMessage;
  readonly people: readonly SamplePerson[];
  /** The routes of example and settings, for the lines to try. */
  readonly routes: readonly Route[];
  /** What a person should be told once: a port that was taken. */
  readonly remarks: readonly string[];
}

interface Places {
  readonly settings: Settings;
  readonly authPort: number;
  readonly internalPort: number;
  readonly gatewayInternalPort: number;
  readonly servicePorts: Readonly<Record<string, number>>;
  readonly remarks: readonly string[];
}

/** @throws CommandError when a part does not start; what runs by then is the caller's to stop */
export async function startSystem(
  given: Settings,
  loaded: LoadedExample | undefined,
  supervisor: Supervisor,
): Promise<RunningSystem> {
  const services = given.given<readonly ServiceConfig[]>('services') ?? [];
  const names = [
    ...services.map(({ name }) => name),
    ...(loaded?.example.services.map(({ name }) => name) ?? []),
  ];
  const places = await choosePlaces(given, names);
  const { settings } = places;

  const auth = await supervisor.start(authPlan(places));
  const people = loaded === undefined ? [] : await samplePeople(settings, loaded);
  const addresses = Object.fromEntries(
    names.map((name) => [name, `http://127.0.0.1:${places.servicePorts[name]}`]),
  );
  const routes = loaded?.example.routes(addresses) ?? [];
  const started = { addresses, people: Object.fromEntries(people.map(({ username, id }) => [username, id])) };

  const ofExample = (loaded?.example.services ?? []).map((service) =>
    servicePlan(places, service.name, resolve(loaded!.folder, service.entry), service.env?.(started) ?? {}),
  );
  const ofSettings = services.map((service) => configuredPlan(places, service));
  // The gateway is put last, so that it stops first.
  const ready = await Promise.all(
    [...ofExample, ...ofSettings, gatewayPlan(places, routes)].map((plan) => supervisor.start(plan)),
  );
  return {
    publicUrl: settings.publicUrl,
    auth,
    gateway: ready.at(-1)!,
    people,
    routes,
    remarks: places.remarks,
  };
}

async function choosePlaces(given: Settings, services: readonly string[]): Promise<Places> {
  const fixed = given.given<readonly ServiceConfig[]>('services') ?? [];
  const port = await choosePort(given, 'port', 8080, given.host);
  const auth = await choosePort(given, 'authPort', 4000, given.authHost);
  const internal = await choosePort(given, 'internalPort', 0, '127.0.0.1');
  const gatewayInternal = await choosePort(given, 'gatewayInternalPort', 0, '127.0.0.1');
  const free = await freePorts(services.length);
  const servicePorts = services.map((name, index) => [
    name,
    fixed.find((each) => each.name === name)?.port ?? free[index]!,
  ]);
  return {
    settings: withPort(given, port.port),
    authPort: auth.port,
    internalPort: internal.port,
    gatewayInternalPort: gatewayInternal.port,
    servicePorts: Object.fromEntries(servicePorts),
    remarks: [port.remark, auth.remark].filter((remark) => remark !== undefined),
  };
}

function logFileOf(settings: Settings, name: string): string {
  return join(settings.dataDir, 'logs', `${name}.log`);
}

/** `latchkey auth`, which reads the configuration itself: it may hold a function. */
function authPlan({ settings, authPort, internalPort }: Places): ChildPlan {
  const bin = ['../../bin/latchkey.mjs', '../bin/latchkey.mjs'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  const given = Object.fromEntries(
    allSettings
      .filter(({ name }) => settings.sourceOf(name) === 'flag')
      .map(({ name }) => [name, settings.given(name)]),
  );
  const { port, publicUrl, dataDir } = settings;
  return {
    name: 'auth',
    entry: bin.find((file) => existsSync(file))!,
    args: ['auth', ...(settings.configFile === undefined ? [] : ['--config', settings.configFile])],
    env: environmentForAuth(process.env, { ...given, port, publicUrl, authPort, internalPort, dataDir }),
    logFile: logFileOf(settings, 'auth'),
  };
}

function gatewayPlan(
  { settings, authPort, gatewayInternalPort }: Places,
  routes: readonly Route[],
): ChildPlan {
  const work: GatewayWork = {
    options: gatewayOptions(settings, {
      port: settings.port,
      internalPort: gatewayInternalPort,
      authUrl: `http://127.0.0.1:${authPort}`,
      routes,
    }),
    log: settings.given('log') ?? 'info',
  };
  return {
    name: 'gateway',
    entry: fileURLToPath(new URL('./gateway_child.ts', import.meta.url)),
    work,
    env: environmentForOthers(process.env),
    logFile: logFileOf(settings, 'gateway'),
  };
}

function servicePlan(
  places: Places,
  name: string,
  entry: string,
  env: Readonly<Record<string, string>>,
): ChildPlan {
  const { settings, authPort, servicePorts } = places;
  return {
    name,
    entry,
    env: {
      ...environmentForOthers(process.env),
      PORT: String(servicePorts[name]),
      DATA_DIR: join(settings.dataDir, name),
      LATCHKEY_ISSUER: settings.issuer,
      LATCHKEY_AUDIENCE: settings.audience,
      LATCHKEY_ISSUER_ADDRESS: `http://127.0.0.1:${authPort}/auth`,
      ...env,
    },
    logFile: logFileOf(settings, name),
  };
}

function configuredPlan(places: Places, { name, entry, env }: ServiceConfig): ChildPlan {
  const base =
    places.settings.configFile === undefined ? process.cwd() : join(places.settings.configFile, '..');
  const file = resolve(base, entry);
  if (!existsSync(file)) throw new CommandError(`services: ${name}: there is no program ${file}`);
  return { ...servicePlan(places, name, file, env ?? {}), port: places.servicePorts[name]!, folder: base };
}

async function samplePeople(settings: Settings, { example }: LoadedExample): Promise<SamplePerson[]> {
  const admin = await connectAdmin(socketPathOf(settings));
  if (admin === undefined) throw new CommandError('the auth server runs, but its socket does not answer');
  return ensurePeople(admin, example, join(settings.dataDir, example.name, 'people.json'));
}
