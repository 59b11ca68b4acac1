// `latchkey auth`: the auth server alone, in this process. Its log is JSON on standard output; what a person must read
// (the first administrator's password) goes to standard error and never into a log.
import { type ReadyMessage, tellParent } from '../processes/messages.ts';
import { choosePort } from '../processes/ports.ts';
import { runAuth } from '../processes/run_auth.ts';
import { authServerOptions } from '../settings/auth_options.ts';
import { readSettings } from '../settings/settings.ts';
import { note } from '../terminal/print.ts';
import { type Command, settingOptions } from './command.ts';

export const auth: Command = {
  usage: 'auth',
  about:
    'Signs people in, refreshes and revokes, and publishes keys and signals. The gateway stands before it.',
  options: settingOptions(),
  examples: ['latchkey auth', 'LATCHKEY_PUBLIC_URL=https://id.example.com latchkey auth --auth-port 4000'],
  async run(input) {
    const settings = await readSettings({ flags: input.flags });
    const listen = await choosePort(settings, 'authPort', 4000, settings.authHost);
    if (listen.remark !== undefined) note(`latchkey: ${listen.remark}`);
    const options = authServerOptions(settings, {
      listen: { host: settings.authHost, port: listen.port },
      internal: { host: '127.0.0.1', port: settings.given('internalPort') ?? 0 },
    });
    await runAuth(options, (ready) => {
      if (!tellParent(ready)) announce(ready, settings.issuer);
    });
  },
};

function announce({ address, internal, socket, firstAdmin }: ReadyMessage, issuer: string): void {
  note(`latchkey: the auth server listens on ${address} as ${issuer} (health and metrics on ${internal})`);
  if (socket !== undefined) note(`latchkey: the command line reaches it through ${socket}`);
  if (firstAdmin === undefined) return;
  note(`latchkey: the first administrator is ${firstAdmin.username}, password ${firstAdmin.password}`);
  note('latchkey: this password is shown once; latchkey user passwd gives a new one');
}
