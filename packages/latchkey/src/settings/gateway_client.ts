// The client that the gateway is registered as: an id from the settings, its secret from a file that only its owner can
// read, or from the environment. Never from a flag: arguments are visible to every user of the machine.
import { readFileSync, statSync } from 'node:fs';
import type { Settings } from './settings.ts';

export interface ClientCredential {
  readonly id: string;
  readonly secret: string;
}

type Given = Pick<Settings, 'given'>;

const idTitle = 'gateway.client.id (LATCHKEY_GATEWAY_CLIENT_ID)';
const secretTitle = 'gateway.client.secret (LATCHKEY_GATEWAY_CLIENT_SECRET)';
const fileTitle = 'gateway.client.secretFile (LATCHKEY_GATEWAY_CLIENT_SECRET_FILE)';

/** What does not fit together, without a look at the file: it may lie on another machine than the one that asks. */
export function clientFaults(settings: Given): string[] {
  const id = settings.given('gateway.client.id') !== undefined;
  const secret = settings.given('gateway.client.secret') !== undefined;
  const file = settings.given('gateway.client.secretFile') !== undefined;
  if (secret && file) return [`${secretTitle} and ${fileTitle}: give one of them`];
  if (id && !secret && !file) return [`${idTitle}: needs a secret: ${fileTitle}`];
  if (!id && (secret || file)) return [`${idTitle}: is missing, and a secret is given`];
  return [];
}

/** The credential, or what is wrong with the file of its secret; neither when no client is given. */
export function readGatewayClient(settings: Given): {
  readonly client?: ClientCredential;
  readonly faults: readonly string[];
} {
  const id = settings.given<string>('gateway.client.id');
  if (id === undefined) return { faults: [] };
  const secret = settings.given<string>('gateway.client.secret');
  if (secret !== undefined) return { client: { id, secret }, faults: [] };
  const file = settings.given<string>('gateway.client.secretFile') ?? '';
  try {
    const loose = (statSync(file).mode & 0o077) !== 0;
    if (loose)
      return { faults: [`${fileTitle}: others on this machine can read ${file}: chmod 600 ${file}`] };
    const text = readFileSync(file, 'utf8').trim();
    if (text === '') return { faults: [`${fileTitle}: ${file} is empty`] };
    return { client: { id, secret: text }, faults: [] };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'fault';
    return { faults: [`${fileTitle}: ${file} cannot be read (${code})`] };
  }
}

/** What `latchkey gateway` must be told when strangers may not read the signals. */
export function exposureFaults(settings: Given): string[] {
  const access = settings.given<string>('signals.access');
  if (access === 'registered' && settings.given('gateway.client.id') === undefined)
    return [`signals.access: registered: the gateway needs a client: ${idTitle}`];
  if (access === 'internal' && settings.given('gateway.signalsUrl') === undefined) {
    return [
      'signals.access: internal: name the internal port of the auth server: gateway.signalsUrl (LATCHKEY_GATEWAY_SIGNALS_URL)',
    ];
  }
  return [];
}
