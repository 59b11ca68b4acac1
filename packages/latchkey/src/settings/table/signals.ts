// How verifiers learn of revocations: who may read the signals, how the gateway reads them, and where third parties may be told.
import { duration, list, oneOf, path, text, url } from '../kinds.ts';
import type { Setting } from '../setting.ts';

export const signals: readonly Setting[] = [
  {
    name: 'signals.access',
    env: 'LATCHKEY_SIGNALS_ACCESS',
    kind: oneOf('public', 'registered', 'internal'),
    group: 'signals',
    byDefault: 'public',
    about:
      'Who may read the signals: everybody (identifiers are random, nothing in them is secret), readers with a client credential, or whoever reaches the internal port, where alone they are then served.',
  },
  {
    name: 'gateway.name',
    env: 'LATCHKEY_GATEWAY_NAME',
    kind: text,
    group: 'signals',
    byDefault: 'gateway',
    about: 'Under which name `latchkey start` registers its gateway; `latchkey verifiers` shows it.',
  },
  {
    name: 'gateway.client.id',
    env: 'LATCHKEY_GATEWAY_CLIENT_ID',
    kind: text,
    group: 'signals',
    byDefault: '`latchkey start` registers its own',
    about:
      'The client that `latchkey gateway` is registered as (`latchkey client create`): it then has a reserved place, is listed, and acknowledges what it has applied.',
  },
  {
    name: 'gateway.client.secretFile',
    env: 'LATCHKEY_GATEWAY_CLIENT_SECRET_FILE',
    kind: path,
    group: 'signals',
    about: 'The file with the secret of that client (mode 0600).',
  },
  {
    name: 'gateway.client.secret',
    env: 'LATCHKEY_GATEWAY_CLIENT_SECRET',
    kind: text,
    group: 'signals',
    about: 'The secret itself, where a secret store puts it into the environment.',
    secret: true,
    environmentOnly: true,
  },
  {
    name: 'gateway.signals',
    env: 'LATCHKEY_GATEWAY_SIGNALS',
    kind: oneOf('stream', 'poll'),
    group: 'signals',
    byDefault: 'stream',
    about:
      'How the gateway reads them: over one long connection, or by asking for the snapshot again and again where long connections are impossible. One that polls is not listed and acknowledges nothing.',
  },
  {
    name: 'gateway.pollInterval',
    env: 'LATCHKEY_GATEWAY_POLL_INTERVAL',
    kind: duration(1, 9),
    group: 'signals',
    byDefault: '2s',
    about: 'How often it asks then. Sensitive routes refuse what is older than 10 s.',
  },
  {
    name: 'gateway.signalsUrl',
    env: 'LATCHKEY_GATEWAY_SIGNALS_URL',
    kind: url,
    group: 'signals',
    byDefault: 'where the auth server is',
    about:
      'Where the gateway reads the signals, when not beside the rest: a CDN, or the internal port of the auth server.',
  },
  {
    name: 'gateway.stateFile',
    env: 'LATCHKEY_GATEWAY_STATE_FILE',
    kind: path,
    group: 'signals',
    byDefault: 'gateway/verifier.json in the data directory',
    about:
      'Where the gateway keeps the last good keys and revocations, for a start while the auth server is away. Whoever can write it is trusted.',
  },
  {
    name: 'receiverNetworks',
    env: 'LATCHKEY_RECEIVER_NETWORKS',
    kind: list,
    group: 'signals',
    byDefault: 'none',
    about:
      'Private networks or addresses that security events may be pushed into; otherwise only the public internet. Link-local ones never.',
  },
];
