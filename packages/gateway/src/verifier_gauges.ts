// What the metrics say of the verifier: how fresh its news are, how it gets them, and how far it has come.
import type { VerifierStatus } from '@latchkey/core/verifier';
import type { Gauge } from './metrics.ts';
import type { GatewayVerifier } from './options.ts';

type Read = (status: VerifierStatus) => ReturnType<Gauge['read']>;

const bit = (is: boolean | undefined): number => (is === true ? 1 : 0);

const ofEvery: readonly (readonly [name: string, help: string, read: Read])[] = [
  ['ready', '1 once keys and revocations are here.', ({ ready }) => bit(ready)],
  ['keys', 'Verification keys.', ({ keys }) => keys.length],
  ['marks', 'Revocations and stale marks held.', ({ marks }) => marks],
  ['connected', '1 while signals arrive.', ({ connected }) => bit(connected)],
  ['stale_seconds', 'Age of the last word from the issuer.', ({ staleForMs }) => staleForMs / 1000],
  [
    'decides',
    '1 while the news are recent enough to decide with, by kind of route.',
    ({ decides }) => [
      ['routes="normal"', bit(decides.normal)],
      ['routes="sensitive"', bit(decides.sensitive)],
    ],
  ],
];

const ofSignals: readonly (readonly [name: string, help: string, read: Read, type?: 'counter'])[] = [
  ['applied_seq', 'The last signal that is in force here.', ({ signals }) => signals?.seq ?? 0],
  ['registered', '1 for a registered reader, which the issuer lists.', ({ registered }) => bit(registered)],
  [
    'acknowledged_seq',
    'The last signal that was acknowledged, where it is registered.',
    ({ signals }) => signals?.acknowledged ?? 0,
  ],
  [
    'clock_offset_seconds',
    'By how much this clock seems to be ahead of the issuer’s.',
    ({ signals }) => (signals?.clockOffsetMs ?? 0) / 1000,
  ],
  ['snapshots_total', 'Snapshots taken.', ({ signals }) => signals?.snapshots ?? 0, 'counter'],
  ['connects_total', 'Times that the stream was opened.', ({ signals }) => signals?.connects ?? 0, 'counter'],
];

export function verifierGauges(verifier: GatewayVerifier): Gauge[] {
  const gauge = ([name, help, read, type]: (typeof ofSignals)[number]): Gauge => ({
    name: `latchkey_gateway_verifier_${name}`,
    help,
    ...(type === undefined ? {} : { type }),
    read: () => read(verifier.status()),
  });
  // With fixed keys there are no signals, and never will be.
  return [...ofEvery, ...(verifier.status().signals === undefined ? [] : ofSignals)].map(gauge);
}
