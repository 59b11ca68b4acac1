import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { checkGatewayOptions } from '@latchkey/gateway';
import { CommandError } from '../failure.ts';
import { authServerOptions } from './auth_options.ts';
import { exposureFaults, readGatewayClient } from './gateway_client.ts';
import { gatewayOptions } from './gateway_options.ts';
import { inspectSettings, isLoopback, readSettings } from './settings.ts';
import { settings as table } from './table.ts';
import { configTemplate } from './template.ts';

const base = mkdtempSync(join(tmpdir(), 'latchkey-settings-'));
after(() => rmSync(base, { recursive: true }));
let count = 0;

function folder(files: Readonly<Record<string, string>> = {}): string {
  const made = join(base, String(count++));
  mkdirSync(made);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(made, name), text);
  return made;
}

test('the defaults agree with one another', async () => {
  const here = folder();
  const settings = await readSettings({ environment: {}, folder: here });
  const { port, authPort, publicUrl, issuer, audience, dataDir } = settings;
  assert.deepEqual(
    { port, authPort, publicUrl, issuer, audience, dataDir },
    {
      port: 8080,
      authPort: 4000,
      publicUrl: 'http://localhost:8080',
      issuer: 'http://localhost:8080/auth',
      audience: 'http://localhost:8080',
      dataDir: join(here, 'data'),
    },
  );
});

test('paths in the file are relative to it, paths in the environment to the current folder', async () => {
  const here = folder({ 'latchkey.config.json': '{"dataDir":"state","masterKeyFile":"keys/master"}' });
  const elsewhere = folder();
  const environment = {
    LATCHKEY_CONFIG: join(here, 'latchkey.config.json'),
    LATCHKEY_MASTER_KEY_FILE: 'mine',
  };
  const settings = await readSettings({ environment, folder: elsewhere });
  assert.equal(settings.dataDir, join(here, 'state'));
  assert.equal(settings.given('masterKeyFile'), join(elsewhere, 'mine'));
});

test('a file in TypeScript is read, functions included', async () => {
  const config =
    'export default { customClaims: (user: { username: string }) => ({ tenant: user.username }), port: 9 as number };';
  const settings = await readSettings({ environment: {}, folder: folder({ 'latchkey.config.ts': config }) });
  assert.equal(settings.port, 9);
  assert.deepEqual(settings.given<(user: object) => object>('customClaims')!({ username: 'a' }), {
    tenant: 'a',
  });
});

test('a file that cannot be read is one message with a hint, not a stack', async () => {
  const cases = [
    ['latchkey.config.json', '{"port":', /not valid json/],
    ['latchkey.config.json', '[1]', /does not hold an object/],
    ['latchkey.config.ts', 'export const x = 1;', /does not hold an object/],
    ['latchkey.config.ts', 'throw new Error("broken\\nin two")', /could not be loaded: broken$/],
    ['latchkey.config.ts', 'import "not-installed-anywhere"; export default {};', /could not be loaded/],
  ] as const;
  for (const [name, text, message] of cases) {
    await assert.rejects(
      readSettings({ environment: {}, folder: folder({ [name]: text }) }),
      (error: unknown) => {
        assert.ok(error instanceof CommandError);
        assert.match(error.message, message);
        return true;
      },
    );
  }
  await assert.rejects(
    readSettings({ flags: { config: 'nowhere.ts' }, environment: {}, folder: folder() }),
    /no configuration file/,
  );
});

