// What each part of the system is started with: its program, its environment, where it listens, where its log goes.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Route } from '@latchkey/gateway';
import { CommandError } from '../failure.ts';
import type { ServiceConfig } from '../settings/config.ts';
import type { ClientCredential } from '../settings/gateway_client.ts';
import { gatewayOptions } from '../settings/gateway_options.ts';
import type { Settings } from '../settings/settings.ts';
import { settings as allSettings } from '../settings/table.ts';
import type { ChildPlan } from './child.ts';
import { environmentForAuth, environmentForOthers } from './environment.ts';
import type { GatewayWork } from './gateway_child.ts';

export interface Places {
  readonly settings: Settings;
  readonly authPort: number;
  readonly internalPort: number;
  readonly gatewayInternalPort: number;
  readonly servicePorts: Readonly<Record<string, number>>;
  readonly remarks: readonly string[];
}

function logFileOf(settings: Settings, name: string): string {
  return join(settings.dataDir, 'logs', `${name}.log`);
}

/** `latchkey auth`, which reads the configuration itself: it may hold a function. */
export function authPlan({ settings, authPort, internalPort }: Places): ChildPlan {
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

/** Where the signals are read when they are served on the internal port alone. */
function internalSignals({ settings, internalPort }: Places): string | undefined {
  return settings.given('signals.access') === 'internal' ? `http://127.0.0.1:${internalPort}` : undefined;
}

export function gatewayPlan(
  places: Places,
  routes: readonly Route[],
  client: ClientCredential | undefined,
): ChildPlan {
  const { settings, authPort, gatewayInternalPort } = places;
  const work: GatewayWork = {
    options: gatewayOptions(settings, {
      port: settings.port,
      internalPort: gatewayInternalPort,
      authUrl: `http://127.0.0.1:${authPort}`,
      signalsUrl: internalSignals(places),
      client,
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

interface Service {
  readonly name: string;
  /** Absolute. */
  readonly entry: string;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

export function servicePlan(
  places: Places,
  { name, entry, env }: Service,
  client: ClientCredential | undefined,
): ChildPlan {
  const { settings, authPort, servicePorts } = places;
  const signals = internalSignals(places);
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
      ...(signals !== undefined && { LATCHKEY_SIGNALS_ADDRESS: `${signals}/auth` }),
      // In its own environment, which nobody else on the machine can read.
      ...(client !== undefined && { LATCHKEY_CLIENT_ID: client.id, LATCHKEY_CLIENT_SECRET: client.secret }),
      ...env,
    },
    logFile: logFileOf(settings, name),
  };
}

export function configuredPlan(
  places: Places,
  { name, entry, env }: ServiceConfig,
  client: ClientCredential | undefined,
): ChildPlan {
  const base =
    places.settings.configFile === undefined ? process.cwd() : join(places.settings.configFile, '..');
  const file = resolve(base, entry);
  if (!existsSync(file)) throw new CommandError(`services: ${name}: there is no program ${file}`);
  const plan = servicePlan(places, { name, entry: file, env }, client);
  return { ...plan, port: places.servicePorts[name]!, folder: base };
}
