// The life of a service as a process: listen, learn keys and revocations, say that it is ready, and end in order on SIGTERM,
// SIGINT, or when the program that started it is gone.
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Verifier } from '@latchkey/core/verifier';
import type { Settings } from './settings.ts';

export interface RunOptions {
  readonly name: string;
  readonly settings: Settings;
  readonly listener: RequestListener;
  readonly verifier: Pick<Verifier, 'ready' | 'close'>;
  /** Called last, when no request is left. */
  readonly close: () => void;
}

/** Milliseconds that requests under way get to finish. */
const patience = 5_000;

export async function run({ name, settings, listener, verifier, close }: RunOptions): Promise<void> {
  const server = createServer(
    { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 60_000 },
    listener,
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(settings.port, settings.host, resolve);
  });

  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    const limit = setTimeout(() => server.closeAllConnections(), patience);
    server.close(() => {
      clearTimeout(limit);
      verifier.close();
      close();
      if (process.connected) process.disconnect?.();
    });
    server.closeIdleConnections();
  };
  // Asked again, it is still ending: the verifier's last word to the issuer may be on its way.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, end);
  process.once('disconnect', end);

  // Without keys we answer 503, not 401, and go on asking: an auth server that starts later is no reason to stop.
  await verifier.ready().catch(() => console.error(`${name}: the issuer is not reachable yet`));
  if (ending) return;
  const { port } = server.address() as AddressInfo;
  console.log(`${name} ready on http://${settings.host}:${port}`);
  process.send?.('ready');
}
