// Two kinds of load. Closed loop: N clients, each sends its next request when the last was answered: for throughput.
// Open loop: requests leave by the clock whether or not answers come back, and latency counts from when a request was
// due: a server that stalls cannot hide it by slowing its clients (coordinated omission).
import { processorTime } from './machine.ts';
import { percentile } from './statistics.ts';

export interface LoadResult {
  readonly requests: number;
  /** Answers a second. */
  readonly rate: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
}

/** One client of a closed loop: sends one request, throws when the answer is not the wanted one. */
export type Client = () => Promise<void>;

/** A closed loop, and the microseconds of processor time that the server used for each answer. */
export async function closedLoopOn(
  pid: number,
  clients: readonly Client[],
  time: number,
): Promise<LoadResult & { readonly processor: number }> {
  const before = processorTime(pid);
  const result = await closedLoop(clients, time);
  return { ...result, processor: ((processorTime(pid) - before) * 1000) / result.requests };
}

export async function closedLoop(clients: readonly Client[], time: number): Promise<LoadResult> {
  const latencies: number[] = [];
  const start = performance.now();
  const lane = async (client: Client): Promise<void> => {
    for (let now = performance.now(); now - start < time; ) {
      await client();
      const after = performance.now();
      latencies.push(after - now);
      now = after;
    }
  };
  await Promise.all(clients.map(lane));
  return summary(latencies, performance.now() - start);
}

/** `rate` requests a second for `time` ms, spread over the clients; a client that is busy queues its due times. */
export async function openLoop(clients: readonly Client[], rate: number, time: number): Promise<LoadResult> {
  const latencies: number[] = [];
  const start = performance.now();
  const gap = 1000 / rate;
  let next = 0;
  const lane = async (client: Client): Promise<void> => {
    for (;;) {
      const due = start + next * gap;
      next += 1;
      if (due - start >= time) return;
      await until(due);
      await client();
      latencies.push(performance.now() - due);
    }
  };
  await Promise.all(clients.map(lane));
  return summary(latencies, performance.now() - start);
}

/** Late by up to a millisecond, the grain of timers, and it counts as latency; spinning would take the server's core. */
async function until(due: number): Promise<void> {
  const wait = due - performance.now();
  if (wait > 0) await new Promise<void>((resolve) => setTimeout(resolve, wait));
}

function summary(latencies: readonly number[], elapsed: number): LoadResult {
  return {
    requests: latencies.length,
    rate: (latencies.length * 1000) / elapsed,
    p50: percentile(latencies, 50),
    p99: percentile(latencies, 99),
    worst: percentile(latencies, 100),
  };
}
