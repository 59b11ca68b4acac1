// Who this verifier is to the issuer: its `User-Agent` always, and for a registered reader its client credential (HTTP Basic, RFC 6749
// §2.3.1) and the instance, drawn anew for each verifier. The credential lives in these headers and nowhere else, so that no
// status and no error can hold it.
import { randomBytes } from 'node:crypto';
import { version } from './version.ts';

export interface ClientCredential {
  readonly id: string;
  readonly secret: string;
}

export interface Reader {
  /** 22 characters of base64url. */
  readonly instance: string;
  readonly registered: boolean;
  /** For what everybody may read. */
  readonly headers: Readonly<Record<string, string>>;
  /** For the signals. */
  readonly signalHeaders: Readonly<Record<string, string>>;
}

export const defaultAgent = `latchkey-core/${version}`;

export function createReader(agent: string, client: ClientCredential | undefined): Reader {
  const instance = randomBytes(16).toString('base64url');
  const headers = { 'user-agent': agent };
  const signalHeaders =
    client === undefined
      ? headers
      : { ...headers, authorization: basic(client), 'latchkey-instance': instance };
  return { instance, registered: client !== undefined, headers, signalHeaders };
}

function basic({ id, secret }: ClientCredential): string {
  return `Basic ${Buffer.from(`${formEncoded(id)}:${formEncoded(secret)}`).toString('base64')}`;
}

/** RFC 6749 §2.3.1 asks for this before the colon is put between them. */
function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}