test('all faults are in one error, those between settings too', async () => {
  const environment = {
    LATCHKEY_HOST: '0.0.0.0',
    LATCHKEY_AUTH_HOST: '0.0.0.0',
    LATCHKEY_TLS_CERT: 'cert.pem',
    LATCHKEY_SESSION_IDLE: '20d',
    LATCHKEY_SESSION_MAX: '10d',
    LATCHKEY_DATABASE_URL: 'postgres://user:hush@db/latchkey',
    LATCHKEY_MASTER_KEY: 'a',
    LATCHKEY_MASTER_KEY_FILE: 'b',
    LATCHKEY_PORT: 'x',
  };
  await assert.rejects(readSettings({ environment, folder: folder() }), (error: unknown) => {
    assert.ok(error instanceof CommandError);
    assert.equal(error.message.split('\n').length, 7);
    assert.doesNotMatch(error.message, /hush/);
    assert.equal(error.exitCode, 2);
    return true;
  });
});

test('listening beyond loopback needs TLS or a declared proxy', async () => {
  const faultsOf = async (environment: Record<string, string>) =>
    (await inspectSettings({ environment: { LATCHKEY_HOST: '0.0.0.0', ...environment }, folder: folder() }))
      .faults;
  assert.equal((await faultsOf({})).length, 1);
  assert.equal((await faultsOf({ LATCHKEY_TRUSTED_PROXIES: '10.0.0.1' })).length, 0);
  assert.equal((await faultsOf({ LATCHKEY_TLS_CERT: 'c', LATCHKEY_TLS_KEY: 'k' })).length, 0);
  assert.deepEqual(
    ['127.0.0.1', '127.9.9.9', 'localhost', '::1', '0.0.0.0', '10.0.0.1', '::'].map(isLoopback),
    [true, true, true, true, false, false, false],
  );
});

test('the options of the server hold what was given and nothing else', async () => {
  const environment = {
    LATCHKEY_REFRESH_GRACE: '0',
    LATCHKEY_PASSWORD_QUEUE: '9',
    LATCHKEY_LIMIT_REFRESHES_PER_MINUTE: '100000',
    LATCHKEY_ADMIN_USERNAME: 'boss',
    LATCHKEY_TRUSTED_PROXIES: '10.0.0.0/8',
  };
  const here = folder();
  const options = authServerOptions(await readSettings({ environment, folder: here }), {
    listen: { host: '127.0.0.1', port: 0 },
  });
  assert.deepEqual(options, {
    issuer: 'http://localhost:8080/auth',
    audience: 'http://localhost:8080',
    dataDir: join(here, 'data'),
    logLevel: 'info',
    refreshGrace: 0,
    passwords: { queue: 9 },
    limits: { refreshesPerMinute: 100_000 },
    admin: { username: 'boss' },
    trustedProxies: ['loopback', '10.0.0.0/8'],
    listen: { host: '127.0.0.1', port: 0 },
  });
});

test('the options of the gateway survive a trip between processes and hold no secret but its own', async () => {
  const environment = {
    LATCHKEY_MASTER_KEY: 'm'.repeat(43),
    LATCHKEY_ADMIN_PASSWORD: 'p'.repeat(20),
    LATCHKEY_GATEWAY_SIGNALS: 'poll',
    LATCHKEY_GATEWAY_POLL_INTERVAL: '3s',
    LATCHKEY_GATEWAY_SIGNALS_URL: 'http://127.0.0.1:4',
  };
  const here = folder();
  const settings = await readSettings({ environment, folder: here });
  const client = { id: 'cli_1', secret: 'own' };
  const options = gatewayOptions(settings, {
    port: 1,
    internalPort: 2,
    authUrl: 'http://127.0.0.1:3',
    client,
  });
  assert.deepEqual(JSON.parse(JSON.stringify(options)), options);
  assert.doesNotMatch(JSON.stringify(options), /mmmm|pppp/);
  const { signals, pollInterval, signalsUpstream, stateFile } = options;
  assert.deepEqual(
    { client: options.client, signals, pollInterval, signalsUpstream, stateFile },
    {
      client,
      signals: 'poll',
      pollInterval: 3_000,
      signalsUpstream: 'http://127.0.0.1:4',
      stateFile: join(here, 'data', 'gateway', 'verifier.json'),
    },
  );
  assert.deepEqual(checkGatewayOptions(options), []);
});

