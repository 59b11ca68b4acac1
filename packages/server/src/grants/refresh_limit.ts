// How often one session may refresh: a client in a loop gets 429, never an ended session. In memory: losing the counts in
// a restart costs nothing.
import { AuthError } from '../errors.ts';

/** Sessions remembered at once; the table is emptied every minute. */
const maxSessions = 200_000;

export function createRefreshLimit(perMinute: number, now: () => number): (sessionId: string) => void {
  let minute = 0;
  const counts = new Map<string, number>();
  return (sessionId) => {
    const current = Math.floor(now() / 60_000);
    if (current !== minute || counts.size >= maxSessions) {
      minute = current;
      counts.clear();
    }
    const count = (counts.get(sessionId) ?? 0) + 1;
    counts.set(sessionId, count);
    if (count > perMinute) {
      throw new AuthError('rate_limited', 'This session refreshes too often.', {
        retryAfter: 60 - (Math.floor(now() / 1000) % 60),
      });
    }
  };
}
