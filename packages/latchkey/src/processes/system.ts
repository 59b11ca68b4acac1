// The whole system on one machine, as `latchkey start` runs it: choose ports, start the auth server, make the sample
// people, start services and gateway side by side. Stopping goes the other way round.
import { join, resolve } from 'node:path';
import type { Route } from '@latchkey/gateway';
import { type Admin, connectAdmin, socketPathOf } from '../admin/admin.ts';
import { CommandError } from '../failure.ts';
import type { ServiceConfig } from '../settings/config.ts';
import { type ClientCredential, readGatewayClient } from '../settings/gateway_client.ts';
import { type Settings, settingsError, withPort } from '../settings/settings.ts';
import type { LoadedExample } from './example.ts';
import type { ReadyMessage } from './messages.ts';
import { ensurePeople, type SamplePerson } from './people.ts';
import { authPlan, configuredPlan, gatewayPlan, type Places, servicePlan } from './plans.ts';
import { choosePort, freePorts } from './ports.ts';
import { type Credentials, ensureClients } from './reader_clients.ts';
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
  const own = readGatewayClient(given);
  if (own.faults.length > 0) throw settingsError(own.faults, given.configFile);
  const places = await choosePlaces(given, names);
  const { settings } = places;

  const auth = await supervisor.start(authPlan(places));
  const { people, clients } = await prepare(settings, loaded, names, own.client);
  const addresses = Object.fromEntries(
    names.map((name) => [name, `http://127.0.0.1:${places.servicePorts[name]}`]),
  );
  const routes = loaded?.example.routes(addresses) ?? [];
  const started = { addresses, people: Object.fromEntries(people.map(({ username, id }) => [username, id])) };

  const ofExample = (loaded?.example.services ?? []).map(({ name, entry, env }) =>
    servicePlan(places, { name, entry: resolve(loaded!.folder, entry), env: env?.(started) }, clients[name]),
  );
  const ofSettings = services.map((service) => configuredPlan(places, service, clients[service.name]));
  const gateway = gatewayPlan(places, routes, own.client ?? clients[gatewayName(settings)]);
  // The gateway is put last, so that it stops first.
  const ready = await Promise.all(
    [...ofExample, ...ofSettings, gateway].map((plan) => supervisor.start(plan)),
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

function gatewayName(settings: Settings): string {
  return settings.given('gateway.name') ?? 'gateway';
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

/** What the auth server must know before the others start: the example's people, and a client for each reader. */
async function prepare(
  settings: Settings,
  loaded: LoadedExample | undefined,
  services: readonly string[],
  gateway: ClientCredential | undefined,
): Promise<{ people: readonly SamplePerson[]; clients: Credentials }> {
  const admin = await connectAdmin(socketPathOf(settings));
  if (admin === undefined) throw new CommandError('the auth server runs, but its socket does not answer');
  const names = gateway === undefined ? [...services, gatewayName(settings)] : services;
  const [people, clients] = await Promise.all([
    samplePeople(admin, settings, loaded),
    ensureClients(admin, names, join(settings.dataDir, 'clients.json')),
  ]);
  return { people, clients };
}

async function samplePeople(
  admin: Admin,
  settings: Settings,
  loaded: LoadedExample | undefined,
): Promise<SamplePerson[]> {
  if (loaded === undefined) return [];
  const { example } = loaded;
  return ensurePeople(admin, example, join(settings.dataDir, example.name, 'people.json'));
}
