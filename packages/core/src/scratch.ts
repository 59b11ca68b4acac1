// Bytes that are written and read again without a pause in between: a decoded segment, what is to be signed, a signature. One
// piece of memory for each use instead of an allocation a token; and the views on it are kept by their length, because
// making one costs as much as decoding a signature does.
import { Buffer } from 'node:buffer';

export interface Scratch {
  readonly bytes: Buffer;
  /** The first `length` bytes; good until they are written anew. */
  first(length: number): Buffer;
}

export function createScratch(size: number): Scratch {
  const bytes = Buffer.alloc(size);
  const views: (Buffer | undefined)[] = new Array<undefined>(size + 1).fill(undefined);
  return {
    bytes,
    first(length) {
      const known = views[length];
      if (known !== undefined) return known;
      const view = bytes.subarray(0, length);
      views[length] = view;
      return view;
    },
  };
}
