// How much one address, account, device or reader may ask for.
import { days, duration, whole } from '../kinds.ts';
import type { Setting } from '../setting.ts';

export const limits: readonly Setting[] = [
  {
    name: 'limits.attemptsPerAccountAndAddress',
    env: 'LATCHKEY_LIMIT_ATTEMPTS_PER_ACCOUNT_AND_ADDRESS',
    kind: whole(1, 1e9),
    group: 'limits',
    byDefault: '10',
    about: 'Wrong passwords for one account from one address, within the window.',
  },
  {
    name: 'limits.attemptsPerAddress',
    env: 'LATCHKEY_LIMIT_ATTEMPTS_PER_ADDRESS',
    kind: whole(1, 1e9),
    group: 'limits',
    byDefault: '100',
    about: 'Wrong passwords from one address (an IPv6 /64 counts as one).',
  },
  {
    name: 'limits.attemptsPerAccount',
    env: 'LATCHKEY_LIMIT_ATTEMPTS_PER_ACCOUNT',
    kind: whole(1, 1e9),
    group: 'limits',
    byDefault: '100',
    about: 'Wrong passwords for one account from all addresses; a known device is not held back by it.',
  },
  {
    name: 'limits.attemptsPerDevice',
    env: 'LATCHKEY_LIMIT_ATTEMPTS_PER_DEVICE',
    kind: whole(1, 1e9),
    group: 'limits',
    byDefault: '20',
    about: 'Wrong passwords from one known device.',
  },
  {
    name: 'limits.attemptWindow',
    env: 'LATCHKEY_LIMIT_ATTEMPT_WINDOW',
    kind: duration(1, days),
    group: 'limits',
    byDefault: '15m',
    about: 'The time in which attempts are counted.',
  },
  {
    name: 'limits.refreshesPerMinute',
    env: 'LATCHKEY_LIMIT_REFRESHES_PER_MINUTE',
    kind: whole(1, 1e9),
    group: 'limits',
    byDefault: '120',
    about: 'Refreshes a minute that one session may ask for.',
  },
  {
    name: 'limits.streamsPerAddress',
    env: 'LATCHKEY_LIMIT_STREAMS_PER_ADDRESS',
    kind: whole(1, 100_000),
    group: 'limits',
    byDefault: '50',
    about: 'Open signal streams of strangers, per address.',
  },
  {
    name: 'limits.streams',
    env: 'LATCHKEY_LIMIT_STREAMS',
    kind: whole(1, 100_000),
    group: 'limits',
    byDefault: '2000',
    about: 'Open signal streams in all.',
  },
];
