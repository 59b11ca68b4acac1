// The administrator's side of the command line: the same /auth/admin/* API as everybody's, over the Unix socket of the
// running server; when none runs, a server is opened here for one call, without listening. So there is only ever one
// writer, and one set of rules and audit rows, whichever way a change came.
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { CommandError } from '../failure.ts';
import type { Settings } from '../settings/settings.ts';

/** Milliseconds: a receipt may take 30 s. */
const longestAnswer = 40_000;

export interface AdminAnswer {
  readonly status: number;
  readonly body: unknown;
}

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

export interface Admin {
  /** Whether a server runs, or was opened only for this. */
  readonly running: boolean;
  /** The answer as it came. */
  send(method: Method, path: string, body?: unknown): Promise<AdminAnswer>;
  close(): Promise<void>;
}

export function socketPathOf(settings: Pick<Settings, 'dataDir'>): string {
  return join(settings.dataDir, 'latchkey.sock');
}

/** A running server's socket, or `undefined` when none answers there. */
export async function connectAdmin(socketPath: string): Promise<Admin | undefined> {
  const send = (method: Method, path: string, body?: unknown) =>
    sendOverSocket(socketPath, method, path, body);
  try {
    await send('GET', '/auth/.well-known/jwks.json');
  } catch (error) {
    if (nobodyThere(error)) return undefined;
    throw error;
  }
  return { running: true, send, close: async () => {} };
}

/** The running server, or one opened for this command. @throws CommandError when the data directory is taken */
export async function openAdmin(settings: Settings): Promise<Admin> {
  const running = await connectAdmin(socketPathOf(settings));
  if (running !== undefined) return running;
  const { openLocalAdmin } = await import('./local.ts');
  return openLocalAdmin(settings);
}

function nobodyThere(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTSOCK';
}

export function sendOverSocket(
  socketPath: string,
  method: Method,
  path: string,
  body?: unknown,
): Promise<AdminAnswer> {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      {
        socketPath,
        method,
        path,
        timeout: longestAnswer,
        headers: {
          host: 'localhost',
          ...(payload !== undefined && {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(payload),
          }),
        },
      },
      (incoming) => {
        const parts: Buffer[] = [];
        incoming.on('data', (part: Buffer) => parts.push(part));
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            body: parseBody(Buffer.concat(parts).toString('utf8')),
          }),
        );
      },
    );
    outgoing.on('timeout', () =>
      outgoing.destroy(new CommandError(`the auth server did not answer within ${longestAnswer / 1000} s`)),
    );
    outgoing.on('error', reject);
    outgoing.end(payload);
  });
}

function parseBody(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
