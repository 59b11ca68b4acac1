// What the server can be told, the defaults, and every fault of it at once. Seconds outside, milliseconds inside.
import { join } from 'node:path';
import { type Algorithm, supportedAlgorithms } from '@latchkey/core';
import type { ClaimsUser } from './grants/issue.ts';
import type { AttemptLimits } from './rules/attempts.ts';
import { foldName } from './rules/names.ts';
import { isNetwork } from './rules/networks.ts';

export interface Listen {
  readonly host: string;
  /** 0 chooses a free one. */
  readonly port: number;
}

export interface LimitOptions {
  /** Attempts in `attemptWindow` per account and address. @default 10 */
  readonly attemptsPerAccountAndAddress?: number;
  /** @default 100 */
  readonly attemptsPerAddress?: number;
  /** From all addresses together; a known device is not held back by it. @default 100 */
  readonly attemptsPerAccount?: number;
  /** @default 20 */
  readonly attemptsPerDevice?: number;
  /** Seconds. @default 900 */
  readonly attemptWindow?: number;
  /** Refreshes a minute and session. @default 120 */
  readonly refreshesPerMinute?: number;
  /** Open signal streams of strangers, per address. @default 50 */
  readonly streamsPerAddress?: number;
  /** Open signal streams in all. @default 2000 */
  readonly streams?: number;
}

export interface PasswordOptions {
  /** Code points. @default 15 */
  readonly minLength?: number;
  /** KiB. @default 19456 */
  readonly memory?: number;
  /** @default 2 */
  readonly iterations?: number;
  /** @default 1 */
  readonly parallelism?: number;
  /** Passwords that may wait to be hashed. @default 50 */
  readonly queue?: number;
}

export interface SignalOptions {
  /**
   * Who may read the signals: anybody, clients with their credential, or whoever reaches the internal port, where they are then
   * served instead. @default 'public'
   */
  readonly access?: 'public' | 'registered' | 'internal';
}

export interface AuthServerOptions {
  /** `<public origin>/auth`: https, or http on loopback. */
  readonly issuer: string;
  /** `aud` of ordinary tokens. @default the issuer's origin */
  readonly audience?: string;
  readonly dataDir: string;
  readonly listen?: Listen;
  /** /livez, /readyz and /metrics. Without it they are not served. */
  readonly internal?: Listen;
  /** The local operator's socket, mode 0600; null for none. @default <dataDir>/latchkey.sock */
  readonly socketPath?: string | null;
  /** The first administrator, made when there is no user yet. Without a password one is made at random. */
  readonly admin?: { readonly username?: string; readonly password?: string };
  /** @default <dataDir>/master.key */
  readonly masterKeyFile?: string;
  /** 32 bytes in base64url, instead of the file. */
  readonly masterKey?: string;
  /** Seconds, 30–3600. @default 300 */
  readonly accessTokenLife?: number;
  /** Seconds, 0–60. @default 10 */
  readonly refreshGrace?: number;
  /** Seconds without use after which a session ends. @default 14 days */
  readonly sessionIdle?: number;
  /** Seconds: a session's absolute age. @default 30 days */
  readonly sessionMax?: number;
  /** @default 'ES256' */
  readonly algorithm?: Exclude<Algorithm, 'HS256'>;
  /** Seconds that a key signs. @default 30 days */
  readonly keyRotation?: number;
  /** Whether people may register themselves. @default false */
  readonly registration?: boolean;
  /** Other origins whose pages may call with cookies. */
  readonly origins?: readonly string[];
  /** Private networks or addresses that security events may be pushed into. @default none */
  readonly receiverNetworks?: readonly string[];
  /** Addresses or networks of proxies whose X-Forwarded-For counts. @default loopback */
  readonly trustedProxies?: readonly string[];
  readonly passwords?: PasswordOptions;
  readonly limits?: LimitOptions;
  readonly signals?: SignalOptions;
  readonly customClaims?: (user: ClaimsUser) => Record<string, unknown>;
  /** @default 'info' */
  readonly logLevel?: 'silent' | 'fatal' | 'error' | 'warn' | 'info' | 'debug';
  /** The process's clock, milliseconds since 1970; on SQLite it is the database's too. @default Date.now */
  readonly now?: () => number;
}

