// Runs a gateway in this process until a signal ends it.
import { ConfigurationError, createGateway } from '@latchkey/gateway';
import { CommandError } from '../failure.ts';
import type { PlainGatewayOptions } from '../settings/gateway_options.ts';
import { settingsError } from '../settings/settings.ts';
import { createJsonLog } from './json_log.ts';
import type { ReadyMessage } from './messages.ts';
import { liveUntilSignal } from './service_life.ts';

/** @throws CommandError when the options have faults or the port is taken */
export async function runGateway(
  options: PlainGatewayOptions,
  level: string,
  onReady: (ready: ReadyMessage) => void,
): Promise<void> {
  const log = createJsonLog(level);
  const gateway = make(options, log);
  const { url, internal } = await gateway.listen().catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new CommandError(`port ${options.listen?.port} is taken by another program`, {
      hint: 'name another one: port (LATCHKEY_PORT); 0 chooses a free one',
    });
  });
  // Ready means that it can tell good tokens from bad ones. It listens meanwhile, and goes on asking when that fails.
  await gateway
    .ready()
    .catch(() =>
      log.warn({}, 'the auth server does not answer yet; until it does, guarded routes answer 503'),
    );
  onReady({ type: 'latchkey:ready', address: url, internal: internal && `http://${internal}` });
  await liveUntilSignal(gateway);
}

function make(options: PlainGatewayOptions, log: ReturnType<typeof createJsonLog>) {
  try {
    return createGateway({ ...options, log });
  } catch (error) {
    if (error instanceof ConfigurationError) throw settingsError(error.faults);
    throw error;
  }
}