test('the gateway’s client comes with a secret from the environment or from a file that is ours alone', async () => {
  const here = folder({ 'edge.secret': 'cls_file\n', 'open.secret': 'cls_open', 'empty.secret': '\n' });
  for (const name of ['edge.secret', 'empty.secret']) chmodSync(join(here, name), 0o600);
  const read = async (environment: Record<string, string>) => {
    const variables = Object.entries(environment).map(([name, value]) => [
      `LATCHKEY_GATEWAY_CLIENT_${name}`,
      value,
    ]);
    const { settings, faults } = await inspectSettings({
      environment: Object.fromEntries(variables),
      folder: here,
    });
    const found = readGatewayClient(settings);
    return { client: found.client, faults: [...faults, ...found.faults].join() };
  };
  assert.deepEqual(await read({}), { client: undefined, faults: '' });
  const client = { id: 'cli_1', secret: 'cls_file' };
  assert.deepEqual(await read({ ID: 'cli_1', SECRET_FILE: 'edge.secret' }), { client, faults: '' });
  assert.equal((await read({ ID: 'cli_1', SECRET: 'cls_here' })).client?.secret, 'cls_here');
  const wrong: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ ID: 'cli_1' }, /client\.id .*needs a secret/],
    [{ SECRET: 'cls_here' }, /client\.id .*is missing/],
    [{ ID: 'cli_1', SECRET: 'cls_here', SECRET_FILE: 'edge.secret' }, /give one of them/],
    [{ ID: 'cli_1', SECRET_FILE: 'open.secret' }, /others on this machine can read/],
    [{ ID: 'cli_1', SECRET_FILE: 'empty.secret' }, /is empty/],
    [{ ID: 'cli_1', SECRET_FILE: 'nowhere' }, /cannot be read \(ENOENT\)/],
  ];
  for (const [environment, expected] of wrong) {
    const { faults } = await read(environment);
    assert.match(faults, expected);
    assert.doesNotMatch(faults, /cls_/);
  }
});

test('who may read the signals is told to the server; a gateway on its own must have what that takes', async () => {
  const settingsWith = (environment: Record<string, string>) =>
    readSettings({ environment, folder: folder() });
  const internal = await settingsWith({ LATCHKEY_SIGNALS_ACCESS: 'internal' });
  assert.deepEqual(authServerOptions(internal, {}).signals, { access: 'internal' });
  assert.equal(authServerOptions(await settingsWith({}), {}).signals, undefined);
  assert.match(exposureFaults(internal).join(), /gateway\.signalsUrl/);
  assert.match(
    exposureFaults(await settingsWith({ LATCHKEY_SIGNALS_ACCESS: 'registered' })).join(),
    /a client/,
  );
  assert.deepEqual(exposureFaults(await settingsWith({})), []);
});

test('what `init` writes can be loaded, as it is and with everything switched on', async () => {
  const template = configTemplate();
  const settings = await readSettings({
    environment: {},
    folder: folder({ 'latchkey.config.ts': template }),
  });
  assert.equal(settings.port, 8080);
  const open = template.replaceAll(
    /^ {2}\/\/ (?=(?:\w+:(?! )|\w+: [['"{(\d]|\w+: (?:true|false|process)|[ {\]}]))/gm,
    '  ',
  );
  const on = await inspectSettings({ environment: {}, folder: folder({ 'latchkey.config.ts': open }) });
  assert.deepEqual(on.faults, []);
  const inFile = table.filter(
    (setting) => setting.environmentOnly !== true && setting.name !== 'databaseUrl',
  );
  const groups = new Set(inFile.map(({ name }) => name.split('.')[0]!));
  for (const group of groups) {
    const given = inFile.some(
      ({ name }) => name.split('.')[0] === group && on.settings.given(name) !== undefined,
    );
    assert.ok(given, `${group} is not in the template`);
  }
});
