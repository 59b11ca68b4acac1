// What is written down of every request: one line in the log, one count in the metrics. Never a token, a cookie, a header
// value or a query: the path is cut at the first `?` or `#`.
import type { IncomingMessage } from 'node:http';
import type { Caller } from './admission.ts';
import type { Metrics } from './metrics.ts';
import type { CompiledRoute, Logger } from './options.ts';
import { fault, type Refusal } from './refusals.ts';

export interface AccessLog {
  begin(incoming: IncomingMessage, caller: Caller): AccessEntry;
  /** A refusal outside any request that could be read. */
  unreadable(refusal: Refusal): void;
  /** The refusal for something nobody foresaw: the door closes (ASVS 16.5.3), and the log says so in words of ours. */
  unforeseen(error: unknown, requestId: string): Refusal;
}

export interface AccessEntry {
  route: CompiledRoute | undefined;
  refusal: Refusal | undefined;
  /** `aborted`: the connection ended before the answer did. */
  end(status: number, aborted: boolean): void;
}

/** nginx's number for a client that went away; only ever counted, never sent. */
const clientClosed = 499;

/** `lines` is where requests are written, undefined for nowhere; `log` is for faults. */
export function createAccessLog(
  metrics: Metrics,
  lines: Logger | undefined,
  log: Logger | undefined,
): AccessLog {
  return {
    begin(incoming, caller) {
      const started = performance.now();
      return {
        route: undefined,
        refusal: undefined,
        end(status, aborted) {
          const milliseconds = performance.now() - started;
          metrics.answered(this.route?.id ?? 'none', aborted ? clientClosed : status, milliseconds);
          if (this.refusal !== undefined) metrics.refused(this.refusal.reason);
          if (lines !== undefined)
            lines.info(lineOf(incoming, caller, this, status, milliseconds, aborted), 'request');
        },
      };
    },
    unreadable(refusal) {
      metrics.refused(refusal.reason);
      metrics.answered('none', refusal.status, 0);
    },
    unforeseen(error, requestId) {
      const name = error instanceof Error ? error.name : 'unknown';
      log?.error({ request_id: requestId, fault: name }, 'a check failed unexpectedly');
      return fault;
    },
  };
}

function lineOf(
  { method, url = '' }: IncomingMessage,
  { requestId, client }: Caller,
  { route, refusal }: AccessEntry,
  status: number,
  milliseconds: number,
  aborted: boolean,
): object {
  return {
    request_id: requestId,
    method,
    path: url.split(/[?#]/, 1)[0]?.slice(0, 1024),
    route: route?.id,
    status,
    ms: Math.round(milliseconds * 10) / 10,
    client: client.address,
    ...(refusal === undefined ? {} : { reason: refusal.reason }),
    ...(aborted ? { aborted } : {}),
  };
}
