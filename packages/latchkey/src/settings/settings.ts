// The settings of one run, read once: what was given, the plain defaults, and paths made absolute. What a part makes
// of them (AuthServerOptions, GatewayOptions) stands in its own module.
import { dirname, resolve } from 'node:path';
import { CommandError } from '../failure.ts';
import { readConfigFile } from './config_file.ts';
import { clientFaults } from './gateway_client.ts';
import { path } from './kinds.ts';
import { mergeSettings, type Source } from './merge.ts';
import { settingNamed } from './table.ts';

export interface Settings {
  readonly configFile: string | undefined;
  /** What was given for a setting; `undefined` when nothing was. */
  given<T>(name: string): T | undefined;
  readonly sourceOf: (name: string) => Source | undefined;
  readonly host: string;
  readonly port: number;
  readonly authHost: string;
  readonly authPort: number;
  /** Absolute. */
  readonly dataDir: string;
  /** The public origin, without a path. */
  readonly publicUrl: string;
  /** The public origin followed by /auth. */
  readonly issuer: string;
  readonly audience: string;
}

export interface SettingsRequest {
  readonly flags?: Readonly<Record<string, string | undefined>>;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly folder?: string;
}

/** What `readSettings` finds, faults included, for `latchkey doctor`, which wants both. */
export interface SettingsReport {
  readonly settings: Settings;
  readonly faults: readonly string[];
}

/** @throws CommandError only when the configuration file itself cannot be read */
export async function inspectSettings(request: SettingsRequest = {}): Promise<SettingsReport> {
  const folder = request.folder ?? process.cwd();
  const environment = request.environment ?? process.env;
  const found = await readConfigFile(request.flags?.['config'] ?? environment['LATCHKEY_CONFIG'], folder);
  const merged = mergeSettings({ flags: request.flags ?? {}, environment, file: found?.config });
  const base = found === undefined ? folder : dirname(found.file);

  const given = <T>(name: string): T | undefined => {
    const value = merged.values.get(name);
    if (settingNamed(name)?.kind !== path || value === undefined) return value as T | undefined;
    return resolve(merged.sources.get(name) === 'file' ? base : folder, value as string) as T;
  };
  const port = given<number>('port') ?? 8080;
  const scheme = given('tls.cert') === undefined ? 'http' : 'https';
  const publicUrl = given<string>('publicUrl') ?? `${scheme}://localhost:${port === 0 ? 8080 : port}`;
  const settings: Settings = {
    configFile: found?.file,
    given,
    sourceOf: (name) => merged.sources.get(name),
    host: given('host') ?? '127.0.0.1',
    port,
    authHost: given('authHost') ?? '127.0.0.1',
    authPort: given('authPort') ?? 4000,
    dataDir: given('dataDir') ?? resolve(base, 'data'),
    publicUrl,
    issuer: `${publicUrl}/auth`,
    audience: given('audience') ?? publicUrl,
  };
  return { settings, faults: [...merged.faults, ...faultsAcross(settings)] };
}

/** @throws CommandError that lists every fault of the settings */
export async function readSettings(request: SettingsRequest = {}): Promise<Settings> {
  const { settings, faults } = await inspectSettings(request);
  if (faults.length > 0) throw settingsError(faults, settings.configFile);
  return settings;
}

export function settingsError(faults: readonly string[], configFile?: string): CommandError {
  const count = faults.length === 1 ? 'one setting is wrong' : `${faults.length} settings are wrong`;
  const place = configFile === undefined ? '' : ` (${configFile} and the environment)`;
  return new CommandError(`${count}${place}\n${faults.map((fault) => `  - ${fault}`).join('\n')}`, {
    hint: 'latchkey doctor checks everything else too; docs/configuration.md lists every setting',
    exitCode: 2,
  });
}

function faultsAcross(settings: Settings): string[] {
  const faults: string[] = [];
  const cert = settings.given('tls.cert') !== undefined;
  if (cert !== (settings.given('tls.key') !== undefined)) faults.push('tls: cert and key belong together');
  if (settings.given('databaseUrl') !== undefined) {
    faults.push(
      'databaseUrl (LATCHKEY_DATABASE_URL): PostgreSQL is not in this version; leave it out to use SQLite',
    );
  }
  if (settings.given('masterKey') !== undefined && settings.given('masterKeyFile') !== undefined) {
    faults.push(
      'masterKey (LATCHKEY_MASTER_KEY) and masterKeyFile (LATCHKEY_MASTER_KEY_FILE): give one of them',
    );
  }
  faults.push(...clientFaults(settings));
  const trusted = (settings.given<readonly string[]>('trustedProxies') ?? []).length > 0;
  if (!isLoopback(settings.host) && !cert && !trusted) {
    faults.push(`host: listening on ${settings.host} needs tls, or trustedProxies when a proxy ends TLS`);
  }
  if (!isLoopback(settings.authHost) && !trusted) {
    faults.push(
      `authHost: listening on ${settings.authHost} needs trustedProxies, since it speaks plain HTTP`,
    );
  }
  const idle = settings.given<number>('sessionIdle') ?? 14 * 86_400;
  const max = settings.given<number>('sessionMax') ?? 30 * 86_400;
  if (idle > max) faults.push('sessionIdle: may not be longer than sessionMax');
  return faults;
}

/** The public address follows the port that was chosen, unless it was given. */
export function withPort(settings: Settings, port: number): Settings {
  if (port === settings.port || settings.given('publicUrl') !== undefined) return { ...settings, port };
  const publicUrl = settings.publicUrl.replace(/:\d+$/, `:${port}`);
  const audience = settings.given<string>('audience') ?? publicUrl;
  return { ...settings, port, publicUrl, issuer: `${publicUrl}/auth`, audience };
}

/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
