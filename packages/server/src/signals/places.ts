// Who may hold a stream open, and how many. Strangers have a limit for each address and share three quarters of all places;
// registered readers may take every place, and where none is left the stranger who came last makes room.
import { AuthError } from '../errors.ts';

export interface PlacesOptions {
  readonly streams: number;
  readonly streamsPerAddress: number;
}

export interface Places {
  /** `oust`: ends the stream, when its place is needed. Answers how to give the place back. Throws AuthError `rate_limited`. */
  enterStranger(address: string, oust: () => void): () => void;
  enterRegistered(): () => void;
}

interface Stranger {
  readonly address: string;
  readonly oust: () => void;
}

function full(): AuthError {
  return new AuthError('rate_limited', 'Too many signal streams are open.', { retryAfter: 5 });
}

export function createPlaces({ streams, streamsPerAddress }: PlacesOptions): Places {
  const forStrangers = Math.max(1, Math.floor((streams * 3) / 4));
  const perAddress = new Map<string, number>();
  // In the order in which they came.
  const strangers = new Set<Stranger>();
  let registered = 0;

  function leave(stranger: Stranger): void {
    if (!strangers.delete(stranger)) return;
    const { address } = stranger;
    const open = (perAddress.get(address) ?? 1) - 1;
    if (open <= 0) perAddress.delete(address);
    else perAddress.set(address, open);
  }

  return {
    enterStranger(address, oust) {
      const open = perAddress.get(address) ?? 0;
      if (open >= streamsPerAddress || strangers.size >= forStrangers) throw full();
      if (strangers.size + registered >= streams) throw full();
      const stranger = { address, oust };
      strangers.add(stranger);
      perAddress.set(address, open + 1);
      return () => leave(stranger);
    },
    enterRegistered() {
      if (registered >= streams) throw full();
      if (strangers.size + registered >= streams) {
        const last = [...strangers].at(-1) as Stranger;
        leave(last);
        last.oust();
      }
      registered += 1;
      let here = true;
      return () => {
        if (here) registered -= 1;
        here = false;
      };
    },
  };
}
