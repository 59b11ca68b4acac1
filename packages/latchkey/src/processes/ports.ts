// Ports. One that somebody named must be free, or the start fails with the name of the setting. One that nobody named
// is replaced by a free one when it is taken, so that two systems run on one machine.
import { createServer, type Server } from 'node:net';
import { CommandError } from '../failure.ts';
import type { Settings } from '../settings/settings.ts';
import { settingNamed, titleOf } from '../settings/table.ts';

/** Whether nothing listens there. `localhost` may mean 127.0.0.1 or ::1, so loopback asks for both. */
export async function isFree(port: number, host: string): Promise<boolean> {
  const hosts = host === '127.0.0.1' || host === 'localhost' ? ['127.0.0.1', '::1'] : [host];
  for (const each of hosts) {
    const failure = await tryToListen(port, each);
    if (failure === 'EADDRINUSE' || failure === 'EACCES') return false;
  }
  return true;
}

async function tryToListen(port: number, host: string): Promise<string | undefined> {
  const server = createServer();
  try {
    await listening(server, port, host);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

function listening(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve());
  });
}

/** So many ports that nothing listens on, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => listening(server, 0, '127.0.0.1')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

export interface ChosenPort {
  readonly port: number;
  /** Said once, when it is not the usual one. */
  readonly remark?: string;
}

/**
 * The port for a setting: what was named, the usual one, or a free one.
 * @throws CommandError when a named port is taken
 */
export async function choosePort(
  settings: Settings,
  name: string,
  usual: number,
  host: string,
): Promise<ChosenPort> {
  const named = settings.given<number>(name);
  if (named === 0) return { port: (await freePorts(1))[0]! };
  const wanted = named ?? usual;
  if (wanted !== 0 && (await isFree(wanted, host))) return { port: wanted };
  if (named !== undefined) throw portTaken(named, name);
  const [port] = await freePorts(1);
  if (usual === 0) return { port: port! };
  return {
    port: port!,
    remark: `port ${usual} is taken, using ${port} (${settingNamed(name)?.env ?? name} names another)`,
  };
}

export function portTaken(port: number, setting: string): CommandError {
  return new CommandError(`port ${port} is taken by another program`, {
    hint: `name another one: ${titleOf(settingNamed(setting)!)}; 0 chooses a free one`,
  });
}
