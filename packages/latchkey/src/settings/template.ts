// The text of a new latchkey.config.ts, made from the table of settings.
import type { Setting } from './setting.ts';
import { settings } from './table.ts';

/** Examples for settings whose default says nothing about how a value is written. */
const samples: Readonly<Record<string, string>> = {
  publicUrl: "'https://id.example.com'",
  audience: "'https://api.example.com'",
  host: "'127.0.0.1'",
  port: '8080',
  authHost: "'127.0.0.1'",
  authPort: '4000',
  authUrl: "'http://127.0.0.1:4000'",
  internalPort: '9400',
  gatewayInternalPort: '9401',
  tls: "{ cert: './tls/cert.pem', key: './tls/key.pem' }",
  trustedProxies: "['10.0.0.0/8']",
  origins: "['https://app.example.com']",
  dataDir: "'./data'",
  databaseUrl: 'process.env.DATABASE_URL',
  masterKeyFile: "'./master.key'",
  log: "'info'",
  admin: "{ username: 'admin' }",
  accessTokenLife: "'5m'",
  algorithm: "'ES256'",
  keyRotation: "'30d'",
  refreshGrace: "'10s'",
  sessionIdle: "'14d'",
  sessionMax: "'30d'",
  registration: 'false',
  customClaims: "(user) => ({ tenant: 'north' })",
  passwords: '{ minLength: 15, memory: 19456, iterations: 2, parallelism: 1, queue: 50 }',
  limits: "{ attemptsPerAccountAndAddress: 10, attemptWindow: '15m' }",
  signals: "{ access: 'public' }",
  receiverNetworks: "['10.1.0.0/16']",
  gateway: "{ name: 'edge-1', client: { id: 'cli_…', secretFile: './edge-1.secret' }, signals: 'stream' }",
  routes: `[
  //   { prefix: '/api/notes', upstreams: ['http://127.0.0.1:4101'], access: 'authenticated' },
  //   { prefix: '/api/admin', upstreams: ['http://127.0.0.1:4102'], access: { role: 'boss' }, sensitive: true },
  // ]`,
  services: "[{ name: 'notes', entry: './notes/main.js', port: 4101 }]",
};

const opening = `// The configuration of Latchkey. Every setting is here, commented out with its default or an example; what the
// environment says (LATCHKEY_*) goes before this file. Secrets belong into the environment.
// Times: a number of seconds, or '90s', '15m', '12h', '14d'.
import type { Config } from 'latchkey';

export default {`;

export function configTemplate(): string {
  const lines = [opening];
  let group = '';
  for (const [name, parts] of topLevel()) {
    if (parts[0]!.group !== group) {
      group = parts[0]!.group;
      lines.push(`  // ---- ${group} ${'-'.repeat(Math.max(3, 90 - group.length))}`, '');
    }
    for (const part of parts) lines.push(`  // ${describe(part, parts.length > 1)}`);
    lines.push(`  // ${name}: ${samples[name] ?? 'undefined'},`, '');
  }
  lines.pop();
  return `${lines.join('\n')}\n} satisfies Config;\n`;
}

/** The settings a file can hold, by their first name: `tls.cert` and `tls.key` stand together. */
function topLevel(): Map<string, Setting[]> {
  const groups = new Map<string, Setting[]>();
  for (const setting of settings.filter(({ environmentOnly }) => environmentOnly !== true)) {
    const name = setting.name.split('.')[0]!;
    groups.set(name, [...(groups.get(name) ?? []), setting]);
  }
  return groups;
}

function describe({ name, about, byDefault, env }: Setting, several: boolean): string {
  const facts = [byDefault === undefined ? '' : `default: ${byDefault}`, env ?? '']
    .filter((fact) => fact !== '')
    .join('; ');
  return `${several ? `${name}: ` : ''}${about}${facts === '' ? '' : ` (${facts})`}`;
}
