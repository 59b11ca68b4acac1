// Administration while no server runs: opens one on the socket alone, for as long as the command takes. It holds the data
// directory's lock meanwhile, so that nothing else can write.
import { openAuthServer } from '../processes/run_auth.ts';
import { authServerOptions } from '../settings/auth_options.ts';
import type { Settings } from '../settings/settings.ts';
import { note } from '../terminal/print.ts';
import { type Admin, sendOverSocket, socketPathOf } from './admin.ts';

/** @throws CommandError when the data directory is taken or the settings have faults */
export async function openLocalAdmin(settings: Settings): Promise<Admin> {
  const server = await openAuthServer({ ...authServerOptions(settings, {}), logLevel: 'silent' });
  const { socket = socketPathOf(settings) } = await server.listen();
  if (server.firstAdmin !== undefined) {
    const { username, password } = server.firstAdmin;
    note(
      `a new data directory: the first administrator is ${username}, password ${password} (shown this once)`,
    );
  }
  return {
    running: false,
    send: (method, path, body) => sendOverSocket(socket, method, path, body),
    close: () => server.close(),
  };
}
