// What the auth server is told, made from the settings. Only what was given is passed on: its own defaults stand in one
// place, in @latchkey/server.
import type { AuthServerOptions } from '@latchkey/server';
import type { Settings } from './settings.ts';
import { settings as tableOfSettings } from './table.ts';

export interface AuthListening {
  /** Where to listen; absent for a server that only works for one command. */
  readonly listen?: { readonly host: string; readonly port: number };
  readonly internal?: { readonly host: string; readonly port: number };
}

const passedOn = [
  'masterKeyFile',
  'masterKey',
  'refreshGrace',
  'accessTokenLife',
  'algorithm',
  'keyRotation',
  'sessionIdle',
  'sessionMax',
  'registration',
  'origins',
  'receiverNetworks',
  'customClaims',
] as const satisfies readonly (keyof AuthServerOptions)[];

export function authServerOptions(settings: Settings, listening: AuthListening): AuthServerOptions {
  const given = Object.fromEntries(
    passedOn.flatMap((name) => {
      const value = settings.given(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
  const proxies = settings.given<readonly string[]>('trustedProxies');
  return {
    ...given,
    // The gateway of this machine is always one of them: it says who the client is.
    ...(proxies !== undefined && { trustedProxies: ['loopback', ...proxies] }),
    ...groupOf(settings, 'admin'),
    ...groupOf(settings, 'passwords'),
    ...groupOf(settings, 'limits'),
    ...groupOf(settings, 'signals'),
    ...listening,
    issuer: settings.issuer,
    audience: settings.audience,
    dataDir: settings.dataDir,
    logLevel: settings.given('log') ?? 'info',
  };
}

/** `passwords.memory` and its like, gathered into one object again; nothing when none was given. */
function groupOf(settings: Settings, group: string): Record<string, unknown> {
  const entries = tableOfSettings
    .filter(({ name }) => name.startsWith(`${group}.`))
    .flatMap(({ name }) => {
      const value = settings.given(name);
      return value === undefined ? [] : [[name.slice(group.length + 1), value] as const];
    });
  return entries.length === 0 ? {} : { [group]: Object.fromEntries(entries) };
}
