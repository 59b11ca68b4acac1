// What the metrics say of the moment: read when they are asked for, kept nowhere.
import type { Connections } from './connections.ts';
import { type Gauge, label } from './metrics.ts';
import type { GatewayVerifier } from './options.ts';
import type { OpenStreams } from './streams.ts';
import type { Upstream } from './upstreams.ts';
import { verifierGauges } from './verifier_gauges.ts';

export interface Gauged {
  readonly connections: Connections;
  readonly streams: OpenStreams;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly verifier: GatewayVerifier | undefined;
  readonly now: () => number;
}

export function gauges({ connections, streams, upstreams, verifier, now }: Gauged): Gauge[] {
  return [
    {
      name: 'latchkey_gateway_in_flight',
      help: 'Requests not yet answered to the end.',
      read: () => connections.inFlight,
    },
    {
      name: 'latchkey_gateway_streams',
      help: 'Event streams and WebSockets that are open.',
      read: () => [
        ['kind="event_stream"', streams.count('response')],
        ['kind="websocket"', streams.count('tunnel')],
      ],
    },
    {
      name: 'latchkey_gateway_streams_closed_total',
      help: 'Event streams and WebSockets that were closed because their token had died.',
      type: 'counter',
      read: () => streams.closed,
    },
    {
      name: 'latchkey_gateway_upstream_up',
      help: '1 where the upstream is taken for well.',
      read: () =>
        [...upstreams.values()].map(
          (upstream) => [`upstream=${label(upstream.origin)}`, upstream.downUntil <= now() ? 1 : 0] as const,
        ),
    },
    ...(verifier === undefined ? [] : verifierGauges(verifier)),
    {
      name: 'process_resident_memory_bytes',
      help: 'Resident memory.',
      read: () => process.memoryUsage.rss(),
    },
  ];
}
