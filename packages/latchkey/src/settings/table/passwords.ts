// What a password must be, and what hashing one may cost.
import { whole } from '../kinds.ts';
import type { Setting } from '../setting.ts';

export const passwords: readonly Setting[] = [
  {
    name: 'passwords.minLength',
    env: 'LATCHKEY_PASSWORD_MIN_LENGTH',
    kind: whole(8, 128),
    group: 'passwords',
    byDefault: '15',
    about: 'The shortest password, in characters. Under 15 only beside a second factor.',
  },
  {
    name: 'passwords.memory',
    env: 'LATCHKEY_PASSWORD_MEMORY',
    kind: whole(19_456, 4_194_304),
    group: 'passwords',
    byDefault: '19456',
    about: 'argon2id: KiB of memory a hash.',
  },
  {
    name: 'passwords.iterations',
    env: 'LATCHKEY_PASSWORD_ITERATIONS',
    kind: whole(1, 32),
    group: 'passwords',
    byDefault: '2',
    about: 'argon2id: passes over that memory.',
  },
  {
    name: 'passwords.parallelism',
    env: 'LATCHKEY_PASSWORD_PARALLELISM',
    kind: whole(1, 16),
    group: 'passwords',
    byDefault: '1',
    about: 'argon2id: lanes.',
  },
  {
    name: 'passwords.queue',
    env: 'LATCHKEY_PASSWORD_QUEUE',
    kind: whole(1, 10_000),
    group: 'passwords',
    byDefault: '50',
    about: 'How many sign-ins may wait for hashing; one more is answered 503 at once.',
  },
];
