// Connections that are lent for one request each: so many at once and no more, and whoever comes later waits in line. A probe that
// waits counts the wait, so a pool that is too small makes a figure worse, never better.
import { type Answer, type Connection, openConnection } from '../harness/http_connection.ts';

export interface Pool {
  readonly send: (request: string) => Promise<Answer>;
  readonly close: () => void;
}

export function createPool(port: number, size: number): Pool {
  const all: Connection[] = [];
  const free: Connection[] = [];
  const waiting: ((connection: Connection) => void)[] = [];

  const borrow = (): Connection | Promise<Connection> => {
    const idle = free.pop();
    if (idle !== undefined) return idle;
    if (all.length >= size) return new Promise((resolve) => waiting.push(resolve));
    const opened = openConnection(port);
    all.push(opened);
    return opened;
  };
  const giveBack = (connection: Connection): void => {
    const next = waiting.shift();
    if (next === undefined) free.push(connection);
    else next(connection);
  };
  return {
    async send(request) {
      const connection = await borrow();
      try {
        return await connection.send(request);
      } finally {
        giveBack(connection);
      }
    },
    close() {
      for (const connection of all) connection.close();
    },
  };
}

/** Does `work` for every number below `count`, at most `lanes` at a time. */
export async function inLanes(
  count: number,
  lanes: number,
  work: (i: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(lanes, count) }, lane));
}

/** The same by the clock: number i begins i / `rate` seconds after the first, or when a lane is free. */
export async function byTheClock(
  count: number,
  rate: number,
  lanes: number,
  work: (i: number) => Promise<void>,
): Promise<void> {
  const start = performance.now();
  await inLanes(count, lanes, async (i) => {
    const wait = start + (i * 1000) / rate - performance.now();
    if (wait > 0) await new Promise<void>((resolve) => setTimeout(resolve, wait));
    await work(i);
  });
}