/** Options with every default in place. Times in milliseconds, but token lives in seconds as in the tokens. */
export interface Settings {
  readonly issuer: string;
  readonly origin: string;
  readonly audience: string;
  readonly dataDir: string;
  readonly databaseFile: string;
  readonly listen: Listen | undefined;
  readonly internal: Listen | undefined;
  readonly socketPath: string | null;
  readonly admin: { readonly username: string; readonly password: string | undefined };
  readonly masterKey: { readonly text: string | undefined; readonly file: string };
  readonly accessTokenLife: number;
  readonly refreshGrace: number;
  readonly sessionIdle: number;
  readonly sessionMax: number;
  readonly algorithm: Exclude<Algorithm, 'HS256'>;
  readonly keyRotation: number;
  readonly registration: boolean;
  readonly origins: readonly string[];
  readonly receiverNetworks: readonly string[];
  readonly trustedProxies: readonly string[];
  readonly passwords: Required<PasswordOptions>;
  readonly attemptLimits: AttemptLimits;
  readonly refreshesPerMinute: number;
  readonly streamsPerAddress: number;
  readonly streams: number;
  readonly signalsAccess: NonNullable<SignalOptions['access']>;
  readonly customClaims: ((user: ClaimsUser) => Record<string, unknown>) | undefined;
  readonly logLevel: NonNullable<AuthServerOptions['logLevel']>;
  readonly now: () => number;
}

/** All faults of a configuration, in one error. */
export class ConfigurationError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(
      `the configuration has ${faults.length} fault${faults.length === 1 ? '' : 's'}: ${faults.join('; ')}`,
    );
    this.name = 'ConfigurationError';
    this.faults = faults;
  }
}

const day = 86_400;

const ranges: Readonly<Record<string, readonly [number, number]>> = {
  accessTokenLife: [30, 3600],
  refreshGrace: [0, 60],
  sessionIdle: [60, 400 * day],
  sessionMax: [60, 400 * day],
  keyRotation: [3600, 400 * day],
  'passwords.minLength': [8, 128],
  'passwords.memory': [19_456, 4_194_304],
  'passwords.iterations': [1, 32],
  'passwords.parallelism': [1, 16],
  'passwords.queue': [1, 10_000],
  'limits.attemptsPerAccountAndAddress': [1, 1e9],
  'limits.attemptsPerAddress': [1, 1e9],
  'limits.attemptsPerAccount': [1, 1e9],
  'limits.attemptsPerDevice': [1, 1e9],
  'limits.attemptWindow': [1, day],
  'limits.refreshesPerMinute': [1, 1e9],
  'limits.streamsPerAddress': [1, 100_000],
  'limits.streams': [1, 100_000],
};

function valueAt(options: AuthServerOptions, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], options);
}

/** https, or http on loopback; no query, fragment or credentials. */
function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
}

export function isLoopback(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/.test(hostname);
}

