// Runs a gateway in this process until a signal ends it.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigurationError, createGateway } from '@latchkey/gateway';
import { CommandError } from '../failure.ts';
import type { PlainGatewayOptions } from '../settings/gateway_options.ts';
import { settingsError } from '../settings/settings.ts';
import { createJsonLog, type JsonLog } from './json_log.ts';
import type { ReadyMessage } from './messages.ts';
import { liveUntilSignal } from './service_life.ts';

export interface GatewayRun {
  readonly options: PlainGatewayOptions;
  /** The least important log line. */
  readonly log: string;
  /** Announced when it listens, or when it has keys and can tell good tokens from bad ones. */
  readonly announceWhen: 'listening' | 'ready';
  readonly announce: (ready: ReadyMessage) => void;
}

/** @throws CommandError when the options have faults or the port is taken */
export async function runGateway({ options, log: level, announceWhen, announce }: GatewayRun): Promise<void> {
  const log = createJsonLog(level);
  makeStateFolder(options, log);
  const gateway = make(options, log);
  const { url, internal } = await gateway.listen().catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new CommandError(`port ${options.listen?.port} is taken by another program`, {
      hint: 'name another one: port (LATCHKEY_PORT); 0 chooses a free one',
    });
  });
  const stopped = liveUntilSignal(gateway);
  const withKeys = gateway
    .ready()
    .catch(() =>
      log.warn({}, 'the auth server does not answer yet; until it does, guarded routes answer 503'),
    );
  if (announceWhen === 'ready') await withKeys;
  announce({ type: 'latchkey:ready', address: url, internal: internal && `http://${internal}` });
  await stopped;
}

/** Without the folder it runs as well, but cannot start while the auth server is away. */
function makeStateFolder({ stateFile }: PlainGatewayOptions, log: JsonLog): void {
  if (stateFile === undefined) return;
  try {
    mkdirSync(dirname(stateFile), { recursive: true, mode: 0o700 });
  } catch (error) {
    log.warn({ stateFile, error }, 'there is no place for the last good keys and revocations');
  }
}

function make(options: PlainGatewayOptions, log: JsonLog) {
  try {
    return createGateway({ ...options, log });
  } catch (error) {
    if (error instanceof ConfigurationError) throw settingsError(error.faults);
    throw error;
  }
}
