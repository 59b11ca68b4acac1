// A gateway in this process whose verifier has its clocks in our hands: they run until they are stopped, and then stand at the age of
// knowledge that is asked for. Five minutes cannot be waited for a hundred thousand times.
import { createVerifier } from '@latchkey/core/verifier';
import { createGateway } from '@latchkey/gateway';
import { audience, issuer, type Stage } from './stage.ts';

export interface MovedGateway {
  readonly port: number;
  /** From now on the last word of the issuer is so old, in milliseconds, and stays so. */
  readonly standAt: (age: number) => void;
  /** The clocks run again. */
  readonly run: () => void;
  readonly close: () => Promise<void>;
}

export async function startMovedGateway({ authPort, servicePort }: Stage): Promise<MovedGateway> {
  let stopped: { wall: number; monotonic: number } | undefined;
  const now = (): number => stopped?.wall ?? Date.now();
  const verifier = createVerifier({
    issuer,
    audience,
    issuerAddress: `http://127.0.0.1:${authPort}/auth`,
    now,
    monotonic: () => stopped?.monotonic ?? performance.now(),
  });
  const upstreams = [`http://127.0.0.1:${servicePort}`];
  const gateway = createGateway({
    verifier,
    now,
    routes: [
      { prefix: '/normal', upstreams, access: 'authenticated' },
      { prefix: '/sensitive', upstreams, access: 'authenticated', sensitive: true },
      { prefix: '/open', upstreams, access: 'public' },
    ],
    internal: false,
  });
  const { url } = await gateway.listen();
  await verifier.ready();
  return {
    port: Number(new URL(url).port),
    standAt(age) {
      stopped ??= { wall: Date.now(), monotonic: performance.now() };
      const ahead = age - verifier.status().staleForMs;
      stopped = { wall: stopped.wall + ahead, monotonic: stopped.monotonic + ahead };
      const is = verifier.status().staleForMs;
      if (Math.abs(is - age) > 1) throw new Error(`the knowledge is ${is} ms old, not ${age}`);
    },
    run() {
      stopped = undefined;
    },
    async close() {
      await gateway.close();
      verifier.close();
    },
  };
}
