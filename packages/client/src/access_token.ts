// The access token in hand and the moment to exchange it. The life is counted from `expires_in` and our own clock at the
// moment of asking, never from `exp`: a device whose clock is a day off must still work.
import { type Claims, decodeClaims } from './claims.ts';
import { ClientError } from './client_error.ts';
import type { TokenAnswer } from './wire.ts';

export interface HeldToken {
  readonly token: string;
  readonly claims: Claims;
  /** Milliseconds on the client's clock. */
  readonly refreshAt: number;
  readonly expiresAt: number;
}

/**
 * Refreshing is due at a random moment between half and nine tenths of the life: a thief who holds a copy of the refresh
 * token cannot keep step with its owner, and many clients that signed in together do not come back together.
 * @param random a number from 0 to 1
 */
export function holdToken(answer: TokenAnswer, askedAt: number, random: number): HeldToken {
  const life = answer.expires_in * 1000;
  return {
    token: answer.access_token,
    claims: readClaims(answer.access_token),
    refreshAt: askedAt + life * (0.5 + 0.4 * random),
    expiresAt: askedAt + life,
  };
}

function readClaims(token: string): Claims {
  try {
    return decodeClaims(token);
  } catch {
    throw new ClientError('bad_answer', 'the access token cannot be read');
  }
}
