// `latchkey gateway`: the gateway alone, in this process, for a machine at the edge.
import { choosePort } from '../processes/ports.ts';
import { runGateway } from '../processes/run_gateway.ts';
import { gatewayOptions } from '../settings/gateway_options.ts';
import { readSettings, withPort } from '../settings/settings.ts';
import { note } from '../terminal/print.ts';
import { type Command, settingOptions } from './command.ts';

export const gateway: Command = {
  usage: 'gateway',
  about:
    'Verifies every request and forwards it by the routes of the configuration. Needs the auth server to start,\nand goes on without it for a while when it is away.',
  options: settingOptions(),
  examples: ['latchkey gateway --config /etc/latchkey/latchkey.config.ts'],
  async run(input) {
    const given = await readSettings({ flags: input.flags });
    const { port, remark } = await choosePort(given, 'port', 8080, given.host);
    if (remark !== undefined) note(`latchkey: ${remark}`);
    const settings = withPort(given, port);
    const options = gatewayOptions(settings, {
      port,
      internalPort: settings.given('gatewayInternalPort') ?? settings.given('internalPort') ?? 0,
      authUrl: settings.given('authUrl') ?? `http://127.0.0.1:${settings.authPort}`,
    });
    await runGateway({
      options,
      log: settings.given('log') ?? 'info',
      announceWhen: 'listening',
      announce({ address, internal }) {
        note(
          `latchkey: the gateway listens on ${address} for ${settings.publicUrl} (health and metrics on ${internal})`,
        );
      },
    });
  },
};
