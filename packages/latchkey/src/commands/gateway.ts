// `latchkey gateway`: the gateway alone, in this process, for a machine at the edge.
import { checkGatewayOptions } from '@latchkey/gateway';
import { choosePort } from '../processes/ports.ts';
import { runGateway } from '../processes/run_gateway.ts';
import { exposureFaults, readGatewayClient } from '../settings/gateway_client.ts';
import { gatewayOptions } from '../settings/gateway_options.ts';
import { readSettings, settingsError, withPort } from '../settings/settings.ts';
import { note } from '../terminal/print.ts';
import { type Command, settingOptions } from './command.ts';

export const gateway: Command = {
  usage: 'gateway',
  about:
    'Verifies every request and forwards it by the routes of the configuration. Needs the auth server for its first start;\nlater it starts from its copy of keys and revocations, and goes on without the auth server for a while.\nWith a client (gateway.client) it is listed by latchkey verifiers.',
  options: settingOptions(),
  examples: [
    'latchkey gateway --config /etc/latchkey/latchkey.config.ts',
    'LATCHKEY_GATEWAY_CLIENT_ID=cli_… LATCHKEY_GATEWAY_CLIENT_SECRET_FILE=edge.secret latchkey gateway',
  ],
  async run(input) {
    const given = await readSettings({ flags: input.flags });
    const { port, remark } = await choosePort(given, 'port', 8080, given.host);
    if (remark !== undefined) note(`latchkey: ${remark}`);
    const settings = withPort(given, port);
    const { client, faults } = readGatewayClient(settings);
    const options = gatewayOptions(settings, {
      port,
      internalPort: settings.given('gatewayInternalPort') ?? settings.given('internalPort') ?? 0,
      authUrl: settings.given('authUrl') ?? `http://127.0.0.1:${settings.authPort}`,
      client,
    });
    const all = [...faults, ...exposureFaults(settings), ...checkGatewayOptions(options)];
    if (all.length > 0) throw settingsError(all, settings.configFile);
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
