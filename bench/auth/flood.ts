// Many sign-ins at the same moment. They are sent from a thread of its own: sending three hundred requests takes as long as
// refusing them, and whoever measures something else meanwhile must not be held up by it.
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { buildRequest, type Connection, openConnection } from '../harness/http_connection.ts';
import { percentile } from '../harness/statistics.ts';

/** Cheap, and answered by everyone: only to have the connections open before the flood. */
const openingRequest = buildRequest({ method: 'GET', path: '/auth/.well-known/jwks.json' });

export interface FloodResult {
  readonly served: number;
  readonly refused: number;
  readonly other: number;
  /** Milliseconds, of the 503 answers. */
  readonly refusalP99: number;
  readonly refusalWorst: number;
  readonly allHaveRetryAfter: boolean;
}

export interface Flooder {
  /** `count` sign-ins at the same moment, on connections that are already open; latency counts from the sending. */
  flood(count: number, request: string): Promise<FloodResult>;
  stop(): Promise<unknown>;
}

interface FloodOrder {
  readonly port: number;
  readonly count: number;
  readonly request: string;
}

export function startFlooder(port: number): Flooder {
  const worker = new Worker(new URL(import.meta.url));
  return {
    flood: (count, request) =>
      new Promise((resolve, reject) => {
        worker.removeAllListeners();
        worker.once('message', resolve);
        worker.once('error', reject);
        worker.postMessage({ port, count, request } satisfies FloodOrder);
      }),
    stop: () => worker.terminate(),
  };
}

async function send({ port, count, request }: FloodOrder): Promise<FloodResult> {
  const connections = Array.from({ length: count }, () => openConnection(port));
  // One after the other: opening them is not the flood.
  for (const connection of connections) await connection.send(openingRequest);
  const answers = await Promise.all(connections.map((connection) => timed(connection, request)));
  for (const connection of connections) connection.close();
  const refused = answers.filter(({ status }) => status === 503);
  const times = refused.map(({ took }) => took);
  return {
    served: answers.filter(({ status }) => status === 200).length,
    refused: refused.length,
    other: answers.filter(({ status }) => status !== 200 && status !== 503).length,
    refusalP99: percentile(times, 99),
    refusalWorst: percentile(times, 100),
    allHaveRetryAfter: refused.every(({ retryAfter }) => retryAfter),
  };
}

async function timed(
  connection: Connection,
  request: string,
): Promise<{ readonly status: number; readonly took: number; readonly retryAfter: boolean }> {
  const sent = performance.now();
  const { status, head } = await connection.send(request);
  return { status, took: performance.now() - sent, retryAfter: /\r\nretry-after:/i.test(head) };
}

if (!isMainThread) {
  parentPort?.on('message', async (order: FloodOrder) => parentPort?.postMessage(await send(order)));
}
