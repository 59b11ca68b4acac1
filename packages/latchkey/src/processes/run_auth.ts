// Runs an auth server in this process until a signal ends it.

import type { AuthServer, AuthServerOptions } from '@latchkey/server';
import { ConfigurationError, createAuthServer, DataDirLocked } from '@latchkey/server';
import { CommandError } from '../failure.ts';
import { settingsError } from '../settings/settings.ts';
import type { ReadyMessage } from './messages.ts';
import { liveUntilSignal } from './service_life.ts';

export async function runAuth(
  options: AuthServerOptions,
  onReady: (ready: ReadyMessage) => void,
): Promise<void> {
  const server = await openAuthServer(options);
  try {
    const places = await server.listen();
    onReady({ type: 'latchkey:ready', ...places, firstAdmin: server.firstAdmin });
  } catch (error) {
    await server.close();
    throw portError(error, options);
  }
  await liveUntilSignal(server);
}

/** @throws CommandError when the options have faults, or another process holds the data directory */
export async function openAuthServer(options: AuthServerOptions): Promise<AuthServer> {
  try {
    return await createAuthServer(options);
  } catch (error) {
    if (error instanceof ConfigurationError) throw settingsError(error.faults);
    if (error instanceof DataDirLocked) throw lockedError(error);
    throw error;
  }
}

function lockedError({ dataDir, pid }: DataDirLocked): CommandError {
  return new CommandError(
    `the data directory ${dataDir} is in use${pid === undefined ? '' : ` by process ${pid}`}`,
    {
      hint: 'one auth server at a time: stop that one, or name another folder with --data-dir (LATCHKEY_DATA_DIR)',
    },
  );
}

function portError(error: unknown, options: AuthServerOptions): unknown {
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code !== 'EADDRINUSE') return error;
  const internal = port !== undefined && port === options.internal?.port;
  const setting = internal ? 'internalPort (LATCHKEY_INTERNAL_PORT)' : 'authPort (LATCHKEY_AUTH_PORT)';
  return new CommandError(`port ${port ?? options.listen?.port} is taken by another program`, {
    hint: `name another one: ${setting}; 0 chooses a free one`,
  });
}
