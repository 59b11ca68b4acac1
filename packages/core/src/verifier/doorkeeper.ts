// Who comes back: a token is kept in the signature cache from the second time on. So tokens that are shown once cost neither
// the room nor the work of keeping them, and a flood of them pushes nobody out. A small table of fixed size remembers
// who was here, by bits of the signature; it forgets and mistakes now and then, which costs one more signature check and
// decides nothing.

/** A power of two: 256 KiB in all. */
const places = 65_536;

export interface Doorkeeper {
  /** Whether this token was probably here before; from now on it was. Only for tokens that were found good. */
  knows(token: string): boolean;
}

export function createDoorkeeper(): Doorkeeper {
  const lastSeen = new Int32Array(places);
  let dice = 1;
  return {
    knows(token) {
      const mark = markOf(token);
      const place = (mark >>> 8) & (places - 1);
      if (lastSeen[place] === mark) return true;
      dice = (Math.imul(dice, 1103515245) + 12345) | 0;
      // Two tokens of one place that come in turns would drive each other out for ever: half the time the first stays.
      if (lastSeen[place] === 0 || dice < 0) lastSeen[place] = mark;
      return false;
    },
  };
}

/** Characters from the middle of the signature: the cache's own look-up takes those at its end. */
function markOf(token: string): number {
  const at = token.length - 40;
  let mark = 0x811c9dc5;
  for (let i = 0; i < 8; i++) mark = Math.imul(mark ^ token.charCodeAt(at + i), 0x01000193);
  return mark ^ (mark >>> 15) || 1;
}
