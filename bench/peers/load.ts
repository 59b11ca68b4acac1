// Loads a peer by name. The import stands here so that names resolve against this folder's own node_modules; what a
// peer exports is described structurally by whoever loads it, so that type checks need no peer installed.
import { createRequire, syncBuiltinESMExports } from 'node:module';

/** @throws when bench/peers is not installed: `npm run bench` does that first. */
export async function loadPeer<T>(name: string): Promise<T> {
  return (await import(name)) as T;
}

interface VerifyOptions {
  readonly key: unknown;
}

/**
 * A second copy of fast-jwt whose signature check is called in the cheapest form, the bare KeyObject: what one line
 * changed in it would reach. It separates what its design costs from what one slow call form of Node.js costs.
 */
export function loadFastJwtWithBareKey<T>(): T {
  const require = createRequire(import.meta.url);
  const crypto = require('node:crypto');
  const { createVerify } = crypto;
  crypto.createVerify = (algorithm: string) => {
    let input = '';
    const verifier = {
      update: (data: string) => {
        input = data;
        return verifier;
      },
      verify: ({ key }: VerifyOptions, signature: Buffer): boolean =>
        crypto.verify(algorithm, Buffer.from(input, 'utf-8'), key, signature),
    };
    return verifier;
  };
  const own = (): string[] =>
    Object.keys(require.cache).filter((path) => /[\\/]fast-jwt[\\/]src[\\/]/.test(path));
  for (const path of own()) delete require.cache[path];
  try {
    return require('fast-jwt') as T;
  } finally {
    for (const path of own()) delete require.cache[path];
    crypto.createVerify = createVerify;
    syncBuiltinESMExports();
  }
}