/** Every fault, in words that say how to mend it; empty when the server can start with these options. */
export function checkAuthServerOptions(options: AuthServerOptions): string[] {
  const faults: string[] = [];
  if (!isSafeUrl(options.issuer))
    faults.push('issuer must be an https URL, or http on loopback, without query or fragment');
  else if (!new URL(options.issuer).pathname.endsWith('/auth')) faults.push('issuer must end in /auth');
  // Ordinary tokens would open the administration, and every service would be handed them.
  if (options.audience === options.issuer) faults.push('audience must not be the issuer itself');
  if (options.audience === '') faults.push('audience must not be empty');
  if (options.dataDir === '') faults.push('dataDir must name a directory');
  for (const [path, [min, max]] of Object.entries(ranges)) {
    const value = valueAt(options, path);
    if (
      value !== undefined &&
      !(Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max)
    ) {
      faults.push(`${path} must be a whole number from ${min} to ${max}`);
    }
  }
  const { admin, algorithm, masterKey } = options;
  if (
    algorithm !== undefined &&
    (!supportedAlgorithms().includes(algorithm) || (algorithm as string) === 'HS256')
  ) {
    faults.push(`algorithm ${algorithm} is not one this Node.js can sign with for many services`);
  }
  if (admin?.username !== undefined && foldName(admin.username) === undefined)
    faults.push(
      'admin.username must have 1 to 64 characters of a-z 0-9 . _ : - and begin with a letter or digit',
    );
  if (masterKey !== undefined && Buffer.from(masterKey, 'base64url').length !== 32)
    faults.push('masterKey must be 32 bytes in base64url');
  for (const origin of options.origins ?? []) {
    if (!isSafeUrl(origin) || new URL(origin).origin !== origin)
      faults.push(`origins: ${origin} is not an origin such as https://app.example.com`);
  }
  for (const network of options.receiverNetworks ?? []) {
    if (!isNetwork(network)) faults.push(`receiverNetworks: ${network} is not a network such as 10.1.0.0/16`);
  }
  if ((options.sessionIdle ?? 0) > (options.sessionMax ?? 400 * day))
    faults.push('sessionIdle must not be longer than sessionMax');
  const signalsAccess = options.signals?.access ?? 'public';
  if (!['public', 'registered', 'internal'].includes(signalsAccess))
    faults.push('signals.access must be public, registered or internal');
  if (signalsAccess === 'internal' && options.internal === undefined)
    faults.push('signals.access internal: the internal listener must be given');
  if (
    options.listen !== undefined &&
    !isLoopback(options.listen.host) &&
    (options.trustedProxies ?? []).length === 0
  ) {
    faults.push(
      'listen: beyond loopback the auth server speaks plain HTTP, so trustedProxies must name the proxy in front of it',
    );
  }
  return faults;
}

/** Throws ConfigurationError with every fault. */
export function settingsFrom(options: AuthServerOptions): Settings {
  const faults = checkAuthServerOptions(options);
  if (faults.length > 0) throw new ConfigurationError(faults);
  const origin = new URL(options.issuer).origin;
  return {
    issuer: options.issuer,
    origin,
    audience: options.audience ?? origin,
    dataDir: options.dataDir,
    databaseFile: join(options.dataDir, 'latchkey.db'),
    listen: options.listen,
    internal: options.internal,
    socketPath:
      options.socketPath === undefined ? join(options.dataDir, 'latchkey.sock') : options.socketPath,
    admin: { username: options.admin?.username ?? 'admin', password: options.admin?.password },
    masterKey: {
      text: options.masterKey,
      file: options.masterKeyFile ?? join(options.dataDir, 'master.key'),
    },
    accessTokenLife: options.accessTokenLife ?? 300,
    refreshGrace: (options.refreshGrace ?? 10) * 1000,
    sessionIdle: (options.sessionIdle ?? 14 * day) * 1000,
    sessionMax: (options.sessionMax ?? 30 * day) * 1000,
    algorithm: options.algorithm ?? 'ES256',
    keyRotation: (options.keyRotation ?? 30 * day) * 1000,
    registration: options.registration ?? false,
    origins: options.origins ?? [],
    receiverNetworks: options.receiverNetworks ?? [],
    trustedProxies: options.trustedProxies ?? ['loopback'],
    passwords: {
      minLength: 15,
      memory: 19_456,
      iterations: 2,
      parallelism: 1,
      queue: 50,
      ...options.passwords,
    },
    ...limitsFrom(options.limits ?? {}),
    signalsAccess: options.signals?.access ?? 'public',
    customClaims: options.customClaims,
    logLevel: options.logLevel ?? 'info',
    now: options.now ?? Date.now,
  };
}

function limitsFrom(limits: LimitOptions) {
  const window = (limits.attemptWindow ?? 900) * 1000;
  return {
    attemptLimits: {
      accountAndAddress: { max: limits.attemptsPerAccountAndAddress ?? 10, window },
      address: { max: limits.attemptsPerAddress ?? 100, window },
      account: { max: limits.attemptsPerAccount ?? 100, window },
      device: { max: limits.attemptsPerDevice ?? 20, window },
    },
    refreshesPerMinute: limits.refreshesPerMinute ?? 120,
    streamsPerAddress: limits.streamsPerAddress ?? 50,
    streams: limits.streams ?? 2000,
  };
}
