// What is kept and where; the first administrator; the log.
import { oneOf, path, text } from '../kinds.ts';
import type { Setting } from '../setting.ts';

export const data: readonly Setting[] = [
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
];
