// Every setting there is: its name in the configuration file, its environment variable, what it accepts, its default
// and what it is for. Reading, checking, `--help`, `latchkey init` and docs/configuration.md all come from this table.
import {
  duration,
  flag,
  fromFileOnly,
  type Kind,
  list,
  oneOf,
  path,
  port,
  text,
  url,
  whole,
} from './kinds.ts';

export type Group =
  | 'addresses'
  | 'data'
  | 'first start'
  | 'tokens and sessions'
  | 'passwords'
  | 'limits'
  | 'behind it';

export interface Setting {
  /** As in the configuration file; a dot leads into a nested object. */
  readonly name: string;
  readonly env?: string;
  readonly kind: Kind;
  readonly group: Group;
  /** The default, as documentation; `undefined` where there is none. */
  readonly byDefault?: string;
  readonly about: string;
  /** Never shown in a message, a log or `--json`. */
  readonly secret?: true;
  /** Refused in a configuration file, which ends up in version control. */
  readonly environmentOnly?: true;
  /** Can be given as `--name` to the commands that start something. */
  readonly asFlag?: true;
}

const minutes = 60;
const days = 86_400;

const isObjectList = (value: unknown): boolean =>
  Array.isArray(value) && value.every((item) => typeof item === 'object' && item !== null);

