// The gateway as a child of `latchkey start`. Its parent hands it plain options over the channel, so that this process
// reads neither the configuration nor the environment's secrets: the edge holds public keys only.
import type { PlainGatewayOptions } from '../settings/gateway_options.ts';
import { failedMessage, tellParent } from './messages.ts';
import { runGateway } from './run_gateway.ts';

export interface GatewayWork {
  readonly options: PlainGatewayOptions;
  readonly log: string;
}

// The lifeline took the channel's hold on this process away; until the work is here, it is what we wait for.
process.channel?.ref();
process.once('message', async ({ options, log }: GatewayWork) => {
  process.channel?.unref();
  try {
    await runGateway({ options, log, announceWhen: 'ready', announce: tellParent });
    // Nothing is left to do but the verifier's last word to the auth server, which is not waited for long.
    setTimeout(() => process.exit(0), 2_500).unref();
  } catch (error) {
    tellParent(failedMessage(error));
    process.exitCode = 1;
  }
});
