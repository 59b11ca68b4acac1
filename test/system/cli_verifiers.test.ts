// The fleet at the command line, on real processes: a registered gateway is listed, `--wait` prints who has applied a change
// and who has not, and clients are made and removed without their secrets ever standing in an argument or a log.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { latchkey, launch, makeFolder, type RunningCommand, removeFolder, signIn } from './cli_run.ts';

const folder = makeFolder();
const password = 'a long first password';
const publicUrl = 'http://localhost:4711';
let auth: RunningCommand;
let authUrl: string;
let secret: string;

const run = (args: string) => latchkey(args.split(' '), { folder });

async function json(args: string) {
  const { code, out, err } = await run(`${args} --json`);
  assert.equal(code, 0, err);
  return JSON.parse(out);
}

before(async () => {
  const env = { LATCHKEY_ADMIN_PASSWORD: password, LATCHKEY_PUBLIC_URL: publicUrl };
  auth = launch(['auth', '--auth-port', '0'], { folder, env });
  [, authUrl] = (await auth.until(/listens on (\S+)/)) as unknown as [string, string];
});
after(async () => {
  await auth.stop();
  removeFolder(folder);
});

async function startGateway(id: string): Promise<RunningCommand> {
  const routes = [{ prefix: '/', upstreams: ['http://127.0.0.1:9'], access: 'authenticated' }];
  writeFileSync(join(folder, 'edge.json'), JSON.stringify({ publicUrl, authUrl, routes }));
  const gateway = launch(['gateway', '--config', 'edge.json', '--port', '0'], {
    folder,
    env: { LATCHKEY_GATEWAY_CLIENT_ID: id, LATCHKEY_GATEWAY_CLIENT_SECRET_FILE: 'edge.secret' },
  });
  await gateway.until(/listens on/);
  return gateway;
}

/** The fleet, once it is as wanted. */
async function fleetOf(
  wanted: (fleet: readonly { readonly name: string; readonly connected: boolean }[]) => boolean,
) {
  for (;;) {
    const fleet = await json('verifiers');
    if (wanted(fleet)) return fleet;
    await pause(50);
  }
}

test('an empty fleet says how to join it, and a receipt says that nobody reports', async () => {
  const { out } = await run('verifiers');
  assert.match(out, /^no verifier is registered$/m);
  assert.match(out, /latchkey client create edge-1 --secret-file/);
  await signIn(authUrl, 'admin', password);
  assert.match(
    (await run('session end --user admin --wait')).out,
    /have ended\nno gateway or service is registered/,
  );
});

test('a client is made with its secret in a file that only we can read', async () => {
  const client = await json('client create edge-1 --secret-file edge.secret');
  assert.deepEqual(client, { id: client.id, name: 'edge-1', scopes: [], audiences: [], file: 'edge.secret' });
  const file = join(folder, 'edge.secret');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  secret = readFileSync(file, 'utf8').trim();
  const again = await run('client create edge-2 --secret-file edge.secret');
  assert.deepEqual([again.code, again.err], [2, 'latchkey: edge.secret is there already\n']);
  const refused = await run('client create edge-2 --scope everything --secret-file other.secret');
  assert.deepEqual([refused.code, existsSync(join(folder, 'other.secret'))], [1, false]);
  assert.match((await run('client list')).out, /^client +id .*\nedge-1 +cli_/);
  assert.match(
    (await run('client create backend --scope introspection')).out,
    /secret +cls_\S+ \(shown once\)/,
  );
});

test('a registered gateway is listed, and its receipt is printed', async () => {
  const { id } = (await json('client list')).find(({ name }: { name: string }) => name === 'edge-1');
  const gateway = await startGateway(id);
  const [edge] = await fleetOf((fleet) => fleet.some(({ connected }) => connected));
  assert.deepEqual([edge.name, edge.client_id], ['edge-1', id]);
  assert.match(edge.version, /^latchkey-gateway\/\d/);
  const listed = await run('verifiers');
  assert.match(listed.out, /^verifier +instance +version +connected +applied +lag +last seen +safe at$/m);
  assert.match(listed.out, /^edge-1 +[\w-]{8} +latchkey-gateway\/\S+ +since .* \d+ +- +\d s ago +2\d{3}-/m);
  assert.match((await run('doctor')).out, /✓ verifiers +1 registered, all of them up to date/);

  await signIn(authUrl, 'admin', password);
  const { receipt } = await json('session end --user admin --wait=30');
  assert.deepEqual(receipt.applied, [{ name: 'edge-1', instance: edge.instance }]);
  assert.deepEqual(receipt.pending, []);
  assert.match((await run('role add temporary a:read')).out, /added/);
  const removed = await run('role remove temporary --wait=30');
  assert.match(removed.out, new RegExp(`^applied by edge-1 ${edge.instance.slice(0, 8)}$`, 'm'));

  // One that is gone without a word is named, with the moment from which it cannot do harm.
  await gateway.stop('SIGKILL');
  await fleetOf((fleet) => fleet.every(({ connected }) => !connected));
  await signIn(authUrl, 'admin', password);
  const late = await run('session end --user admin --wait=1');
  assert.match(late.out, /^not yet by edge-1 [\w-]{8}, safe at 2\d{3}-/m);
  assert.match((await run('doctor')).out, /! verifiers +edge-1 [\w-]{8} is not connected/);
});

test('a gateway that is stopped in order leaves the fleet at once', async () => {
  const { id } = (await json('client list')).find(({ name }: { name: string }) => name === 'edge-1');
  const gateway = await startGateway(id);
  const [{ instance }] = (await fleetOf((fleet) => fleet.some(({ connected }) => connected))).filter(
    ({ connected }: { connected: boolean }) => connected,
  );
  assert.equal((await gateway.stop()).code, 0);
  await fleetOf((fleet) => !JSON.stringify(fleet).includes(instance));
  for (const text of [auth.text(), gateway.text()])
    assert.ok(!text.includes(secret), 'the secret is in a log');
});

test('a secret that others can read is refused, and so is half a credential', async () => {
  const refusalWith = async (env: Record<string, string>) => {
    const { code, err } = await latchkey(['gateway', '--port', '0'], { folder, env });
    assert.equal(code, 2);
    return err;
  };
  writeFileSync(join(folder, 'open.secret'), 'cls_x', { mode: 0o644 });
  const open = { LATCHKEY_GATEWAY_CLIENT_ID: 'cli_x', LATCHKEY_GATEWAY_CLIENT_SECRET_FILE: 'open.secret' };
  assert.match(await refusalWith(open), /others on this machine can read .*open\.secret: chmod 600/);
  assert.match(await refusalWith({ LATCHKEY_GATEWAY_CLIENT_ID: 'cli_x' }), /needs a secret/);
  assert.match(
    await refusalWith({ LATCHKEY_GATEWAY_CLIENT_SECRET: 'cls_x' }),
    /is missing, and a secret is given/,
  );
  assert.match(await refusalWith({ LATCHKEY_SIGNALS_ACCESS: 'registered' }), /the gateway needs a client/);
  assert.match(await refusalWith({ LATCHKEY_SIGNALS_ACCESS: 'internal' }), /name the internal port/);
});

test('a removed client is gone from the list, and its name is found when it is misspelt', async () => {
  assert.match(
    (await run('client remove edg-1')).err,
    /there is no client edg-1\nhint: did you mean edge-1\?/,
  );
  assert.equal((await run('client remove edge-1')).code, 0);
  assert.ok(!(await run('client list')).out.includes('edge-1'));
});
