// The shape of latchkey.config.ts, for the person who writes one. The table of settings says the same at run time; a
// test keeps the two together.
import type { Algorithm } from '@latchkey/core';
import type { Route } from '@latchkey/gateway';
import type { AuthServerOptions } from '@latchkey/server';

/** Seconds, or text such as `90s`, `15m`, `12h`, `14d`. */
export type Duration = number | `${number}${'s' | 'm' | 'h' | 'd'}`;

export interface ServiceConfig {
  readonly name: string;
  /** A program for Node.js, relative to the configuration file. */
  readonly entry: string;
  /** Given to the program beside PORT, LATCHKEY_ISSUER, LATCHKEY_AUDIENCE, and LATCHKEY_CLIENT_ID with its secret. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where it listens; waited for at the start. */
  readonly port?: number;
}

/** How the gateway reads the signals, and who it is when it does. */
export interface GatewayConfig {
  readonly name?: string;
  /** Its secret stands in a file of mode 0600, or in the environment. */
  readonly client?: { readonly id: string; readonly secretFile?: string };
  readonly signals?: 'stream' | 'poll';
  readonly pollInterval?: Duration;
  readonly signalsUrl?: string;
  readonly stateFile?: string;
}

export interface Config {
  readonly publicUrl?: string;
  readonly audience?: string;
  readonly host?: string;
  readonly port?: number;
  readonly authHost?: string;
  readonly authPort?: number;
  readonly authUrl?: string;
  readonly internalPort?: number;
  readonly gatewayInternalPort?: number;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly trustedProxies?: readonly string[];
  readonly origins?: readonly string[];
  readonly receiverNetworks?: readonly string[];
  readonly dataDir?: string;
  readonly databaseUrl?: string;
  readonly masterKeyFile?: string;
  readonly log?: 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  readonly admin?: { readonly username?: string };
  readonly accessTokenLife?: Duration;
  readonly algorithm?: Exclude<Algorithm, 'HS256'>;
  readonly keyRotation?: Duration;
  readonly refreshGrace?: Duration;
  readonly sessionIdle?: Duration;
  readonly sessionMax?: Duration;
  readonly registration?: boolean;
  readonly customClaims?: AuthServerOptions['customClaims'];
  readonly passwords?: AuthServerOptions['passwords'];
  readonly limits?: Omit<NonNullable<AuthServerOptions['limits']>, 'attemptWindow'> & {
    readonly attemptWindow?: Duration;
  };
  readonly signals?: AuthServerOptions['signals'];
  readonly gateway?: GatewayConfig;
  readonly routes?: readonly Route[];
  readonly services?: readonly ServiceConfig[];
}

/** Gives an editor the types of a configuration; changes nothing. */
export function defineConfig(config: Config): Config {
  return config;
}
