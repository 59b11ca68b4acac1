// How long tokens and sessions live, how they are signed, what is in them.
import { days, duration, flag, fromFileOnly, minutes, oneOf } from '../kinds.ts';
import type { Setting } from '../setting.ts';

export const tokens: readonly Setting[] = [
  {
    name: 'accessTokenLife',
    env: 'LATCHKEY_ACCESS_TOKEN_LIFE',
    kind: duration(30, 60 * minutes),
    group: 'tokens and sessions',
    byDefault: '5m',
    about: 'How long an access token lives.',
  },
  {
    name: 'algorithm',
    env: 'LATCHKEY_ALGORITHM',
    kind: oneOf('ES256', 'ES384', 'EdDSA', 'Ed25519', 'RS256', 'PS256', 'ML-DSA-44', 'ML-DSA-65'),
    group: 'tokens and sessions',
    byDefault: 'ES256',
    about: 'How access tokens are signed. Running tokens stay valid when it changes.',
  },
  {
    name: 'keyRotation',
    env: 'LATCHKEY_KEY_ROTATION',
    kind: duration(60 * minutes, 400 * days),
    group: 'tokens and sessions',
    byDefault: '30d',
    about: 'How long a key signs before the next one takes over.',
  },
  {
    name: 'refreshGrace',
    env: 'LATCHKEY_REFRESH_GRACE',
    kind: duration(0, 60),
    group: 'tokens and sessions',
    byDefault: '10s',
    about:
      'Within this time after a refresh, the token before it still gets the same successor: tabs, retries.',
  },
  {
    name: 'sessionIdle',
    env: 'LATCHKEY_SESSION_IDLE',
    kind: duration(minutes, 400 * days),
    group: 'tokens and sessions',
    byDefault: '14d',
    about: 'A session that was not used for so long ends.',
  },
  {
    name: 'sessionMax',
    env: 'LATCHKEY_SESSION_MAX',
    kind: duration(minutes, 400 * days),
    group: 'tokens and sessions',
    byDefault: '30d',
    about: 'A session ends at this age however much it is used.',
  },
  {
    name: 'registration',
    env: 'LATCHKEY_REGISTRATION',
    kind: flag,
    group: 'tokens and sessions',
    byDefault: 'false',
    about: 'Whether people may make an account themselves (POST /auth/register).',
  },
  {
    name: 'customClaims',
    kind: fromFileOnly(
      'a function of the user that returns an object',
      (value) => typeof value === 'function',
    ),
    group: 'tokens and sessions',
    about:
      'Adds claims of your own to access tokens (tenant, department). Nothing secret: tokens are readable.',
  },
];