export const settings: readonly Setting[] = [
  {
    name: 'publicUrl',
    env: 'LATCHKEY_PUBLIC_URL',
    kind: url,
    group: 'addresses',
    byDefault: 'http://localhost:<port>',
    about:
      'The origin that people and applications use. The issuer of all tokens is this address followed by /auth.',
    asFlag: true,
  },
  {
    name: 'audience',
    env: 'LATCHKEY_AUDIENCE',
    kind: text,
    group: 'addresses',
    byDefault: 'the public origin',
    about: 'Who ordinary access tokens are for (aud). Services check that it names them.',
  },
  {
    name: 'host',
    env: 'LATCHKEY_HOST',
    kind: text,
    group: 'addresses',
    byDefault: '127.0.0.1',
    about: 'Where the gateway listens. Anything but loopback needs TLS or a declared trusted proxy.',
    asFlag: true,
  },
  {
    name: 'port',
    env: 'LATCHKEY_PORT',
    kind: port,
    group: 'addresses',
    byDefault: '8080, or a free one when that is taken',
    about: 'The public port: the gateway.',
    asFlag: true,
  },
  {
    name: 'authHost',
    env: 'LATCHKEY_AUTH_HOST',
    kind: text,
    group: 'addresses',
    byDefault: '127.0.0.1',
    about: 'Where the auth server listens. Anything but loopback needs a declared trusted proxy.',
  },
  {
    name: 'authPort',
    env: 'LATCHKEY_AUTH_PORT',
    kind: port,
    group: 'addresses',
    byDefault: '4000, or a free one when that is taken',
    about: 'The port of the auth server, behind the gateway.',
    asFlag: true,
  },
  {
    name: 'authUrl',
    env: 'LATCHKEY_AUTH_URL',
    kind: url,
    group: 'addresses',
    byDefault: 'http://127.0.0.1:<authPort>',
    about: 'Where `latchkey gateway` reaches the auth server when they run on different machines.',
  },
  {
    name: 'internalPort',
    env: 'LATCHKEY_INTERNAL_PORT',
    kind: port,
    group: 'addresses',
    byDefault: 'a free one',
    about: 'Health and metrics (/livez, /readyz, /metrics) of the auth server, on loopback.',
  },
  {
    name: 'gatewayInternalPort',
    env: 'LATCHKEY_GATEWAY_INTERNAL_PORT',
    kind: port,
    group: 'addresses',
    byDefault: 'a free one; `latchkey gateway` takes internalPort when only that is set',
    about: 'Health and metrics of the gateway, on loopback.',
  },
  {
    name: 'tls.cert',
    env: 'LATCHKEY_TLS_CERT',
    kind: path,
    group: 'addresses',
    about: 'The certificate chain of the gateway (PEM). Reloaded when the file changes.',
  },
  {
    name: 'tls.key',
    env: 'LATCHKEY_TLS_KEY',
    kind: path,
    group: 'addresses',
    about: 'The private key of that certificate (PEM, mode 0600).',
  },
  {
    name: 'trustedProxies',
    env: 'LATCHKEY_TRUSTED_PROXIES',
    kind: list,
    group: 'addresses',
    byDefault: 'loopback for the auth server, none for the gateway',
    about: 'Addresses or networks of load balancers whose Forwarded and X-Forwarded-* headers are believed.',
  },
  {
    name: 'origins',
    env: 'LATCHKEY_ORIGINS',
    kind: list,
    group: 'addresses',
    byDefault: 'none',
    about: 'Other origins whose pages may sign people in with the refresh cookie.',
  },
  {
    name: 'dataDir',
    env: 'LATCHKEY_DATA_DIR',
    kind: path,
    group: 'data',
    byDefault: './data',
    about: 'Where everything is kept. One auth server at a time; a lock says who.',
    asFlag: true,
  },
  {
    name: 'databaseUrl',
    env: 'LATCHKEY_DATABASE_URL',
    kind: text,
    group: 'data',
    byDefault: 'SQLite in the data directory',
    about: 'PostgreSQL, for many instances. Not in this version: refused when set, rather than ignored.',
    secret: true,
  },
  {
    name: 'masterKeyFile',
    env: 'LATCHKEY_MASTER_KEY_FILE',
    kind: path,
    group: 'data',
    byDefault: 'master.key in the data directory, made at the first start',
    about: 'The key that encrypts the private keys at rest (mode 0600). Back it up apart from the database.',
  },
  {
    name: 'masterKey',
    env: 'LATCHKEY_MASTER_KEY',
    kind: text,
    group: 'data',
    about: 'The master key itself, where a secret store puts it into the environment: 32 bytes as base64url.',
    secret: true,
    environmentOnly: true,
  },
  {
    name: 'log',
    env: 'LATCHKEY_LOG',
    kind: oneOf('debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    group: 'data',
    byDefault: 'info',
    about: 'The least important log line that is written.',
    asFlag: true,
  },
  {
    name: 'admin.username',
    env: 'LATCHKEY_ADMIN_USERNAME',
    kind: text,
    group: 'first start',
    byDefault: 'admin',
    about: 'The first administrator, made at the first start only.',
  },
  {
    name: 'admin.password',
    env: 'LATCHKEY_ADMIN_PASSWORD',
    kind: text,
    group: 'first start',
    byDefault: 'a random one, printed once',
    about: 'Their password, used at the first start only.',
    secret: true,
    environmentOnly: true,
  },
  {
    name: 'accessTokenLife',
    env: 'LATCHKEY_ACCESS_TOKEN_LIFE',
    kind: duration(30, 60 * minutes),
    group: 'tokens and sessions',
    byDefault: '5m',
    about: 'How long an access token lives.',
  },
  {
    name: 'algorithm',
    env: 'LATCHKEY_ALGORITHM',
    kind: oneOf('ES256', 'ES384', 'EdDSA', 'Ed25519', 'RS256', 'PS256', 'ML-DSA-44', 'ML-DSA-65'),
    group: 'tokens and sessions',
    byDefault: 'ES256',
    about: 'How access tokens are signed. Running tokens stay valid when it changes.',
  },
  {
    name: 'keyRotation',
    env: 'LATCHKEY_KEY_ROTATION',
    kind: duration(60 * minutes, 400 * days),
    group: 'tokens and sessions',
    byDefault: '30d',
    about: 'How long a key signs before the next one takes over.',
  },
  {
    name: 'refreshGrace',
    env: 'LATCHKEY_REFRESH_GRACE',
    kind: duration(0, 60),
    group: 'tokens and sessions',
    byDefault: '10s',
    about:
      'Within this time after a refresh, the token before it still gets the same successor: tabs, retries.',
  },
  {
    name: 'sessionIdle',
    env: 'LATCHKEY_SESSION_IDLE',
    kind: duration(minutes, 400 * days),
    group: 'tokens and sessions',
    byDefault: '14d',
    about: 'A session that was not used for so long ends.',
  },
  {
    name: 'sessionMax',
    env: 'LATCHKEY_SESSION_MAX',
    kind: duration(minutes, 400 * days),
    group: 'tokens and sessions',
    byDefault: '30d',
    about: 'A session ends at this age however much it is used.',
  },
  {
    name: 'registration',
    env: 'LATCHKEY_REGISTRATION',
    kind: flag,
    group: 'tokens and sessions',
    byDefault: 'false',
    about: 'Whether people may make an account themselves (POST /auth/register).',
  },
  {
    name: 'customClaims',
    kind: fromFileOnly(
      'a function of the user that returns an object',
      (value) => typeof value === 'function',
    ),
    group: 'tokens and sessions',
    about:
      'Adds claims of your own to access tokens (tenant, department). Nothing secret: tokens are readable.',
  },
  {
    name: 'passwords.minLength',
    env: 'LATCHKEY_PASSWORD_MIN_LENGTH',
    kind: whole(8, 128),
    group: 'passwords',
    byDefault: '15',
    about: 'The shortest password, in characters. Under 15 only beside a second factor.',
  },
  {
    name: 'passwords.memory',
    env: 'LATCHKEY_PASSWORD_MEMORY',
    kind: whole(19_456, 4_194_304),
    group: 'passwords',
    byDefault: '19456',
    about: 'argon2id: KiB of memory a hash.',
  },
  {
    name: 'passwords.iterations',
    env: 'LATCHKEY_PASSWORD_ITERATIONS',
    kind: whole(1, 32),
    group: 'passwords',
    byDefault: '2',
    about: 'argon2id: passes over that memory.',
  },
  {
    name: 'passwords.parallelism',
    env: 'LATCHKEY_PASSWORD_PARALLELISM',
    kind: whole(1, 16),
    group: 'passwords',
    byDefault: '1',
    about: 'argon2id: lanes.',
  },
  {
    name: 'passwords.queue',
    env: 'LATCHKEY_PASSWORD_QUEUE',
    kind: whole(1, 10_000),
    group: 'passwords',
    byDefault: '50',
    about: 'How many sign-ins may wait for hashing; one more is answered 503 at once.',
  },
  {
    name: 'limits.attemptsPerAccountAndAddress',
    env: 'LATCHKEY_LIMIT_ATTEMPTS_PER_ACCOUNT_AND_ADDRESS',
    kind: whole(1, 1e9),
    group: 'limits',
    byDefault: '10',
    about: 'Wrong passwords for one account from one address, within the window.',
  },
  {
    name: 'limits.attemptsPerAddress',
    env: 'LATCHKEY_LIMIT_ATTEMPTS_PER_ADDRESS',
    kind: whole(1, 1e9),
    group: 'limits',
    byDefault: '100',
    about: 'Wrong passwords from one address (an IPv6 /64 counts as one).',
  },
  {
    name: 'limits.attemptsPerAccount',
    env: 'LATCHKEY_LIMIT_ATTEMPTS_PER_ACCOUNT',
    kind: whole(1, 1e9),
    group: 'limits',
    byDefault: '100',
    about: 'Wrong passwords for one account from all addresses; a known device is not held back by it.',
  },
  {
    name: 'limits.attemptsPerDevice',
    env: 'LATCHKEY_LIMIT_ATTEMPTS_PER_DEVICE',
    kind: whole(1, 1e9),
    group: 'limits',
    byDefault: '20',
    about: 'Wrong passwords from one known device.',
  },
  {
    name: 'limits.attemptWindow',
    env: 'LATCHKEY_LIMIT_ATTEMPT_WINDOW',
    kind: duration(1, days),
    group: 'limits',
    byDefault: '15m',
    about: 'The time in which attempts are counted.',
  },
  {
    name: 'limits.refreshesPerMinute',
    env: 'LATCHKEY_LIMIT_REFRESHES_PER_MINUTE',
    kind: whole(1, 1e9),
    group: 'limits',
    byDefault: '120',
    about: 'Refreshes a minute that one session may ask for.',
  },
  {
    name: 'limits.streamsPerAddress',
    env: 'LATCHKEY_LIMIT_STREAMS_PER_ADDRESS',
    kind: whole(1, 100_000),
    group: 'limits',
    byDefault: '50',
    about: 'Open signal streams of strangers, per address.',
  },
  {
    name: 'limits.streams',
    env: 'LATCHKEY_LIMIT_STREAMS',
    kind: whole(1, 100_000),
    group: 'limits',
    byDefault: '2000',
    about: 'Open signal streams in all.',
  },
  {
    name: 'routes',
    kind: fromFileOnly('a list of routes', isObjectList),
    group: 'behind it',
    byDefault: 'only /auth',
    about: 'What the gateway forwards, where to, and who may: see docs/architecture.md.',
  },
  {
    name: 'services',
    kind: fromFileOnly('a list of services', isObjectList),
    group: 'behind it',
    byDefault: 'none',
    about: 'Programs that `latchkey start` runs beside the gateway: { name, entry, env?, port? }.',
  },
];

const byName = new Map(settings.map((setting) => [setting.name, setting]));

export function settingNamed(name: string): Setting | undefined {
  return byName.get(name);
}

/** `authPort` → `--auth-port`. */
export function flagOf(setting: Setting): string {
  return setting.name.replaceAll(/[A-Z.]/g, (letter) => `-${letter === '.' ? '' : letter.toLowerCase()}`);
}

/** How a person knows the setting, for messages: `port (LATCHKEY_PORT)`. */
export function titleOf(setting: Setting): string {
  return setting.env === undefined ? setting.name : `${setting.name} (${setting.env})`;
}
